//! Unix signals on native systems: how often each arrived, and which tasks wait.
//!
//! One thread of the process receives all of them, because a signal handler must not wake tasks. The first [`signal`]
//! starts it, and it runs until the process ends. It only records the signals. The thread that next drives a runtime
//! notifies the listeners, so that a program sees no change before it waits, as with tokio.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::os::raw::c_int;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker};

use signal_hook::consts::{self, FORBIDDEN};
use signal_hook::iterator::{Handle as Listener, Signals};

use crate::context;
use crate::lock::Mutex;
use crate::runtime::Shared;

/// More than the number of signals on any system.
const MAX_SIGNALS: usize = 128;

struct State {
    /// Arrived and not yet published.
    pending: [bool; MAX_SIGNALS],
    /// How often each signal was published.
    counts: [u64; MAX_SIGNALS],
    next_waiter: u64,
    waiting: BTreeMap<u64, (c_int, Waker)>,
    /// The runtimes that have listeners. They are woken to publish.
    runtimes: Vec<Weak<Shared>>,
}

static STATE: Mutex<State> = Mutex::new(State {
    pending: [false; MAX_SIGNALS],
    counts: [0; MAX_SIGNALS],
    next_waiter: 0,
    waiting: BTreeMap::new(),
    runtimes: Vec::new(),
});

/// Whether there is a signal to publish. A runtime reads this in every round.
static PENDING: AtomicBool = AtomicBool::new(false);

/// A kind of signal.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq)]
pub struct SignalKind(c_int);

impl SignalKind {
    /// Returns the kind with this number.
    pub const fn from_raw(signum: c_int) -> Self {
        SignalKind(signum)
    }

    /// Returns the signal's number.
    pub const fn as_raw_value(&self) -> c_int {
        self.0
    }
}

