//! Driving a runtime: run tasks, fire timers, look at the reactor, park.
//!
//! `block_on` polls its own future (the root) whenever it was woken, and drives the runtime in between. On
//! WASI there is one thread, so whoever blocks drives, also from inside a blocking task, and also other runtimes
//! (`peers.rs`). Natively the
//! `multi_thread` flavour is driven by its worker thread, and of several threads that block on a
//! `current_thread` runtime one drives (`turn.rs`).

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[cfg(not(unix))]
use super::peers;
use super::{Handle, Shared};
use crate::context;
use crate::reactor::Parked;
use crate::task::coop;
use crate::task::current::{self, Entered};

/// Wakes the root future.
struct Root {
    woken: AtomicBool,
    #[cfg(unix)]
    runtime: Option<std::sync::Weak<Shared>>,
    #[cfg(unix)]
    thread: std::thread::Thread,
}

impl Wake for Root {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let _was_woken = self.woken.swap(true, Ordering::SeqCst);
        #[cfg(unix)]
        if !_was_woken {
            // The thread that blocks is parked in the reactor if it drives, else on itself.
            if let Some(shared) = self.runtime.as_ref().and_then(|w| w.upgrade()) {
                shared.reactor.unparker().unpark();
            }
            self.thread.unpark();
        }
    }
}

impl Root {
    fn new(runtime: Option<&Handle>) -> Arc<Root> {
        #[cfg(not(unix))]
        let _ = runtime;
        Arc::new(Root {
            woken: AtomicBool::new(true),
            #[cfg(unix)]
            runtime: runtime.map(|handle| Arc::downgrade(&handle.shared)),
            #[cfg(unix)]
            thread: std::thread::current(),
        })
    }

    fn is_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }

    /// Polls the root future if it was woken.
    fn poll<F: Future>(&self, future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if !self.woken.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        coop::with_budget(|| future.poll(cx))
    }
}

/// tokio's words, which its own tests expect.
const NESTED: &str = "Cannot start a runtime from within a runtime. This happens because a function (like `block_on`) \
     attempted to block the current thread while the thread is being used to drive asynchronous tasks. If you are in an \
     async function, use `.await` on the future instead of blocking on it.";

/// Runs `future` to its end with the runtime entered; `by` says through what.
#[track_caller]
pub(crate) fn block_on<F: Future>(handle: &Handle, future: F, by: Entered) -> F::Output {
    assert!(current::entered() == Entered::No, "{NESTED}");
    let _runtime = context::enter(handle.clone());
    let _entered = current::set_entered(by);
    let _task = current::set_no_task();
    #[cfg(unix)]
    if (handle.is_multi_thread() && !handle.shared.turn.is_mine()) || handle.is_local_elsewhere() {
        return park_on(future);
    }
    drive_until(handle, future)
}

/// Runs `future` to its end from code that is not async, for the `blocking_*` functions.
///
/// Inside a blocking section of a runtime that is this thread's to drive it drives; elsewhere it parks the
/// thread.
///
/// # Panics
///
/// Panics in an async context.
#[track_caller]
pub(crate) fn block_on_sync<F: Future>(future: F) -> F::Output {
    assert!(
        current::entered() == Entered::No,
        "Cannot block the current thread from within a runtime. This happens because a function attempted \
         to block the current thread while the thread is being used to drive asynchronous tasks."
    );
    match context::handle() {
        #[cfg(unix)]
        Some(handle) if !handle.shared.turn.is_mine() => park_on(future),
        Some(handle) => {
            let _entered = current::set_entered(Entered::BlockOn);
            let _task = current::set_no_task();
            drive_until(&handle, future)
        }
        None => park_on(future),
    }
}

