//! What callgrind writes.

use std::path::Path;

/// The instructions of a file of callgrind's.
///
/// # Panics
/// When the file cannot be read or has no sum.
pub fn total(path: &Path) -> f64 {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let sum = text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    sum.and_then(|sum| sum.trim().parse().ok()).expect("a sum")
}
