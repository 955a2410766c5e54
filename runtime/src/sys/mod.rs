//! The targets. Each has a folder with the same items, and this module alone maps targets to folders.
//!
//! `shell/` is the template, and the backend of every target that has none of its own. `threads/` and `one_thread/`
//! have the same items; each target includes one of them as `threading`. `wasi/` and the files beside the folders are
//! included by several targets. `docs/contributing/adding-a-target.md` lists the files to write.
//!
//! # The reactor
//!
//! A backend is two types and a function that makes them. All threads share the **selector**; the thread that parks has
//! the **poller**.
//!
//! - `Raw` names a source: a descriptor, or on WASI 0.2 an object that has pollables.
//! - `Selector::register(raw, key, interest)` and `deregister(raw, key)` bracket the life of a source. The key is the
//!   reactor's, small and reused; it comes back in events.
//! - `Selector::arm(raw, key, interest)` asks for one event for each direction of `interest` in which the source is or
//!   becomes ready. A backend whose host reports edges on its own (mio) does nothing here. A direction stays armed
//!   until its event was reported, however often it is armed.
//! - `Selector::disarm(key)` disarms both directions and returns those that were armed. A backend whose host reports
//!   edges has none.
//! - `Selector::is_armed()` says whether a wait without a timeout can end.
//! - `Poller::poll(selector, mode, unexplained, events)` waits as `mode` says and appends the events. An error of
//!   one source is an event of that source (`Ready::ERROR` with its direction), never an error of the poll. Spurious
//!   events are allowed, because the operation is attempted again. It returns `Outcome::Unexplained` when the host
//!   ended the wait before the timeout and named no source.
//! - `Unparker::unpark` ends the current wait, or the next one. It is called whenever a runtime has something to do. On
//!   a target with one thread that blocks it does nothing; where the host's event loop drives the runtime, it schedules
//!   the next step.
//! - `now()` is a clock in nanoseconds, used by attempts before the host is polled ([`Host::speculates`]).
//! - `Lingering` is a part of each source's state. A target on which dropping a source would wait keeps the source
//!   instead. `linger(source)` returns whether it does so. `drop_if_done(core, state)` drops a lingering source that is
//!   done, and `end_lingering(core, state)` drops one whose runtime ends. Both return whether the source lingers.
//! - A wait with nothing armed and without a timeout happens only with threads, and on WASI while a task waits for
//!   something that only the host can complete (a signal).
//!
//! # A host that completes operations
//!
//! The reactor knows readiness only: an operation is attempted, and an event says that another attempt is worthwhile. A
//! host without readiness completes operations that the guest began. It fits as follows:
//!
//! - The attempt that finds nothing *begins* the operation, and returns `WouldBlock`. It reads into a buffer that the
//!   backend owns, or writes a copy that the backend owns, because the caller's buffer is borrowed for the attempt
//!   only. The backend of the source keeps the buffer and the operation until the host is done with them.
//! - The event is the completion. `poll` reports it as `READABLE` or `WRITABLE`, or with `ERROR`; the attempt that
//!   follows takes the result, or the error, out of the source. Bytes that do not fit into the caller's buffer stay for
//!   the next one.
//! - At most one operation is under way in each direction. Arming a direction with an operation under way begins
//!   nothing. Arming another for reading begins the operation that the source is for: a read of a stream, a receive of
//!   a datagram socket, an accept of a listener. Arming for writing begins nothing: it is ready when `send` has room
//!   for a copy.
//! - A task that stops waiting cancels nothing: the result stays for the next attempt, as bytes in a kernel's buffer
//!   would. `disarm` cancels what can be cancelled without losing received data, and keeps everything else.
//!   `deregister` cancels everything. If the host has no other way, it waits until the host releases the buffer.
//! - In `HOST`, `attempts_see_arrivals` is false, and so is `speculates`, unless beginning and cancelling an operation
//!   costs little.
//! - `Lingering` keeps a source whose last write is still under way when it is dropped.
//!
//! `net/src/sys/wasip2/ahead.rs` is the precedent for the buffer: it keeps bytes that the host delivered, and serves
//! later reads from them. A backend with readiness pays nothing for this, because all of it is in the operations of the
//! source and in its `Raw`.
//!
//! # Everything else
//!
//! - `HOST` states properties of the host ([`Host`]). It is a constant: the compiler removes branches on it.
//! - `public` has a module for each public module to which the target adds items of its own.
//! - `stdin::Input` and `stdout::Raw` are the standard streams, and `ctrl_c()` waits for a signal. `Raw::write` and
//!   `flush` begin an operation without waiting, and `poll_ready` waits until the next one may begin.
//! - `set_mode` and `set_created` apply options of files that only some targets have.

#[allow(unreachable_pub)] // A target's items for users are public where they are re-exported.
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

/// Properties of a host that the code above depends on. Each target has one, the constant `HOST`.
pub(crate) struct Host {
    /// Whether there are threads. If so, other threads can wake tasks, and blocking work runs on threads of its own.
    pub(crate) has_threads: bool,
    /// Whether a panic ends the program, so that no `JoinHandle` reports it.
    pub(crate) aborts_on_panic: bool,
    /// Whether polling I/O is cheap compared with the poll of a task.
    pub(crate) polls_cheaply: bool,
    /// Whether reading the clock is cheap.
    pub(crate) reads_clock_cheaply: bool,
    /// Whether reads are attempted before the host is polled. This does not pay where polling is cheap.
    pub(crate) speculates: bool,
    /// Whether an attempt sees data that has arrived since the host was last polled.
    pub(crate) attempts_see_arrivals: bool,
    /// Whether out-of-band data is reported.
    pub(crate) has_priority: bool,
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// As requested: with events, or after the timeout.
    Done,
    /// Early, and without an event.
    #[allow(dead_code)] // Most hosts never do so.
    Unexplained,
}
