//! The timers of one runtime and the clock they follow.
//!
//! Time is counted in whole milliseconds since the timers were made, "ticks": a deadline is rounded up to
//! the next one, the current time down to the last, so no timer fires early and timers of one millisecond
//! fire together. Nothing here waits: the executor asks how long it may, and tells when to look again.

use std::task::{Poll, Waker};
use std::time::{Duration, Instant as StdInstant};

use super::clock::Clock;
use super::driver::Drive;
use super::queue::{Key, Queue};
use super::{FAR_FUTURE, Instant};
use crate::lock::{Mutex, MutexGuard};
use crate::runtime::Handle;

/// Wakers taken out of the queue before the lock is given back and they are woken.
const BATCH: usize = 256;

/// See the module's documentation.
pub(super) struct Timers {
    /// Tick zero.
    start: StdInstant,
    state: Mutex<State>,
}

struct State {
    clock: Clock,
    queue: Queue,
    /// The last tick that was looked at: everything up to it has fired.
    elapsed: u64,
    /// The tick at which `park_timeout` found a timer due, for the `fire` that follows.
    due_at: Option<u64>,
    /// Until which tick the executor's thread waits, as far as the timers are concerned; zero while it runs.
    /// A timer with an earlier deadline has to unpark it.
    parked_until: u64,
    /// The runtime was shut down: nothing is armed any more.
    closed: bool,
    /// Kept between calls of `fire` for its capacity.
    batch: Vec<Waker>,
}

impl Drive for Timers {
    fn timers(&self) -> &Timers {
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
        let now_tick = self.floor_tick(now);
        if next <= now_tick {
            state.parked_until = now_tick;
            state.due_at = Some(now_tick);
            return Some(Duration::ZERO);
        }
        if state.clock.is_paused() {
            return None;
        }
        state.parked_until = next;
        let remaining =
            Duration::from_millis(next).saturating_sub(now.saturating_duration_since(self.start));
        Some(remaining.min(FAR_FUTURE))
    }

    #[cfg(unix)]
    fn is_overtaken(&self) -> bool {
        self.lock().parked_until == 0
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
            None => self.floor_tick(state.clock.now()),
        };
        state.elapsed = state.elapsed.max(now);
        self.wake_until(state, now)
    }

    fn auto_advance(&self) -> bool {
        let mut state = self.lock();
        if !state.clock.is_paused() {
            return false;
        }
        let Some(next) = state.queue.next() else { return false };
        let ticks = next.saturating_sub(self.floor_tick(state.clock.now()));
        // Whole milliseconds, as under tokio: the part of one that `advance` added stays.
        if ticks > 0 && state.clock.advance(Duration::from_millis(ticks)).is_err() {
            return false;
        }
        true
    }

    fn shutdown(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.wake_until(state, u64::MAX);
    }
}

impl Timers {
    pub(super) fn new(closed: bool, paused: bool) -> Timers {
        let mut clock = Clock::new(StdInstant::now());
        if paused {
            clock.pause().expect("a new clock runs");
        }
        // A clock that is stopped shows tick zero exactly.
        let start = clock.now();
        let state = State {
            clock,
            queue: Queue::default(),
            elapsed: 0,
            due_at: None,
            parked_until: 0,
            closed,
            batch: Vec::new(),
        };
        Timers { start, state: Mutex::new(state) }
    }

    /// Fires timers up to `now`. The wakers run without the lock: they may drop timers or make new ones.
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
            for waker in batch.drain(..) {
                waker.wake();
            }
            state = self.lock();
        }
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

    /// Arms a timer; `None` if it has elapsed already.
    pub(super) fn arm(
        &self,
        handle: &Handle,
        deadline: Instant,
        waker: Option<&Waker>,
    ) -> Option<Key> {
        // Cloned and, should it not be needed, dropped without the lock: both run foreign code.
        let waker = waker.cloned();
        let tick = self.ceil_tick(deadline);
        let mut state = self.lock();
        if self.has_elapsed(&mut state, tick) {
            return None;
        }
        let key = state.queue.insert(tick, waker);
        self.unpark_for(handle, state, tick);
        Some(key)
    }

    /// Moves a timer to another time; wakes its task if that has passed already.
    pub(super) fn rearm(&self, handle: &Handle, key: Key, deadline: Instant) {
        let tick = self.ceil_tick(deadline);
        let mut state = self.lock();
        if self.has_elapsed(&mut state, tick) {
            let waker = state.queue.elapse(key);
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
            return;
        }
        state.queue.reset(key, tick);
        self.unpark_for(handle, state, tick);
    }

    /// Whether a timer fired; if not, `waker` is woken when it does.
    pub(super) fn poll(&self, key: Key, waker: &Waker) -> Poll<()> {
        let mut state = self.lock();
        if !state.queue.is_armed(key) {
            return Poll::Ready(());
        }
        if matches!(state.queue.waker(key), Some(old) if old.will_wake(waker)) {
            return Poll::Pending;
        }
        drop(state);
        let waker = waker.clone();
        let mut state = self.lock();
        // It may have fired on another thread in between.
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

    /// Forgets a timer, fired or not.
    pub(super) fn cancel(&self, key: Key) {
        let waker = self.lock().queue.remove(key);
        // Dropped without the lock: it may hold the last reference to something that owns timers.
        drop(waker);
    }

    /// Whether a deadline has passed, as far as that is known without asking the host for the time.
    fn has_elapsed(&self, state: &mut State, tick: u64) -> bool {
        if state.clock.is_paused() {
            state.elapsed = state.elapsed.max(self.floor_tick(state.clock.now()));
        }
        tick <= state.elapsed || state.closed
    }

    /// Makes the executor's thread wait no longer than until `tick`.
    fn unpark_for(&self, handle: &Handle, mut state: MutexGuard<'_, State>, tick: u64) {
        if tick < state.parked_until {
            state.parked_until = 0;
            drop(state);
            handle.unpark();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held but a failed allocation or a clock at its end.
        self.state.lock()
    }

    fn floor_tick(&self, now: StdInstant) -> u64 {
        millis(now.saturating_duration_since(self.start)).0
    }

    fn ceil_tick(&self, deadline: Instant) -> u64 {
        let (millis, rest) = millis(deadline.into_std().saturating_duration_since(self.start));
        millis + u64::from(rest)
    }
}

/// The whole milliseconds of a duration, and whether something is left over.
fn millis(duration: Duration) -> (u64, bool) {
    // Limited, not saturating: to see that a product overflowed, wasm needs a 128-bit multiplication. The
    // limit is half a million years.
    let seconds = duration.as_secs().min(u64::MAX >> 20);
    let nanos = duration.subsec_nanos();
    let millis = nanos / 1_000_000;
    (seconds * 1000 + u64::from(millis), nanos != millis * 1_000_000)
}
