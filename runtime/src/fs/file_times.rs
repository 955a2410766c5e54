//! The times of a file.

use std::time::SystemTime;

use crate::sys;

/// Times for [`File::set_times`](super::File::set_times). Times that are not set do not change.
#[derive(Debug, Clone, Default)]
#[must_use = "must be applied to a file via `File::set_times` to have any effect"]
pub struct FileTimes {
    accessed: Option<SystemTime>,
    modified: Option<SystemTime>,
    /// Only some systems can set it.
    pub(crate) created: Option<SystemTime>,
}

impl FileTimes {
    /// Creates times that change nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time at which the file was last read.
    pub fn set_accessed(mut self, t: SystemTime) -> Self {
        self.accessed = Some(t);
        self
    }

    /// Sets the time at which the file was last written.
    pub fn set_modified(mut self, t: SystemTime) -> Self {
        self.modified = Some(t);
        self
    }

    pub(super) fn into_std(self) -> std::fs::FileTimes {
        let mut times = std::fs::FileTimes::new();
        if let Some(t) = self.accessed {
            times = times.set_accessed(t);
        }
        if let Some(t) = self.modified {
            times = times.set_modified(t);
        }
        if let Some(t) = self.created {
            times = sys::set_created(times, t);
        }
        times
    }
}
