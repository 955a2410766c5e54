//! WASI 0.2: `wasi:io/poll`.

#[path = "../descriptors/mod.rs"]
mod descriptors;
mod exit;
#[path = "../no_fs.rs"]
mod fs;
pub mod host;
pub(crate) mod host_signal;
mod lingering;
pub mod pollable;
mod selector;
pub(crate) mod stdin_stream;
pub(crate) mod stdout;
#[path = "../one_thread/mod.rs"]
pub(crate) mod threading;
#[path = "../wasi/mod.rs"]
mod wasi;

use crate::sys::Host;

pub(crate) use fs::{set_created, set_mode};
pub(crate) use host::now;
pub(crate) use lingering::{Lingering, drop_if_done, end_lingering, linger};
pub(crate) use selector::{Poller, Selector, new};
pub use selector::{Raw, Subscribe};
pub use threading::Once;
pub(crate) use threading::{RuntimeCore, bug, job, lock, memory};
pub(crate) use wasi::armed::Unparker;
pub(crate) use wasi::signal::ctrl_c;
pub(crate) use wasi::stdin;

pub(crate) const HOST: Host = Host {
    has_threads: false,
    aborts_on_panic: true,
    polls_cheaply: false,
    reads_clock_cheaply: false,
    speculates: true,
    attempts_see_arrivals: false,
    has_priority: false,
};

#[allow(missing_docs)] // Re-exported by the modules of these names.
pub mod public {
    pub mod fs {}
    pub mod io {}
    pub mod reactor {
        pub use crate::sys::target::Subscribe;
        pub use crate::sys::target::host as wasip2_io;
        pub use crate::sys::target::lingering::finish;
    }
    pub mod root {
        pub use crate::sys::target::pollable as wasi;
    }
    pub mod signal {}
}
