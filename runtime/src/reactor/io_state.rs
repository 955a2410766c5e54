//! The state of one source: its readiness, and the tasks that wait for it.

use std::mem::ManuallyDrop;
use std::task::{Context, Poll, Waker};

use super::source::Direction;
use crate::io::{Interest, Ready};
use crate::lock::{Mutex, MutexGuard};
use crate::slab::Slab;
use crate::sys::{HOST, Lingering};

/// Readiness that an operation may act on, with the tick at which it was observed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadyEvent {
    pub(crate) ready: Ready,
    tick: u32,
    /// Another waiter was given the same readiness, and no operation has been attempted since. The state may have
    /// changed at the host, such as by the end of the stream.
    pub(crate) stale: bool,
    /// The host did not report this readiness. An attempt is worthwhile because the source had data a moment ago.
    pub(crate) guess: bool,
}

impl ReadyEvent {
    /// The part of this readiness that is in `ready`, with the same condition for clearing it.
    pub(crate) fn only(self, ready: Ready) -> ReadyEvent {
        ReadyEvent { ready: self.ready & ready, ..self }
    }
}

/// What lets a task try its operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitMode {
    /// Readiness that the host has reported.
    Reported,
    /// Readiness that the host has reported, or a direction that has not been tried yet.
    TryFirst,
    /// Like `TryFirst`, for a read that is cheap when it finds nothing: the reactor may also wake it on a guess.
    Speculative,
}

/// Whether the source had data to read recently, in iterations of the speculation (`speculation.rs`).
#[derive(PartialEq, Eq)]
enum Activity {
    /// Not recently. The source is not in the list of recent ones.
    None,
    /// In the previous iteration.
    Previous,
    /// In the current iteration.
    Current,
}

struct Waiter {
    interest: Interest,
    /// Belongs to a future that borrows the source and removes the waiter when it is dropped. A forgotten future leaks
    /// its waker.
    // SIZE: `ManuallyDrop`, so that a guest has no code to drop one.
    waker: ManuallyDrop<Waker>,
}

struct State {
    ready: Ready,
    /// Directions that have not been tried yet. An attempt is worthwhile, but the direction is not known to be ready.
    untried: Ready,
    /// The readiness that waiters were given since the last attempt of an operation.
    reported: Ready,
    /// Counts events, so that clearing the readiness that was seen keeps readiness that was reported later.
    tick: u32,
    shutdown: bool,
    /// The reader may be woken to attempt a read on a guess: see [`IoState::guess`].
    reader_speculates: bool,
    /// The reader was woken on a guess and has not read since.
    guessed: bool,
    /// The last read took everything, according to the host. Further reads wait until the host reports more. Other
    /// waiters are told that the source is readable until one of them has tried, as in tokio.
    drained: bool,
    activity: Activity,
    /// The number of large reads since the last write. It saturates.
    bulk_reads: u8,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Allocated for the first waiter: most sources have only a reader and a writer.
    waiters: Option<Box<Slab<Waiter>>>,
}

pub(crate) struct IoState {
    /// The source's key.
    // SIZE: stored here and not in `Source`, so that every future that holds a socket is smaller.
    pub(crate) key: usize,
    /// The owner: the address of the runtime's reactor, which every source keeps.
    pub(super) owner: usize,
    state: Mutex<State>,
    pub(crate) lingering: Lingering,
}

/// The source's runtime has shut down.
pub(crate) struct ShutDown;

impl IoState {
    pub(crate) fn new(key: usize, owner: usize) -> IoState {
        let state = State {
            ready: Ready::EMPTY,
            untried: Ready::READABLE | Ready::WRITABLE,
            reported: Ready::EMPTY,
            tick: 0,
            shutdown: false,
            reader_speculates: false,
            guessed: false,
            drained: false,
            activity: Activity::None,
            bulk_reads: 0,
            reader: None,
            writer: None,
            waiters: None,
        };
        IoState { key, owner, state: Mutex::new(state), lingering: Lingering::new() }
    }

    /// Adds readiness that was not reported, before any task can wait for it.
    pub(crate) fn assume_ready(&self, ready: Ready) {
        self.state.lock().ready |= ready;
    }

