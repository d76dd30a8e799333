//! The CPU time of this process.

use std::time::Duration;

/// User and system time of all threads so far; none where the system does not tell.
#[cfg(unix)]
pub(crate) fn time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).ok()
}

/// None: the system does not tell.
#[cfg(not(unix))]
pub(crate) fn time() -> Option<Duration> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    #[test]
    fn work_takes_time() {
        let before = super::time().unwrap();
        while super::time().unwrap() == before {}
    }
}
