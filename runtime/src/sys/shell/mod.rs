//! The template of a target, and the backend of every target that has none of its own.
//!
//! It compiles anywhere. Every registration is `Unsupported`, so the reactor waits for deadlines and for other threads
//! only. Where the standard library has no threads, a wait for a deadline panics; drive the runtime a step at a time
//! there. Timers use the standard library's clock, which some targets do not have.
//!
//! Limits: there is no host that delivers signals, so `ctrl_c` is `Unsupported`.

#[path = "../no_fs.rs"]
mod fs;
#[path = "../no_lingering.rs"]
mod lingering;
#[cfg_attr(target_family = "wasm", path = "deadlines.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "condvar.rs")]
mod park;
mod selector;
mod signal;
#[path = "../blocking_stdin.rs"]
pub(crate) mod stdin;
#[path = "../blocking_stdout.rs"]
pub(crate) mod stdout;
#[cfg(test)]
mod tests;
#[cfg_attr(target_family = "wasm", path = "../one_thread/mod.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "../threads/mod.rs")]
pub(crate) mod threading;

use crate::sys::Host;

pub(crate) use fs::{set_created, set_mode};
pub(crate) use lingering::{Lingering, drop_if_done, end_lingering, linger};
pub(crate) use park::Unparker;
pub use selector::Raw;
pub(crate) use selector::{Poller, Selector, new, now};
pub(crate) use signal::ctrl_c;
#[allow(unused_imports)] // Only threads publish signals.
pub(crate) use signal::{is_pending, publish};
pub use threading::Once;
#[allow(unused_imports)] // `threads/` and `one_thread/` differ.
pub(crate) use threading::*;

pub(crate) const HOST: Host = Host {
    has_threads: cfg!(not(target_family = "wasm")),
    aborts_on_panic: cfg!(target_family = "wasm"),
    polls_cheaply: true,
    // Some of these targets have no clock.
    reads_clock_cheaply: cfg!(not(target_family = "wasm")),
    speculates: false,
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
