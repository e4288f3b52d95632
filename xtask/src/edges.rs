//! Dependency edges that must not exist.
//!
//! Codecs know pixels and never messages, the agent protocol uses the wire rules alone, the protocol knows nobody, and
//! none of them can see a runtime, a socket, a clock or a random source.

use std::fs;
use std::path::Path;

use crate::command::{Cmd, Result, root};

/// A crate with what may, and what must not, stand below it.
struct Rule {
    package: &'static str,
    /// Arguments of `cargo tree` that choose the features.
    features: &'static [&'static str],
    /// Crates of this workspace that it may depend on.
    ours: &'static [&'static str],
    /// Crates of others that it must not depend on.
    forbidden: &'static [&'static str],
}

/// Runtimes, sockets, system libraries and entropy sources. `rand` is not among them: without `getrandom` it is arithmetic,
/// and the big-number arithmetic under RSA names it. Nor is `libc`: CPU feature detection names it for some targets.
const RUNTIME: &[&str] = &[
    "tokio",
    "tokio-util",
    "mio",
    "socket2",
    "async-std",
    "async-io",
    "smol",
    "polling",
    "futures",
    "futures-util",
    "rustls",
    "native-tls",
    "openssl",
    "openssl-sys",
    "ring",
    "getrandom",
];

/// The same for a client without its runtime feature: it may use the I/O traits of `futures`, nothing that does I/O.
const CLIENT_RUNTIME: &[&str] = &[
    "tokio",
    "tokio-util",
    "mio",
    "socket2",
    "async-std",
    "async-io",
    "smol",
    "rustls",
    "native-tls",
    "getrandom",
];

const RULES: &[Rule] = &[
    Rule { package: "spice-proto", features: &["--all-features"], ours: &[], forbidden: RUNTIME },
    Rule { package: "spice-codecs", features: &["--all-features"], ours: &[], forbidden: RUNTIME },
    Rule {
        package: "spice-agent-proto",
        features: &["--all-features"],
        ours: &["spice-proto"],
        forbidden: RUNTIME,
    },
    Rule {
        package: "spice-client-async",
        features: &["--no-default-features"],
        ours: &["spice-proto", "spice-agent-proto"],
        forbidden: CLIENT_RUNTIME,
    },
    Rule {
        package: "spice-client-async",
        features: &["--no-default-features", "--features", "canvas"],
        ours: &["spice-proto", "spice-agent-proto", "spice-codecs"],
        forbidden: CLIENT_RUNTIME,
    },
    Rule {
        package: "spice-client-async",
        features: &["--all-features"],
        ours: &["spice-proto", "spice-agent-proto", "spice-codecs"],
        forbidden: &[],
    },
];

/// Checks every rule and reports all edges that break one.
pub(crate) fn check() -> Result<()> {
    let members = tree(&["--workspace", "--depth", "0"])?;
    let mut broken = Vec::new();
    for rule in RULES {
        let mut args = vec!["--package", rule.package, "--target", "all"];
        args.extend(rule.features);
        for below in tree(&args)? {
            let below = below.as_str();
            let foreign_member = members.iter().any(|name| name == below)
                && below != rule.package
                && !rule.ours.contains(&below);
            if foreign_member || rule.forbidden.contains(&below) {
                broken.push(format!("{} ({}) depends on {below}", rule.package, rule.features.join(" ")));
            }
        }
    }
    canvas_stands_alone(&root().join("spice-client/src/canvas"), &mut broken)?;
    if broken.is_empty() {
        println!("  {} rules hold", RULES.len() + 1);
        return Ok(());
    }
    Err(format!("forbidden edges:\n  {}", broken.join("\n  ")))
}

/// Names of all packages that `cargo tree` lists, without what only tests need.
fn tree(args: &[&str]) -> Result<Vec<String>> {
    let mut all = vec!["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    all.extend(args);
    let listed = Cmd::cargo(&all).output()?;
    let mut names: Vec<String> =
        listed.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// The canvas could be a crate of its own: no file of it imports from the rest of the client.
fn canvas_stands_alone(folder: &Path, broken: &mut Vec<String>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let files = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for file in files.flatten() {
        let path = file.path();
        if path.is_dir() {
            canvas_stands_alone(&path, broken)?;
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let shown = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        broken.extend(foreign_import(&text).map(|line| format!("{shown} leaves the canvas: {line}")));
    }
    Ok(())
}

/// Lines that name something of this crate outside the canvas.
fn foreign_import(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| {
        !line.starts_with("//")
            && line.match_indices("crate::").any(|(at, found)| {
                // Names that merely end in `crate` are not our paths.
                let own = !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                own && !line[at + found.len()..].starts_with("canvas")
            })
    })
}

#[cfg(test)]
mod tests {
    use super::foreign_import;

    #[test]
    fn imports_out_of_the_canvas_are_found() {
        let text = "use crate::canvas::Surface;\n// crate::driver\nuse crate::driver::Driver;\nlet x = crate::uri::parse();";
        let found: Vec<_> = foreign_import(text).collect();
        assert_eq!(found, ["use crate::driver::Driver;", "let x = crate::uri::parse();"]);
    }
}
