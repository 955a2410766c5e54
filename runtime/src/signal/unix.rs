//! Signals of unix, natively: which came how often, and who waits.
//!
//! One thread of the process hears all of them, because a signal handler may not wake anybody. It is
//! started by the first [`signal`], and goes on as long as the process.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::os::raw::c_int;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use signal_hook::consts::{self, FORBIDDEN};
use signal_hook::iterator::{Handle as Listener, Signals};

use crate::lock::Mutex;

/// More than any system has signals.
const MAX_SIGNALS: usize = 128;

struct State {
    /// How often each signal came.
    counts: [u64; MAX_SIGNALS],
    next_waiter: u64,
    waiting: BTreeMap<u64, (c_int, Waker)>,
}

static STATE: Mutex<State> =
    Mutex::new(State { counts: [0; MAX_SIGNALS], next_waiter: 0, waiting: BTreeMap::new() });

/// Which signal.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq)]
pub struct SignalKind(c_int);

impl SignalKind {
    /// The signal with this number.
    pub const fn from_raw(signum: c_int) -> Self {
        SignalKind(signum)
    }

    /// The signal's number.
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
    /// `SIGPIPE`: written to a pipe that nobody reads. Rust programs ignore it by default.
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
/// When the signal cannot be handled: it is one like `SIGKILL`, or the system refuses.
///
/// # Panics
///
/// Outside of a runtime, or on one whose I/O is not enabled.
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
    assert!(
        crate::runtime::Handle::current().shared.reactor.is_enabled(),
        "there is no signal driver running, must be called from the context of Tokio runtime"
    );
    let refused = |why| Err(io::Error::other(format!("{why} signal {}", kind.0)));
    match usize::try_from(kind.0) {
        Ok(0) | Err(_) => return refused("Refusing to register"),
        Ok(n) if n >= MAX_SIGNALS => return refused("no such"),
        Ok(_) if FORBIDDEN.contains(&kind.0) => return refused("Refusing to register"),
        Ok(_) => {}
    }
    // Counted from before the handler is there: none is lost between the two.
    let seen = STATE.lock().counts[kind.0 as usize];
    listener()?.add_signal(kind.0)?;
    let mut state = STATE.lock();
    let waiter = state.next_waiter;
    state.next_waiter += 1;
    Ok(Signal { kind, seen, waiter })
}

/// The thread that hears the signals.
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
            came(signum);
        }
    })?;
    Ok(listener)
}

fn came(signum: c_int) {
    let mut woken = Vec::new();
    {
        let mut state = STATE.lock();
        state.counts[signum as usize] += 1;
        state.waiting.retain(|_, (waits_for, waker)| {
            let other = *waits_for != signum;
            if !other {
                woken.push(waker.clone());
            }
            other
        });
    }
    woken.into_iter().for_each(Waker::wake);
}

/// A signal that is listened for: returned by [`signal`].
///
/// Signals that come faster than they are received become one.
#[must_use = "streams do nothing unless polled"]
#[derive(Debug)]
pub struct Signal {
    kind: SignalKind,
    /// How many of them were received, or came before.
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
        let replaced = state.waiting.insert(self.waiter, (self.kind.0, cx.waker().clone()));
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        let waiting = STATE.lock().waiting.remove(&self.waiter);
        // Outside of the lock: a waker may hold the last reference to a task.
        drop(waiting);
    }
}
