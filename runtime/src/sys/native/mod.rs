//! Native systems, for development: mio and threads.

mod async_fd;
#[path = "../descriptors/mod.rs"]
mod descriptors;
#[cfg(all(test, not(loom)))]
mod embedding;
pub mod fs;
#[path = "../no_lingering.rs"]
mod lingering;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod priority;
mod selector;
pub mod signal;
#[path = "../blocking_stdin.rs"]
pub(crate) mod stdin;
#[path = "../blocking_stdout.rs"]
pub(crate) mod stdout;
#[path = "../threads/mod.rs"]
pub(crate) mod threading;

use crate::sys::Host;

pub(crate) use fs::{set_created, set_mode};
pub(crate) use lingering::{Lingering, drop_if_done, end_lingering, linger};
pub use selector::Raw;
pub(crate) use selector::{Poller, Selector, Unparker, new, now};
pub(crate) use signal::{ctrl_c, is_pending, publish};
pub use threading::Once;
pub(crate) use threading::{RuntimeCore, job, lock, memory, park_flag};

pub(crate) const HOST: Host = Host {
    has_threads: true,
    aborts_on_panic: false,
    polls_cheaply: true,
    reads_clock_cheaply: true,
    speculates: false,
    attempts_see_arrivals: true,
    has_priority: cfg!(any(target_os = "linux", target_os = "android")),
};

#[allow(missing_docs)] // Re-exported by the modules of these names.
pub mod public {
    pub mod fs {
        pub use crate::sys::target::fs::symlink;
    }
    pub mod io {
        /// Waiting for descriptors of the user's own.
        pub mod unix {
            #[allow(deprecated)]
            #[doc(hidden)]
            pub use crate::sys::target::async_fd::AsyncFdTryNewError;
            pub use crate::sys::target::async_fd::{
                AsyncFd, AsyncFdReadyGuard, AsyncFdReadyMutGuard, AsyncFdRegisterError, TryIoError,
            };
        }
    }
    pub mod reactor {}
    pub mod root {}
    pub mod signal {
        /// The signals of unix, natively.
        pub mod unix {
            pub use crate::sys::target::signal::{Signal, SignalKind, signal};
        }
    }
}
