//! Pins threads to processors.
//!
//! The kernel may move two programs that talk to each other onto one processor at any moment, and their rate then
//! changes by half. Benchmarks therefore pin each to a processor of its own. Where that is impossible, or with one
//! processor, these functions do nothing.

/// The processor of servers.
pub const SERVER: usize = 0;
/// The processor of clients.
pub const CLIENTS: usize = 1;

#[cfg(target_os = "linux")]
mod sys {
    use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};

    /// The processors that this thread may use.
    pub(super) fn allowed() -> Option<CpuSet> {
        sched_getaffinity(None).ok().filter(|set| set.count() > 1)
    }

    /// Returns the allowed processor at this index.
    fn only(allowed: &CpuSet, place: usize) -> CpuSet {
        let mut set = CpuSet::new();
        let at = |&cpu: &usize| allowed.is_set(cpu);
        (0..CpuSet::MAX_CPU).filter(at).nth(place).into_iter().for_each(|cpu| set.set(cpu));
        set
    }

    /// Does nothing for a thread that has ended.
    pub(super) fn keep(thread: Option<Pid>, set: &CpuSet, place: usize) {
        let _ = sched_setaffinity(thread, &only(set, place));
    }

    pub(super) fn keep_threads(process: u32, place: usize) {
        let Some(allowed) = allowed() else { return };
        let threads = std::fs::read_dir(format!("/proc/{process}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let number = thread.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(thread) = number.and_then(Pid::from_raw) {
                keep(Some(thread), &allowed, place);
            }
        }
    }

    pub(super) fn restore(set: &CpuSet) {
        let _ = sched_setaffinity(None, set);
    }
}

/// Keeps the threads of a process on one processor, and those that they start later.
pub fn keep(process: u32, place: usize) {
    #[cfg(target_os = "linux")]
    sys::keep_threads(process, place);
    #[cfg(not(target_os = "linux"))]
    let _ = (process, place);
}

/// Calls a function on one processor.
pub fn on<T>(place: usize, work: impl FnOnce() -> T) -> T {
    #[cfg(target_os = "linux")]
    {
        let allowed = sys::allowed();
        if let Some(allowed) = &allowed {
            sys::keep(None, allowed, place);
        }
        let result = work();
        if let Some(allowed) = &allowed {
            sys::restore(allowed);
        }
        result
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = place;
        work()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::thread::{sched_getaffinity, sched_getcpu};

    #[test]
    fn work_stays_where_it_is_told_to() {
        let before = sched_getaffinity(None).unwrap();
        if before.count() < 2 {
            return;
        }
        let places = [super::SERVER, super::CLIENTS].map(|place| super::on(place, sched_getcpu));
        assert_ne!(places[0], places[1]);
        assert_eq!(sched_getaffinity(None).unwrap(), before);
    }

    #[test]
    fn a_process_is_kept() {
        let mut child = std::process::Command::new("sleep").arg("10").spawn().unwrap();
        super::keep(child.id(), super::CLIENTS);
        let pid = rustix::process::Pid::from_child(&child);
        let count = sched_getaffinity(Some(pid)).unwrap().count();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(count, 1);
    }
}
