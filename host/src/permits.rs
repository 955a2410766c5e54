//! Limits the sockets of a process to fewer than its descriptors.
//!
//! A guest that opens as many sockets as it can must leave the host enough for its own use: for files, for its own
//! connections, for the standard streams. Each socket of a guest therefore holds a permit, and all guests together get
//! the process's limit of descriptors less a reserve. Without a permit the guest gets `EMFILE`, which the kernel would
//! have returned a little later.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// The number of descriptors reserved for the host. Of a small limit, a quarter is reserved instead.
const RESERVE: usize = 64;

/// How many sockets a guest without any grant may have open. Every operation on them is refused.
pub(crate) const MAX_REFUSED: usize = 16;

/// The number of permits given out in this process.
static GIVEN: AtomicUsize = AtomicUsize::new(0);

/// A permit for one open socket. Dropping it returns it.
#[derive(Debug)]
pub(crate) struct Permit(());

impl Permit {
    /// Takes a permit. Returns `None` if all guests together hold `most` permits.
    pub(crate) fn take(most: usize) -> Option<Permit> {
        let more = |given| (given < most).then_some(given + 1);
        GIVEN.fetch_update(Relaxed, Relaxed, more).ok().map(|_| Permit(()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        GIVEN.fetch_sub(1, Relaxed);
    }
}

/// Returns the number of permits under the process's current limit of descriptors.
pub(crate) fn most() -> usize {
    descriptors().map_or(usize::MAX, less_reserve)
}

fn less_reserve(descriptors: usize) -> usize {
    descriptors - RESERVE.min(descriptors / 4)
}

#[cfg(unix)]
fn descriptors() -> Option<usize> {
    use rustix::process::{Resource, getrlimit};

    getrlimit(Resource::Nofile).current.map(|limit| limit.try_into().unwrap_or(usize::MAX))
}

/// Returns the process's limit of descriptors, if there is one.
#[cfg(not(unix))]
fn descriptors() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_keeps_descriptors_for_itself() {
        for (limit, left) in [(0, 0), (3, 3), (64, 48), (256, 192), (1024, 960), (20_000, 19_936)] {
            assert_eq!(less_reserve(limit), left);
        }
        assert!(most() > 0);
    }

    #[test]
    fn permits_come_back() {
        let given = GIVEN.load(Relaxed);
        // Other tests take and return permits meanwhile.
        let most = given + 1_000_000;
        let permits: Vec<Permit> = (0..100).map(|_| Permit::take(most).unwrap()).collect();
        assert!(GIVEN.load(Relaxed) >= 100);
        assert!(Permit::take(100).is_none());
        drop(permits);
        assert!(Permit::take(0).is_none());
    }
}
