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
//! - `now()` is a clock in nanoseconds, for who guesses ([`Host::speculates`]).
//! - `Lingering` is a part of each source's state. A target on which dropping a source would wait keeps it: `linger(source)`
//!   says that it does so; `look_after(core, state)` lets go of one that is done, and `end(core, state)` of one whose
//!   runtime ends. Both say whether it is one.
//! - `HOST` states properties of the host ([`Host`]). `if HOST.has_threads` costs nothing: it is a constant.
//! - `public` has a module for each public module to which the target adds items of its own.
//! - `threading` is `threads/` or `one_thread/`, which have the same items; each target includes one of them.
//! - `Unparker::unpark` makes a wait that has begun, or begins, return. It is called whenever a runtime has something to do.
//!   On one thread that blocks it does nothing; where the host's event loop drives, it schedules the next step.
//! - Waiting without anything armed and without a timeout happens only natively, and on WASI while
//!   something only the host can complete is awaited (a signal).

#[allow(unreachable_pub)] // What a target offers to users is public where it is re-exported.
#[cfg_attr(all(unix, not(wasio_shell)), path = "native/mod.rs")]
#[cfg_attr(all(target_os = "wasi", target_env = "p1", not(wasio_shell)), path = "wasip1/mod.rs")]
#[cfg_attr(all(target_os = "wasi", target_env = "p2", not(wasio_shell)), path = "wasip2/mod.rs")]
#[cfg_attr(
    any(
        wasio_shell,
        not(any(unix, all(target_os = "wasi", any(target_env = "p1", target_env = "p2"))))
    ),
    path = "shell/mod.rs"
)]
mod target;

pub use target::*;

/// What the code above must know of a host. Each target has one, the constant `HOST`.
pub(crate) struct Host {
    /// Whether there are threads: other threads can wake tasks, and blocking work has a place of its own.
    pub(crate) has_threads: bool,
    /// Whether a panic ends the program, so that no `JoinHandle` reports it.
    pub(crate) aborts_on_panic: bool,
    /// Whether polling I/O costs little beside the poll of a task.
    pub(crate) polls_cheaply: bool,
    /// Whether reading the clock costs little.
    pub(crate) reads_clock_cheaply: bool,
    /// Whether reads are attempted before the host is asked. It does not pay where asking costs little.
    pub(crate) speculates: bool,
    /// Whether an attempt sees what has arrived since the host was asked last.
    pub(crate) attempts_see: bool,
    /// Whether out-of-band data is reported.
    pub(crate) has_priority: bool,
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// As asked: with events, or after the time.
    Done,
    /// Early, with nothing to show for it.
    #[cfg_attr(not(target_env = "p1"), expect(dead_code, reason = "only preview 1 can do so"))]
    Barren,
}
