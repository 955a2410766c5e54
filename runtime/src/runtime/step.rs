//! Driving a runtime one step at a time.
//!
//! A [`Driver`] runs tasks, fires timers and polls I/O, and returns how each step ended. It never waits: the caller
//! decides how to wait. Three loops are possible:
//!
//! - *Blocking*: when everything is stalled, the thread parks in the reactor (`drive.rs`, for `block_on`).
//! - *Returning*: the root is kept, and the thread returns to the host, which calls again after an event or when the
//!   time has come.
//! - *Ambient*: there is no root. An event loop of the host runs steps, as many as it likes at a time.
//!   `Unparker::unpark` makes it run the next.
//!
//! `sys/native/embedding.rs` tests the latter two.

use std::future::Future;
use std::ops::DerefMut;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Shared;
use super::root::{Root, Woken};
use crate::reactor::PollMode;
use crate::sys::HOST;
use crate::sys::threading::{self, background};

/// How a step ended.
pub(crate) enum Step<T> {
    /// The root is ready.
    Ready(T),
    /// There is more to do.
    More,
    /// Nothing can run before an event, or before this time has passed. `None`: no timer is armed.
    ///
    /// The runtime is parked until [`Driver::resume`].
    Stalled(Option<Duration>),
    /// Like `Stalled`, but no event has to be waited for: the reactor woke this many tasks, or a paused clock advanced.
    // SIZE: not resumed here, so that there is one call of `resume` in what blocks: 200 bytes.
    Unstalled(usize),
}

/// State that is kept between the steps that drive a runtime. The thread has entered the runtime and holds its driver
/// lock.
#[derive(Default)]
pub(crate) struct Driver {
    /// The number of polls since timers and I/O were checked.
    polls: usize,
    /// The number of tasks that the last poll of I/O woke and that have not been polled since.
    woken: usize,
}

impl Driver {
    /// Polls the root and ready tasks, about as many as the runtime's event interval, and checks timers and I/O when
    /// they are due. The context is made from the root's waker.
    pub(crate) fn step<P: DerefMut<Target: Future>>(
        &mut self,
        shared: &Shared,
        root: &mut Root<P>,
        cx: &mut Context<'_>,
    ) -> Step<<P::Target as Future>::Output> {
        if let Poll::Ready(output) = root.poll(cx) {
            return Step::Ready(output);
        }
        let interval = shared.config.event_interval;
        // The poll of the root counts as one.
        let mut max = interval.saturating_sub(self.polls + 1).max(1);
        // As in tokio when a task yields: every task that is ready now runs once, then I/O is polled.
        let rounds = HOST.polls_cheaply && shared.reactor.has_sources();
        if rounds || root.woken().get() {
            // A root that yielded is polled again after every task that is ready now.
            max = shared.scheduler.ready_count(max);
        }
        let mut ran = shared.scheduler.run_some(max);
        if !shared.blocking.is_idle() {
            ran += shared.blocking.run_some((max - ran).max(1));
        }
        let background_ran = background::run(shared, interval);
        ran += background_ran;
        self.polls += 1 + ran;
        // If only the root yielded, it most likely waits for I/O.
        let root_alone = ran == 0 && root.woken().get() && shared.reactor.has_sources();
        if self.polls >= interval
            || root_alone
            || (rounds && !root.woken().get() && !shared.scheduler.is_idle())
        {
            self.woken = self.woken.saturating_sub(self.polls);
            self.polls = 0;
            shared.fire();
            // Tasks that this poll of I/O wakes run after those that the last poll woke. Where polling is expensive,
            // the latter run first.
            if HOST.polls_cheaply || self.woken == 0 || root_alone {
                self.woken = shared.reactor.poll(PollMode::Throttled);
                threading::publish_signals();
            }
        } else if !root.woken().get() && background_ran == 0 {
            self.polls = 0;
            return stall(shared, root.woken());
        }
        Step::More
    }

    /// Continues after a stall. `woken` is the number of tasks that the reactor woke meanwhile.
    pub(crate) fn resume(&mut self, shared: &Shared, woken: usize) {
        self.woken = woken;
        shared.busy.start();
        shared.parks.fetch_add(1, Ordering::Relaxed);
        shared.fire();
        threading::publish_signals();
        if let Some(hooks) = &shared.config.hooks {
            hooks.unpark();
        }
    }
}

/// Parks the runtime. Returns the time until which nothing can run.
fn stall<T>(shared: &Shared, root: &Woken) -> Step<T> {
    if let Some(hooks) = &shared.config.hooks {
        hooks.park();
    }
    shared.parks.fetch_add(1, Ordering::Relaxed);
    shared.busy.stop();
    if shared.time.is_paused() && !shared.blocking.is_in_flight() {
        // A hook may have spawned a task.
        if !shared.is_nothing_ready(root) {
            return Step::Unstalled(0);
        }
        // The clock advances whenever everything waits, even if I/O is ready for a spawned task, but not if it is ready
        // for the root. That is tokio's behaviour. Tests rely on it that pause the clock while they talk to a server of
        // their own.
        let woken = shared.reactor.poll(PollMode::NonBlocking);
        if root.get() || shared.time.auto_advance() || !shared.is_nothing_ready(root) {
            return Step::Unstalled(woken);
        }
    }
    // A paused clock brings no deadline closer, so there is no timeout unless a timer is due.
    Step::Stalled(background::park_timeout(shared, shared.time.park_timeout()))
}

impl Shared {
    /// Fires the timers that are due.
    // SIZE: called in two places: 16 bytes.
    #[inline(never)]
    fn fire(&self) {
        self.time.fire();
        background::fire(self);
    }

    /// Returns whether the thread may wait, as far as the tasks and the root are concerned.
    // SIZE: asked in several places.
    #[inline(never)]
    pub(crate) fn is_nothing_ready(&self, root: &Woken) -> bool {
        background::is_idle(self) && self.is_idle() && !root.get()
    }

    /// Returns whether something happened since the runtime stalled. Called after other threads can see that this one
    /// is about to wait, so that no wake is missed.
    pub(crate) fn is_stale(&self, root: &Woken) -> bool {
        if HOST.has_threads {
            // Another thread armed an earlier timer, ended the last blocking closure, or received a signal.
            let is_overtaken = self.time.is_overtaken()
                || (self.time.could_advance() && !self.blocking.is_in_flight())
                || threading::are_signals_pending();
            if is_overtaken {
                return true;
            }
        }
        !self.is_nothing_ready(root)
    }
}
