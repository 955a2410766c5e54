//! The resources that this process may use, and those that it uses.

/// Raises the limit on open files as far as allowed, because every socket of every guest is an open file.
pub(super) fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        // macOS refuses this when there is no maximum. The limit then stays as it was.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// Returns the memory that this process uses, in bytes, or `None` if the system does not report it.
pub(super) fn memory() -> Option<u64> {
    status("VmRSS:")
}

/// Returns the largest amount of memory that this process has used, in bytes.
pub(super) fn peak_memory() -> Option<u64> {
    status("VmHWM:")
}

fn status(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
