//! Bounds on memory: a peer must not make this side reserve much more than it sent.

/// Runs `run` and asserts that it never held more than `bound` bytes that it had reserved itself.
pub(crate) fn bounded<R>(what: &str, bound: usize, run: impl FnOnce() -> R) -> R {
    let mut result = None;
    let info = allocation_counter::measure(|| result = Some(run()));
    assert!(info.bytes_max <= bound as u64, "{what}: held {} bytes where {bound} are enough", info.bytes_max);
    result.expect("measuring runs what it measures")
}
