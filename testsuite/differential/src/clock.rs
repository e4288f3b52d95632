//! Time that threads took of a processor.

use std::time::Duration;

/// That of the calling thread.
pub(crate) fn own() -> Result<Duration, String> {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// What a clock says.
pub(crate) fn read(clock: libc::clockid_t) -> Result<Duration, String> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure lives across the call.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return Err(format!("clock: {}", std::io::Error::last_os_error()));
    }
    Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}
