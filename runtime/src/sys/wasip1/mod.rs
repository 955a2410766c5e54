//! WASI preview 1: `poll_oneoff`.

mod flat;
#[path = "../no_lingering.rs"]
mod lingering;
mod selector;
mod signal;
#[path = "../one_thread/mod.rs"]
pub(crate) mod threading;
#[path = "../wasi/mod.rs"]
mod wasi;

use crate::sys::Host;

pub(crate) use lingering::{Lingering, end, linger, look_after};
pub use selector::Raw;
pub(crate) use selector::{Driver, Selector, new, now};
pub(crate) use signal::Came;
pub use threading::Once;
pub(crate) use threading::{RuntimeCore, bug, lock, memory};
pub(crate) use wasi::armed::Unparker;

pub(crate) const HOST: Host =
    Host { has_threads: false, speculates: true, attempts_see: true, has_priority: false };

pub mod public {
    pub mod io {}
    pub mod reactor {}
    pub mod root {}
    pub mod signal {}
}