    /// Makes operations in these directions wait for an event before the first attempt.
    pub(crate) fn forget_untried(&self, ready: Ready) {
        let mut state = self.state.lock();
        state.untried = state.untried.without(ready);
    }

    /// Adds readiness and wakes the tasks that wait for it. Returns the number of wakers woken.
    pub(crate) fn set_ready(&self, ready: Ready) -> usize {
        let mut state = self.state.lock();
        state.ready |= ready;
        state.tick = state.tick.wrapping_add(1);
        state.guessed = false;
        state.drained = false;
        let ready = state.ready;
        self.wake(state, ready)
    }

    /// Wakes the tasks that wait for any of `ready`, or every task if it contains an error.
    #[cfg_attr(small_code, inline(never))] // SIZE: called after a poll of the host.
    fn wake(&self, mut state: MutexGuard<'_, State>, ready: Ready) -> usize {
        let mut take = |is_ready: bool, waker: fn(&mut State) -> &mut Option<Waker>| {
            if is_ready || ready.is_error() { waker(&mut state).take() } else { None }
        };
        let reader = take(ready.is_readable(), |state| &mut state.reader);
        let writer = take(ready.is_writable(), |state| &mut state.writer);
        let waiters = state.waiters.as_ref().map_or(0, |waiters| waiters.end());
        // A waker may run any code.
        drop(state);
        let mut woken = wake(reader) + wake(writer);
        for key in 0..waiters {
            let state = self.state.lock();
            // The waiter stays until its future sees the readiness or is dropped.
            let waiter = state.waiters.as_ref().and_then(|waiters| waiters.get(key));
            let waiter = waiter.filter(|waiter| {
                !ready.intersection(waiter.interest).is_empty() || ready.is_error()
            });
            let waker = waiter.map(|waiter| Waker::clone(&waiter.waker));
            drop(state);
            woken += wake(waker);
        }
        woken
    }

    /// Wakes the reader to attempt a read although nothing was reported. Returns the number of wakers woken: one or
    /// none.
    pub(crate) fn guess(&self) -> usize {
        let mut state = self.state.lock();
        if !state.reader_speculates || state.reader.is_none() {
            return 0;
        }
        state.untried |= Ready::READABLE;
        state.guessed = true;
        state.drained = false;
        let reader = state.reader.take();
        drop(state);
        wake(reader)
    }

    /// Records that a read on a guess found data.
    pub(crate) fn record_hit(&self) {
        let mut state = self.state.lock();
        state.guessed = false;
        state.activity = Activity::Current;
    }

    /// Records a large read.
    pub(crate) fn record_bulk_read(&self) {
        let mut state = self.state.lock();
        state.bulk_reads = state.bulk_reads.saturating_add(1);
    }

    /// Returns the number of large reads since the last write.
    pub(crate) fn bulk_reads(&self) -> u8 {
        self.state.lock().bulk_reads
    }

    /// Records that a read took all the data, unless the host has reported more since.
    pub(crate) fn set_drained(&self, event: ReadyEvent) {
        let mut state = self.state.lock();
        state.untried = state.untried.without(Ready::READABLE);
        state.drained = state.tick == event.tick;
    }

    /// Records that the host reported data to read. Returns whether the source has to be added to the list of recent
    /// ones.
    pub(crate) fn mark_active(&self) -> bool {
        let mut state = self.state.lock();
        std::mem::replace(&mut state.activity, Activity::Current) == Activity::None
    }

    /// Ends an iteration of the speculation. Returns whether this source stays in the list of recent ones.
    pub(crate) fn end_iteration(&self) -> bool {
        let mut state = self.state.lock();
        let active = state.activity == Activity::Current;
        state.activity = if active { Activity::Previous } else { Activity::None };
        active
    }

    pub(crate) fn shutdown(&self) {
        let mut state = self.state.lock();
        state.shutdown = true;
        self.wake(state, Ready::ERROR);
    }