macro_rules! kinds {
    ($($(#[$docs:meta])* $name:ident $number:ident;)*) => {
        impl SignalKind { $(
            $(#[$docs])*
            pub const fn $name() -> Self {
                SignalKind(consts::$number)
            }
        )* }
    };
}

kinds! {
    /// `SIGALRM`: a real-time timer expired. Its default ends the process.
    alarm SIGALRM;
    /// `SIGCHLD`: a child process ended or stopped. Ignored by default.
    child SIGCHLD;
    /// `SIGHUP`: the terminal is gone. Its default ends the process.
    hangup SIGHUP;
    /// `SIGINT`: Ctrl-C. Its default ends the process.
    interrupt SIGINT;
    /// `SIGIO`: I/O is possible.
    io SIGIO;
    /// `SIGPIPE`: a write to a pipe without a reader. Rust programs ignore it by default.
    pipe SIGPIPE;
    /// `SIGQUIT`: Ctrl-\. Its default ends the process with a core dump.
    quit SIGQUIT;
    /// `SIGTERM`: asked to end. Its default ends the process.
    terminate SIGTERM;
    /// `SIGUSR1`. Its default ends the process.
    user_defined1 SIGUSR1;
    /// `SIGUSR2`. Its default ends the process.
    user_defined2 SIGUSR2;
    /// `SIGWINCH`: the terminal's window changed its size. Ignored by default.
    window_change SIGWINCH;
}

impl From<c_int> for SignalKind {
    fn from(signum: c_int) -> Self {
        SignalKind(signum)
    }
}

impl From<SignalKind> for c_int {
    fn from(kind: SignalKind) -> Self {
        kind.0
    }
}

/// Listens for a signal.
///
/// From the first call on, for the rest of the process, the signal no longer does what it does by default,
/// even when the returned [`Signal`] is dropped.
///
/// # Errors
///
/// Fails if the signal cannot be handled, as `SIGKILL`, or if the system refuses.
///
/// # Panics
///
/// Panics outside a runtime, or on one without I/O.
///
/// # Examples
///
/// ```no_run
/// use wasio::signal::unix::{SignalKind, signal};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut terminate = signal(SignalKind::terminate())?;
/// terminate.recv().await;
/// println!("asked to end");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    let runtime = crate::runtime::Handle::current();
    assert!(
        runtime.shared.reactor.enabled,
        "there is no signal driver running, must be called from the context of Tokio runtime"
    );
    let refused = |why| Err(io::Error::other(format!("{why} signal {}", kind.0)));
    match usize::try_from(kind.0) {
        Ok(0) | Err(_) => return refused("Refusing to register"),
        Ok(n) if n >= MAX_SIGNALS => return refused("no such"),
        Ok(_) if FORBIDDEN.contains(&kind.0) => return refused("Refusing to register"),
        Ok(_) => {}
    }
    // Counted before the handler is installed, so that no signal is lost in between.
    let (seen, waiter) = {
        let mut state = STATE.lock();
        state.publish_on(&runtime.shared);
        state.next_waiter += 1;
        (state.counts[kind.0 as usize], state.next_waiter)
    };
    listener()?.add_signal(kind.0)?;
    Ok(Signal { kind, seen, waiter })
}

/// Waits for the next SIGINT.
pub(crate) async fn ctrl_c() -> io::Result<()> {
    signal(SignalKind::interrupt())?.recv().await;
    Ok(())
}

/// Returns the thread that receives the signals, started on the first call.
fn listener() -> io::Result<&'static Listener> {
    static LISTENER: OnceLock<Result<Listener, io::ErrorKind>> = OnceLock::new();
    let started = LISTENER.get_or_init(|| start().map_err(|e| e.kind()));
    started.as_ref().map_err(|&kind| kind.into())
}

fn start() -> io::Result<Listener> {
    let mut signals = Signals::new::<_, c_int>([])?;
    let listener = signals.handle();
    std::thread::Builder::new().name("wasio-signal".into()).spawn(move || {
        for signum in signals.forever() {
            record(signum);
        }
    })?;
    Ok(listener)
}

/// Records a signal, and wakes the runtimes to publish it.
fn record(signum: c_int) {
    let runtimes: Vec<_> = {
        let mut state = STATE.lock();
        state.pending[signum as usize] = true;
        // Set with the lock held: a runtime that is not yet in the list reads it before it sleeps.
        PENDING.store(true, Ordering::SeqCst);
        state.runtimes.iter().filter_map(Weak::upgrade).collect()
    };
    for runtime in &runtimes {
        runtime.reactor.unparker().unpark();
    }
    if runtimes.is_empty() {
        publish();
    }
}

/// Returns whether a signal arrived that has not been published: a reason not to sleep.
pub(crate) fn is_pending() -> bool {
    PENDING.load(Ordering::SeqCst)
}

/// Notifies the listeners of signals that arrived. The thread that drives a runtime calls this between two rounds of
/// tasks.
pub(crate) fn publish() {
    if !PENDING.load(Ordering::Relaxed) || !PENDING.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut woken = Vec::new();
    {
        let State { pending, counts, waiting, .. } = &mut *STATE.lock();
        let pending = std::mem::replace(pending, [false; MAX_SIGNALS]);
        for (count, _) in counts.iter_mut().zip(pending).filter(|(_, pending)| *pending) {
            *count += 1;
        }
        waiting.retain(|_, (signum, waker)| {
            let is_woken = pending[*signum as usize];
            if is_woken {
                woken.push(waker.clone());
            }
            !is_woken
        });
    }
    woken.into_iter().for_each(Waker::wake);
}

impl State {
    /// Adds a runtime to those that are woken to publish.
    fn publish_on(&mut self, runtime: &Arc<Shared>) {
        self.runtimes.retain(|known| known.strong_count() > 0);
        if !self.runtimes.iter().any(|known| std::ptr::eq(known.as_ptr(), &**runtime)) {
            self.runtimes.push(Arc::downgrade(runtime));
        }
    }
}

/// Listens for a signal. Returned by [`signal`].
///
/// Signals that come faster than they are received become one.
#[must_use = "streams do nothing unless polled"]
#[derive(Debug)]
pub struct Signal {
    kind: SignalKind,
    /// The count of this signal when it was last received, or when listening began.
    seen: u64,
    waiter: u64,
}

impl Signal {
    /// Waits for the next signal. Never returns `None`.
    ///
    /// # Cancel safety
    ///
    /// A signal that comes after the future was dropped is received by the next call.
    pub async fn recv(&mut self) -> Option<()> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Polls for the next signal. Never returns `None`.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        let mut state = STATE.lock();
        let count = state.counts[self.kind.0 as usize];
        if count != self.seen {
            self.seen = count;
            return Poll::Ready(Some(()));
        }
        if let Some(runtime) = context::handle() {
            state.publish_on(&runtime.shared);
        }
        let replaced = state.waiting.insert(self.waiter, (self.kind.0, cx.waker().clone()));
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        let waiting = STATE.lock().waiting.remove(&self.waiter);
        // Outside the lock: a waker may hold the last reference to a task.
        drop(waiting);
    }
}
