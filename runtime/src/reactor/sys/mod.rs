//! The backends: how a host is asked what became ready.
//!
//! A backend is two types and a function that makes them. All threads share the **selector**; the thread
//! that parks has the **driver**.
//!
//! - `Raw` names what can be waited for: a descriptor, or on WASI 0.2 something that has pollables.
//! - `Selector::register(raw, key, interest)` and `deregister(raw, key)` bracket the life of a source. The
//!   key is the reactor's, small and reused; it comes back in events.
//! - `Selector::arm(raw, key, interest)` asks for one event for each direction of `interest` in which the
//!   source is or becomes ready. A backend whose host reports edges on its own (mio) does nothing here. A
//!   direction stays armed until its event was reported, however often it is armed.
//! - `Selector::disarm(key)` takes the arms back and says which there were (for `Outcome::Barren`).
//! - `Driver::poll(selector, parked, barren, events)` waits as `parked` says and appends what happened. An
//!   error of one source is an event of that source (`Ready::ERROR` with its direction), never of the poll.
//!   Spurious events are allowed: operations are tried again and find out. Returns `Outcome::Barren` when
//!   the host ended the wait before the timeout and named nothing.
//! - `now()` is a clock in nanoseconds, for who guesses ([`SPECULATES`]).
//! - `Lingering` is a part of each source's state. A target on which dropping a source would wait keeps it: `linger(source)`
//!   says that it does so; `look_after(core, state)` lets go of one that is done, and `end(core, state)` of one whose
//!   runtime ends. Both say whether it is one.
//! - `offered` is what other crates use of a backend.
//! - `Unparker::unpark` makes a wait that has begun, or begins, return. On one thread it does nothing.
//! - Waiting without anything armed and without a timeout happens only natively, and on WASI while
//!   something only the host can complete is awaited (a signal).

#[cfg(not(unix))]
mod armed;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod flat;
#[cfg(not(unix))]
mod hot;
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
#[path = "no_lingering.rs"]
mod lingering;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
#[path = "wasip2_lingering.rs"]
mod lingering;
#[cfg(unix)]
mod native;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod wasip1;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod wasip2;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub mod wasip2_io;

pub(super) mod offered {
    pub use super::Raw;
    #[cfg(all(target_os = "wasi", target_env = "p2"))]
    pub use super::lingering::finish;
    #[cfg(all(target_os = "wasi", target_env = "p2"))]
    pub use super::{Subscribe, wasip2_io};
}

pub(crate) use lingering::{Lingering, end, linger, look_after};
#[cfg(unix)]
pub use native::Raw;
#[cfg(unix)]
pub(crate) use native::{Driver, Selector, Unparker, new, now};
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub use wasip1::Raw;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(crate) use wasip1::{Driver, Selector, Unparker, new, now};
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub(crate) use wasip2::{Driver, Selector, Unparker, new};
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub use wasip2::{Raw, Subscribe};
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub(crate) use wasip2_io::now;

/// Whether reads are tried on a guess before the host is asked. Natively asking costs too little.
pub(crate) const SPECULATES: bool = cfg!(not(unix));

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// As asked: with events, or after the time.
    Done,
    /// Early, with nothing to show for it.
    #[cfg_attr(not(target_env = "p1"), expect(dead_code, reason = "only preview 1 can do so"))]
    Barren,
}
