//! The state of one source: its readiness, and the tasks that wait for it.

use std::mem::ManuallyDrop;
use std::task::{Context, Poll, Waker};

use super::source::Direction;
use crate::io::{Interest, Ready};
use crate::lock::{Mutex, MutexGuard};
use crate::places::Places;
use crate::sys::{HOST, Lingering};

/// Readiness that an operation may act on, and what must be true to clear it again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) ready: Ready,
    tick: u32,
    /// Somebody was told the same before and has tried nothing since: more may have come that only the host
    /// knows, such as the end of the stream.
    pub(crate) stale: bool,
    /// It was not reported. An attempt is worthwhile because there was something a moment ago.
    pub(crate) guess: bool,
}

impl Seen {
    /// Some of it, with the same condition.
    pub(crate) fn only(self, ready: Ready) -> Seen {
        Seen { ready: self.ready & ready, ..self }
    }
}

/// What a task waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// The host's word.
    Proof,
    /// Something worth trying.
    Attempt,
    /// As much, in a read that costs little when there is nothing: worth trying on a guess, too.
    Read,
}

/// Whether there was something to read lately.
#[derive(PartialEq, Eq)]
enum Activity {
    /// Not lately, and not listed.
    None,
    /// In the turn before.
    Before,
    /// In this turn.
    Now,
}

struct Waiter {
    interest: Interest,
    /// Of a future that borrows the source and drops this. Who forgets the future has forgotten it, too: then the
    /// state has nothing to drop, nor a guest the code for it.
    waker: ManuallyDrop<Waker>,
}

struct State {
    ready: Ready,
    /// Directions that were not tried yet: worth an attempt, but not known to be ready.
    untried: Ready,
    /// What waiters were told since an operation was tried last.
    told: Ready,
    /// Counts events, so that clearing what was seen does not clear what came since.
    tick: u32,
    shutdown: bool,
    /// The reader only wants to try: see [`IoState::guess`].
    reader_tries: bool,
    /// It was woken to do so, and has not yet.
    guessed: bool,
    /// The last read took all there was, as the host says. Reads do not try again before it reports more; others are
    /// told that the source is readable until one has tried, as in tokio.
    drained: bool,
    activity: Activity,
    /// Reads of much since something was written last, as far as they matter.
    streamed: u8,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Once there was one: most sources have a reader and a writer, and that is all.
    waiters: Option<Box<Places<Waiter>>>,
}

pub(crate) struct IoState {
    /// The source's number. Here, so that every future with a socket in it is smaller.
    pub(crate) key: usize,
    /// The owner: the address of the runtime's reactor, which every source keeps.
    pub(super) owner: usize,
    state: Mutex<State>,
    pub(crate) lingering: Lingering,
}

/// The runtime of the source is gone.
pub(crate) struct Gone;

