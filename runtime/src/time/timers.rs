//! The timers of one runtime, and the clock that they follow.
//!
//! Nothing here waits. The executor asks how long it may wait, and fires the timers that are due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant as StdInstant};

use super::clock::Clock;
use super::lazy_timers::TimerOps;
use super::queue::{Key, Queue};
use super::ticks::Ticks;
use super::{FAR_FUTURE, Instant};
use crate::lock::{Mutex, MutexGuard};
use crate::reactor::Unparker;
use crate::task::waker;

/// The maximum number of wakers taken out of the queue before the lock is released and they are woken.
const BATCH: usize = 256;

/// See the module's documentation.
pub(crate) struct Timers {
    ticks: Ticks,
    state: Mutex<State>,
    /// The runtime was shut down, and no timer is armed any more. Set with the state's lock held.
    closed: AtomicBool,
    /// Ends the wait of the thread that fires the timers.
    unparker: Unparker,
}

struct State {
    clock: Clock,
    queue: Queue,
    /// The last tick that was processed. Every timer up to it has fired.
    elapsed: u64,
    /// The time of that tick, so that deadlines can be compared with it directly.
    elapsed_at: StdInstant,
    /// The tick at which `park_timeout` found a due timer, for the `fire` that follows.
    due_at: Option<u64>,
    /// The tick until which the executor's thread waits, as far as timers are concerned. Zero while it runs. A timer
    /// with an earlier deadline has to unpark the thread.
    parked_until: u64,
    /// Kept between calls of `fire` for its capacity.
    batch: Vec<Waker>,
}

impl TimerOps for Arc<Timers> {
    fn timers(&self) -> &Arc<Timers> {
        self
    }

    fn is_paused(&self) -> bool {
        self.lock().clock.is_paused()
    }

    fn park_timeout(&self) -> Option<Duration> {
        let mut state = self.lock();
        state.parked_until = u64::MAX;
        let next = state.queue.next()?;
        let now = state.clock.now();
        let now_tick = self.ticks.floor(now);
        if next <= now_tick {
            state.parked_until = now_tick;
            state.due_at = Some(now_tick);
            return Some(Duration::ZERO);
        }
        if state.clock.is_paused() {
            return None;
        }
        state.parked_until = next;
        Some(self.ticks.until(next, now).min(FAR_FUTURE))
    }

    fn fire(&self) -> usize {
        let mut state = self.lock();
        state.parked_until = 0;
        let due_at = state.due_at.take();
        if state.queue.is_empty() {
            return 0;
        }
        let now = match due_at {
            Some(tick) => tick,
            None => self.ticks.floor(state.clock.now()),
        };
        self.note_elapsed(&mut state, now);
        self.wake_until(state, now)
    }

    fn auto_advance(&self) -> bool {
        let mut state = self.lock();
        if !state.clock.is_paused() {
            return false;
        }
        let Some(next) = state.queue.next() else { return false };
        let ticks = next.saturating_sub(self.ticks.floor(state.clock.now()));
        // In whole milliseconds, as under tokio: the part of a millisecond that `advance` added stays.
        if ticks > 0 && state.clock.advance(Duration::from_millis(ticks)).is_err() {
            return false;
        }
        true
    }

    fn shutdown(&self) {
        let state = self.lock();
        self.closed.store(true, Ordering::Release);
        self.wake_until(state, u64::MAX);
    }
}

impl Timers {
    pub(super) fn new(closed: bool, paused: bool, unparker: Unparker) -> Timers {
        let mut clock = Clock::new(StdInstant::now());
        if paused {
            clock.pause().expect("a new clock runs");
        }
        // A paused clock shows tick zero exactly.
        let start = clock.now();
        let ticks = Ticks::new(start);
        let state = State {
            clock,
            queue: Queue::new(ticks),
            elapsed: 0,
            elapsed_at: start,
            due_at: None,
            parked_until: 0,
            batch: Vec::new(),
        };
        Timers { ticks, state: Mutex::new(state), closed: AtomicBool::new(closed), unparker }
    }

