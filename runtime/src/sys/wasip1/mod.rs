//! WASI preview 1: `poll_oneoff`.

#[path = "../descriptors/mod.rs"]
mod descriptors;
#[path = "../no_fs.rs"]
mod fs;
pub(crate) mod host_signal;
#[path = "../no_lingering.rs"]
mod lingering;
mod queue;
mod selector;
pub(crate) mod stdin_stream;
#[path = "../blocking_stdout.rs"]
pub(crate) mod stdout;
#[path = "../one_thread/mod.rs"]
pub(crate) mod threading;
#[path = "../wasi/mod.rs"]
mod wasi;

use crate::sys::Host;

pub(crate) use fs::{set_created, set_mode};
pub(crate) use lingering::{Lingering, drop_if_done, end_lingering, linger};
pub use selector::Raw;
pub(crate) use selector::{Poller, Selector, new, now};
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
    attempts_see_arrivals: true,
    has_priority: false,
};

#[allow(missing_docs)] // Re-exported by the modules of these names.
pub mod public {
    pub mod fs {}
    pub mod io {}
    pub mod reactor {}
    pub mod root {}
    pub mod signal {}
}