    /// Returns the readiness for an interest without waiting. A direction that has never been tried counts as ready.
    pub(crate) fn worth_trying(&self, interest: Interest) -> ReadyEvent {
        let mut state = self.state.lock();
        state.reported = Ready::EMPTY;
        let ready = (state.ready | state.untried).intersection(interest);
        ReadyEvent { ready, tick: state.tick, stale: false, guess: false }
    }

    /// Returns the readiness if an operation is worth trying. Otherwise stores the waker.
    pub(crate) fn poll_ready_event(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        want: WaitMode,
    ) -> Poll<Result<ReadyEvent, ShutDown>> {
        let mut state = self.state.lock();
        if state.shutdown {
            return Poll::Ready(Err(ShutDown));
        }
        if direction == Direction::Write {
            state.bulk_reads = 0;
        }
        let known = match want {
            WaitMode::Reported => state.ready,
            WaitMode::TryFirst | WaitMode::Speculative => state.ready | state.untried,
        };
        let known = match want {
            WaitMode::Speculative if state.drained => known.without(Ready::READABLE),
            _ => known,
        };
        let ready = known.intersection(direction.interest());
        if !ready.is_empty() {
            let guess = state.guessed && direction == Direction::Read;
            return Poll::Ready(Ok(ReadyEvent { ready, tick: state.tick, stale: false, guess }));
        }
        if direction == Direction::Read {
            state.reader_speculates = want == WaitMode::Speculative;
        }
        let slot = match direction {
            Direction::Read => &mut state.reader,
            Direction::Write => &mut state.writer,
        };
        match slot {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *slot = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Waits for any of an interest's readiness. `key` is the waiter's key in the list.
    pub(crate) fn poll_interest(
        &self,
        cx: &mut Context<'_>,
        interest: Interest,
        reported_only: bool,
        key: &mut Option<usize>,
    ) -> Poll<Result<ReadyEvent, ShutDown>> {
        if let Some(key) = key.take() {
            self.forget_waiter(key);
        }
        let mut state = self.state.lock();
        let known = if reported_only { state.ready } else { state.ready | state.untried };
        let ready = known.intersection(interest) | (known & Ready::ERROR);
        let result = if state.shutdown {
            Err(ShutDown)
        } else if !ready.is_empty() {
            let stale = reported_only && ready.without(state.reported).is_empty();
            if reported_only {
                state.reported |= ready;
            }
            Ok(ReadyEvent { ready, tick: state.tick, stale, guess: false })
        } else {
            let waiter = Waiter { interest, waker: ManuallyDrop::new(cx.waker().clone()) };
            *key = Some(state.waiters.get_or_insert_with(|| Box::new(Slab::new())).insert(waiter));
            return Poll::Pending;
        };
        Poll::Ready(result)
    }

    /// Removes the waiter of a future that is dropped.
    #[inline(never)]
    pub(crate) fn forget_waiter(&self, key: usize) {
        let waiter = self.state.lock().waiters.as_mut().and_then(|waiters| waiters.remove(key));
        // Wakers are dropped outside the lock.
        drop(waiter.map(|waiter| ManuallyDrop::into_inner(waiter.waker)));
    }

    /// Clears readiness after an operation would have blocked. Readiness that was reported since then stays.
    #[cfg_attr(small_code, inline(never))] // SIZE: called after a poll of the host.
    pub(crate) fn clear(&self, event: ReadyEvent, direction: Ready) {
        let mut state = self.state.lock();
        state.untried = state.untried.without(direction);
        if direction.is_readable() {
            state.guessed = false;
            state.drained = false;
        }
        if state.tick == event.tick {
            // A closed half stays closed.
            let open = Ready::READABLE | Ready::WRITABLE | Ready::ERROR;
            state.ready = state.ready.without(event.ready & open & direction_all(direction));
            if HOST.has_priority {
                state.ready = state.ready.without(event.ready & Ready::URGENT);
            }
        }
    }
}

/// A direction together with the error flag, which either direction may carry.
fn direction_all(direction: Ready) -> Ready {
    direction | Ready::ERROR
}

/// Wakes the waker, if there is one. Returns the number woken.
fn wake(waker: Option<Waker>) -> usize {
    match waker {
        Some(waker) => {
            waker.wake();
            1
        }
        None => 0,
    }
}