    /// Fires timers up to `now`. The wakers run without the lock, because they may drop timers or create new ones.
    fn wake_until<'a>(&'a self, mut state: MutexGuard<'a, State>, now: u64) -> usize {
        let mut fired = 0;
        let mut batch = std::mem::take(&mut state.batch);
        loop {
            while batch.len() < BATCH {
                let Some(waker) = state.queue.pop_due(now) else { break };
                fired += 1;
                batch.extend(waker);
            }
            if batch.is_empty() {
                state.batch = batch;
                return fired;
            }
            drop(state);
            batch.drain(..).for_each(waker::wake);
            state = self.lock();
        }
    }

    /// Returns whether another thread armed an earlier timer since `park_timeout`.
    pub(super) fn is_overtaken(&self) -> bool {
        self.lock().parked_until == 0
    }

    /// Returns whether the clock is paused and a timer is armed.
    pub(super) fn could_advance(&self) -> bool {
        let state = self.lock();
        state.clock.is_paused() && !state.queue.is_empty()
    }

    // ----- the clock, for `time::clock`

    pub(super) fn now(&self) -> StdInstant {
        self.lock().clock.now()
    }

    pub(super) fn pause(&self) -> Result<(), &'static str> {
        self.lock().clock.pause()
    }

    pub(super) fn resume(&self) -> Result<(), &'static str> {
        self.lock().clock.resume()
    }

    pub(super) fn advance(&self, duration: Duration) -> Result<(), &'static str> {
        self.lock().clock.advance(duration)
    }

    // ----- the timers, for `time::timer`

    /// Returns whether the runtime was shut down.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Arms a timer. Returns `None` if it has elapsed already.
    pub(super) fn arm(&self, deadline: Instant, waker: Option<&Waker>) -> Option<Key> {
        let deadline = deadline.into_std();
        // Cloned outside the lock, and dropped there if it is not needed: both run foreign code.
        let waker = waker.map(waker::clone);
        let mut state = self.lock();
        if self.has_elapsed(&mut state, deadline) {
            return None;
        }
        let key = state.queue.insert(deadline, waker);
        self.unpark_for(state, deadline);
        Some(key)
    }

    /// Moves a timer to another time. Wakes its task if that time has passed already.
    pub(super) fn rearm(&self, key: Key, deadline: Instant) {
        let deadline = deadline.into_std();
        let mut state = self.lock();
        if self.has_elapsed(&mut state, deadline) {
            let waker = state.queue.elapse(key);
            drop(state);
            waker::wake_any(waker);
            return;
        }
        state.queue.reset(key, deadline);
        self.unpark_for(state, deadline);
    }

    /// Returns whether a timer fired. If not, `waker` is woken when it does.
    pub(super) fn poll(&self, key: Key, waker: &Waker) -> Poll<()> {
        let mut state = self.lock();
        if !state.queue.is_armed(key) {
            return Poll::Ready(());
        }
        if matches!(state.queue.waker(key), Some(old) if old.will_wake(waker)) {
            return Poll::Pending;
        }
        drop(state);
        let waker = waker::clone(waker);
        let mut state = self.lock();
        // The timer may have fired on another thread in between.
        if !state.queue.is_armed(key) {
            return Poll::Ready(());
        }
        let old = state.queue.waker(key).replace(waker);
        drop(state);
        drop(old);
        Poll::Pending
    }

    pub(super) fn has_fired(&self, key: Key) -> bool {
        !self.lock().queue.is_armed(key)
    }

    /// Removes a timer, whether or not it has fired.
    pub(super) fn cancel(&self, key: Key) {
        let waker = self.lock().queue.remove(key);
        // Dropped outside the lock: it may hold the last reference to something that owns timers.
        drop(waker);
    }

    /// Returns whether a deadline has passed, as far as that is known without reading the host's clock.
    #[inline]
    fn has_elapsed(&self, state: &mut State, deadline: StdInstant) -> bool {
        if state.clock.is_paused() {
            self.note_elapsed(state, self.ticks.floor(state.clock.now()));
        }
        deadline <= state.elapsed_at || self.is_closed()
    }

    #[inline(never)]
    fn note_elapsed(&self, state: &mut State, tick: u64) {
        if tick > state.elapsed {
            state.elapsed = tick;
            state.elapsed_at = self.ticks.time(tick);
        }
    }

    /// Makes the executor's thread wait no longer than until `deadline`.
    #[inline]
    fn unpark_for(&self, mut state: MutexGuard<'_, State>, deadline: StdInstant) {
        if state.parked_until != 0 && self.ticks.ceil(deadline) < state.parked_until {
            state.parked_until = 0;
            drop(state);
            self.unparker.unpark();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // With the lock held, only a failed allocation or a clock at its end can panic.
        self.state.lock()
    }
}