/// Drives the runtime until `future` is ready.
#[cfg_attr(not(unix), track_caller)]
fn drive_until<F: Future>(handle: &Handle, future: F) -> F::Output {
    let root = Root::new(Some(handle));
    let waker = Waker::from(root.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    let shared = &*handle.shared;
    #[cfg(unix)]
    let _turn = loop {
        match shared.turn.take(|| root.is_woken()) {
            Some(turn) => break turn,
            // Somebody else drives; the future was woken meanwhile.
            None => {
                if let Poll::Ready(output) = root.poll(future.as_mut(), &mut cx) {
                    return output;
                }
            }
        }
    };
    let _busy = shared.busy.guard();
    let interval = shared.config.event_interval;
    let mut turns = 0;
    // Those whom the reactor woke, and who have not had their turn.
    let mut owed = 0_usize;
    loop {
        if let Poll::Ready(output) = root.poll(future.as_mut(), &mut cx) {
            return output;
        }
        // The root's turn counts as one.
        let mut most = interval.saturating_sub(turns + 1).max(1);
        // Natively a look at the reactor costs little, so that each round of tasks is followed by one, as in
        // tokio when they yield.
        let rounds = cfg!(unix) && shared.reactor.has_sources();
        if rounds || root.is_woken() {
            // If the root yielded, its turn comes again after everybody who is ready now had theirs.
            most = shared.scheduler.ready_count(most);
        }
        let ran = shared.scheduler.run_some(most);
        // Without threads, the closures of `spawn_blocking` run between the tasks.
        #[cfg(not(unix))]
        let ran = match shared.blocking.is_idle() {
            true => ran,
            false => ran + shared.blocking.run_some((most - ran).max(1)),
        };
        #[cfg(not(unix))]
        let peers_ran = peers::get().map_or(0, |peers| peers.run(shared, interval));
        #[cfg(unix)]
        let peers_ran = 0;
        let ran = ran + peers_ran;
        turns += 1 + ran;
        // A root that yields alone waits for the reactor more likely than not.
        let spins = ran == 0 && root.is_woken() && shared.reactor.has_sources();
        if turns >= interval || spins || (rounds && !root.is_woken() && !shared.scheduler.is_idle())
        {
            owed = owed.saturating_sub(turns);
            turns = 0;
            shared.fire();
            // Whom the reactor wakes stands behind them: on WASI, where asking costs much, they come first.
            if cfg!(unix) || owed == 0 || spins {
                owed = shared.glance();
            }
        } else if !root.is_woken() && peers_ran == 0 {
            turns = 0;
            owed = shared.park(&root);
        }
    }
}

/// Polls `future` on this thread, which sleeps in between; others drive whatever it waits for.
#[cfg(unix)]
fn park_on<F: Future>(future: F) -> F::Output {
    let root = Root::new(None);
    let waker = Waker::from(root.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = root.poll(future.as_mut(), &mut cx) {
            return output;
        }
        while !root.is_woken() {
            std::thread::park();
        }
    }
}

/// Polls `future` without a runtime of its own: on one thread nobody could wake it but the tasks of the runtimes that
/// run all the same.
#[cfg(not(unix))]
#[track_caller]
fn park_on<F: Future>(future: F) -> F::Output {
    if let Some(handle) = peers::get().and_then(|peers| peers.any()) {
        let _runtime = context::enter(handle.clone());
        let _entered = current::set_entered(Entered::BlockOn);
        return drive_until(&handle, future);
    }
    let root = Root::new(None);
    let waker = Waker::from(root.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = root.poll(future.as_mut(), &mut cx) {
            return output;
        }
        assert!(root.is_woken(), "{DEADLOCK}");
    }
}

#[cfg(not(unix))]
const DEADLOCK: &str =
    "deadlock: every task is waiting, and no timer, socket, stdin or signal is left to wake one";

impl Shared {
    /// Fires the timers that are due.
    fn fire(&self) {
        self.time.fire();
        #[cfg(not(unix))]
        if let Some(peers) = peers::get() {
            peers.fire(self);
        }
    }

    /// Takes what the reactor has, without waiting. Returns how many it woke.
    fn glance(&self) -> usize {
        let woken = self.reactor.poll(Parked::Glance);
        #[cfg(unix)]
        crate::sys::publish();
        woken
    }

    /// Waits until something may have become ready. Returns how many the reactor woke.
    #[cfg_attr(not(unix), track_caller)]
    fn park(&self, root: &Root) -> usize {
        if let Some(hooks) = &self.config.hooks {
            hooks.park();
        }
        // A hook may have spawned.
        self.parks.fetch_add(1, Ordering::Relaxed);
        self.busy.stop();
        let woken = self.wait(root);
        self.busy.start();
        self.parks.fetch_add(1, Ordering::Relaxed);
        self.fire();
        #[cfg(unix)]
        crate::sys::publish();
        if let Some(hooks) = &self.config.hooks {
            hooks.unpark();
        }
        woken
    }

    /// Whether the thread may wait, for all that is known here.
    #[cfg_attr(target_family = "wasm", inline(never))] // Asked a few times for each wait.
    fn is_nothing_ready(&self, root: &Root) -> bool {
        #[cfg(not(unix))]
        if peers::get().is_some_and(|peers| !peers.is_idle(self)) {
            return false;
        }
        self.is_idle() && !root.is_woken()
    }

    #[cfg_attr(not(unix), track_caller)]
    fn wait(&self, root: &Root) -> usize {
        let nothing_ready = || self.is_nothing_ready(root);
        if self.time.is_paused() && !self.blocking_in_flight() {
            if !nothing_ready() {
                return 0;
            }
            // The clock moves whenever everything waits, even if the reactor has something for a spawned
            // task, but not if it has something for the root. That is tokio's behaviour, and programs'
            // tests that pause the clock while they talk to a server of their own rely on it.
            let woken = self.reactor.poll(Parked::Look);
            if root.is_woken() || self.time.auto_advance() || !nothing_ready() {
                return woken;
            }
        }
        // While the clock is paused no deadline comes closer: there is no timeout unless a timer is due.
        let timeout = self.time.park_timeout();
        #[cfg(not(unix))]
        let timeout = match peers::get() {
            Some(peers) => peers.park_timeout(self, timeout),
            None => timeout,
        };
        #[cfg(not(unix))]
        if timeout.is_none() && !self.reactor.is_waiting() {
            let is_host_awaited = || peers::get().is_some_and(|peers| peers.is_host_awaited());
            assert!(self.is_host_awaited() || is_host_awaited() || !nothing_ready(), "{DEADLOCK}");
        }
        let something_ready = || {
            #[cfg(unix)]
            if self.time.is_overtaken()
                || (self.time.is_paused() && !self.blocking_in_flight())
                || crate::sys::is_pending()
            {
                return true;
            }
            !nothing_ready()
        };
        self.reactor.poll(Parked::Wait { timeout, unless: &something_ready })
    }
}
