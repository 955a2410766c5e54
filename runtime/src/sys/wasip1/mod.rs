//! WASI preview 1: `poll_oneoff`.

mod flat;
#[path = "../no_lingering.rs"]
mod lingering;
#[path = "../one_thread/mod.rs"]
mod one_thread;
mod selector;
mod signal;
#[path = "../wasi/mod.rs"]
mod wasi;

use crate::sys::Host;

pub(crate) use lingering::{Lingering, end, linger, look_after};
pub(crate) use one_thread::bug;
pub use selector::Raw;
pub(crate) use selector::{Driver, Selector, new, now};
pub(crate) use signal::Came;
pub(crate) use wasi::armed::Unparker;

pub(crate) const HOST: Host = Host { has_threads: false, speculates: true, attempts_see: true };

pub mod public {
    pub mod io {}
    pub mod reactor {}
    pub mod root {}
    pub mod signal {}
}