impl IoState {
    pub(crate) fn new(key: usize, owner: usize) -> IoState {
        let state = State {
            ready: Ready::EMPTY,
            untried: Ready::READABLE | Ready::WRITABLE,
            told: Ready::EMPTY,
            tick: 0,
            shutdown: false,
            reader_tries: false,
            guessed: false,
            drained: false,
            activity: Activity::None,
            streamed: 0,
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

    /// In these directions only what the host reports is worth an attempt.
    pub(crate) fn forget_untried(&self, ready: Ready) {
        let mut state = self.state.lock();
        state.untried = state.untried.without(ready);
    }

    /// Adds readiness and wakes the tasks that waited for it. Returns how many.
    pub(crate) fn set_ready(&self, ready: Ready) -> usize {
        let mut state = self.state.lock();
        state.ready |= ready;
        state.tick = state.tick.wrapping_add(1);
        state.guessed = false;
        state.drained = false;
        let ready = state.ready;
        self.wake(state, ready)
    }

    /// Wakes the tasks that wait for any of this, or all of them if it contains an error.
    #[cfg_attr(small_code, inline(never))] // SIZE: called after the host was asked.
    fn wake(&self, mut state: MutexGuard<'_, State>, ready: Ready) -> usize {
        let mut take = |is_ready: bool, waker: fn(&mut State) -> &mut Option<Waker>| {
            if is_ready || ready.is_error() { waker(&mut state).take() } else { None }
        };
        let reader = take(ready.is_readable(), |state| &mut state.reader);
        let writer = take(ready.is_writable(), |state| &mut state.writer);
        let waiters = state.waiters.as_ref().map_or(0, |waiters| waiters.end());
        // A waker may run anything.
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

    /// Wakes the reader to try, though nothing was reported. Returns how many that are: one, or none.
    pub(crate) fn guess(&self) -> usize {
        let mut state = self.state.lock();
        if !state.reader_tries || state.reader.is_none() {
            return 0;
        }
        state.untried |= Ready::READABLE;
        state.guessed = true;
        state.drained = false;
        let reader = state.reader.take();
        drop(state);
        wake(reader)
    }

    /// A guess was right.
    pub(crate) fn guessed_right(&self) {
        let mut state = self.state.lock();
        state.guessed = false;
        state.activity = Activity::Now;
    }

    /// A read brought much.
    pub(crate) fn streams(&self) {
        let mut state = self.state.lock();
        state.streamed = state.streamed.saturating_add(1);
    }

    /// How many reads have brought much since something was written last.
    pub(crate) fn streamed(&self) -> u8 {
        self.state.lock().streamed
    }

    /// A read took all there was, unless more came since.
    pub(crate) fn set_drained(&self, seen: Seen) {
        let mut state = self.state.lock();
        state.untried = state.untried.without(Ready::READABLE);
        state.drained = state.tick == seen.tick;
    }

    /// The host reported something to read. Returns whether the source is to be listed as active.
    pub(crate) fn begin_activity(&self) -> bool {
        let mut state = self.state.lock();
        std::mem::replace(&mut state.activity, Activity::Now) == Activity::None
    }

    /// A turn of the listed sources is over. Returns whether this one stays listed.
    pub(crate) fn goes_on(&self) -> bool {
        let mut state = self.state.lock();
        let active = state.activity == Activity::Now;
        state.activity = if active { Activity::Before } else { Activity::None };
        active
    }

    pub(crate) fn shutdown(&self) {
        let mut state = self.state.lock();
        state.shutdown = true;
        self.wake(state, Ready::ERROR);
    }

    /// The readiness for an interest, without waiting; a direction that was never tried counts as ready.
    pub(crate) fn worth_trying(&self, interest: Interest) -> Seen {
        let mut state = self.state.lock();
        state.told = Ready::EMPTY;
        let ready = (state.ready | state.untried).intersection(interest);
        Seen { ready, tick: state.tick, stale: false, guess: false }
    }

    /// Whether an operation is worth trying; if not, the waker is kept for when it is.
    ///
    pub(crate) fn poll_seen(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        want: Want,
    ) -> Poll<Result<Seen, Gone>> {
        let mut state = self.state.lock();
        if state.shutdown {
            return Poll::Ready(Err(Gone));
        }
        if direction == Direction::Write {
            state.streamed = 0;
        }
        let known = match want {
            Want::Proof => state.ready,
            Want::Attempt | Want::Read => state.ready | state.untried,
        };
        let known = match want {
            Want::Read if state.drained => known.without(Ready::READABLE),
            _ => known,
        };
        let ready = known.intersection(direction.interest());
        if !ready.is_empty() {
            let guess = state.guessed && direction == Direction::Read;
            return Poll::Ready(Ok(Seen { ready, tick: state.tick, stale: false, guess }));
        }
        if direction == Direction::Read {
            state.reader_tries = want == Want::Read;
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

    /// Waits for any of an interest's readiness; `key` remembers the place in the list of waiters.
    pub(crate) fn poll_interest(
        &self,
        cx: &mut Context<'_>,
        interest: Interest,
        proven: bool,
        key: &mut Option<usize>,
    ) -> Poll<Result<Seen, Gone>> {
        if let Some(key) = key.take() {
            self.forget_waiter(key);
        }
        let mut state = self.state.lock();
        let known = if proven { state.ready } else { state.ready | state.untried };
        let ready = known.intersection(interest) | (known & Ready::ERROR);
        let result = if state.shutdown {
            Err(Gone)
        } else if !ready.is_empty() {
            let stale = proven && ready.without(state.told).is_empty();
            if proven {
                state.told |= ready;
            }
            Ok(Seen { ready, tick: state.tick, stale, guess: false })
        } else {
            let waiter = Waiter { interest, waker: ManuallyDrop::new(cx.waker().clone()) };
            *key =
                Some(state.waiters.get_or_insert_with(|| Box::new(Places::new())).insert(waiter));
            return Poll::Pending;
        };
        Poll::Ready(result)
    }

    /// A future that waited is dropped.
    #[inline(never)]
    pub(crate) fn forget_waiter(&self, key: usize) {
        let waiter = self.state.lock().waiters.as_mut().and_then(|waiters| waiters.remove(key));
        // Wakers go outside of the lock.
        drop(waiter.map(|waiter| ManuallyDrop::into_inner(waiter.waker)));
    }

    /// An operation would have blocked: what was seen is not true any more, unless more came since.
    #[cfg_attr(small_code, inline(never))] // SIZE: called after the host was asked.
    pub(crate) fn clear(&self, seen: Seen, direction: Ready) {
        let mut state = self.state.lock();
        state.untried = state.untried.without(direction);
        if direction.is_readable() {
            state.guessed = false;
            state.drained = false;
        }
        if state.tick == seen.tick {
            // A closed half stays closed.
            let open = Ready::READABLE | Ready::WRITABLE | Ready::ERROR;
            state.ready = state.ready.without(seen.ready & open & direction_all(direction));
            if HOST.has_priority {
                state.ready = state.ready.without(seen.ready & Ready::URGENT);
            }
        }
    }
}

/// A direction and the error that comes with either.
fn direction_all(direction: Ready) -> Ready {
    direction | Ready::ERROR
}

/// Wakes; returns how many that are.
fn wake(waker: Option<Waker>) -> usize {
    match waker {
        Some(waker) => {
            waker.wake();
            1
        }
        None => 0,
    }
}
