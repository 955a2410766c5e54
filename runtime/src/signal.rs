//! Signals from outside: Ctrl-C.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Waits for the next Ctrl-C.
///
/// Natively the first call replaces the process's own reaction to SIGINT (to end) for good, as in tokio.
///
/// # Errors
///
/// Fails natively when the OS refuses to have the signal handled.
///
/// # Panics
///
/// Panics when polled outside of a runtime.
///
/// # Cancel safety
///
/// A Ctrl-C that comes while nobody waits is not remembered.
///
/// # On WASI
///
/// A guest has no signals of its own: the future is ready when the host delivers one, and until then it is
/// a reason to sleep, so a guest in which everything else waits for nothing does not panic. Hosts that
/// cannot deliver one end the guest instead.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// wasio::signal::ctrl_c().await?;
/// println!("stopping");
/// # Ok(())
/// # }
/// ```
pub async fn ctrl_c() -> io::Result<()> {
    CtrlC { wait: Wait::start()? }.await
}

struct CtrlC {
    wait: Wait,
}

impl Future for CtrlC {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wait.poll(cx).map(Ok)
    }
}

#[cfg(unix)]
use native::Wait;
#[cfg(not(unix))]
use wasi::Wait;

#[cfg(unix)]
mod native {
    use std::io;
    use std::sync::{Mutex, OnceLock};
    use std::task::{Context, Poll, Waker};

    use signal_hook::consts::SIGINT;
    use signal_hook::iterator::Signals;

    use crate::executor::lock;

    #[derive(Default)]
    struct State {
        /// How often the signal came.
        count: u64,
        waiting: Vec<Waker>,
    }

    static STATE: Mutex<State> = Mutex::new(State { count: 0, waiting: Vec::new() });

    pub(super) struct Wait {
        seen: u64,
    }

    impl Wait {
        pub(super) fn start() -> io::Result<Wait> {
            static LISTENER: OnceLock<Result<(), io::ErrorKind>> = OnceLock::new();
            LISTENER.get_or_init(|| listen().map_err(|e| e.kind())).map_err(io::Error::from)?;
            Ok(Wait { seen: lock(&STATE).count })
        }

        pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            let mut state = lock(&STATE);
            if state.count != self.seen {
                return Poll::Ready(());
            }
            if !state.waiting.iter().any(|w| w.will_wake(cx.waker())) {
                state.waiting.push(cx.waker().clone());
            }
            Poll::Pending
        }
    }

    /// Starts the thread that hears the signal: a handler itself may not wake anybody.
    fn listen() -> io::Result<()> {
        let mut signals = Signals::new([SIGINT])?;
        std::thread::Builder::new().name("wasio-signal".into()).spawn(move || {
            for _ in signals.forever() {
                let waiting = {
                    let mut state = lock(&STATE);
                    state.count += 1;
                    std::mem::take(&mut state.waiting)
                };
                waiting.into_iter().for_each(Waker::wake);
            }
        })?;
        Ok(())
    }
}

#[cfg(not(unix))]
mod wasi {
    use std::io;
    use std::sync::atomic::Ordering;
    use std::task::{Context, Poll};

    use crate::runtime::Handle;

    /// Keeps the runtime from taking the wait for a deadlock.
    pub(super) struct Wait {
        handle: Handle,
    }

    impl Wait {
        #[track_caller]
        pub(super) fn start() -> io::Result<Wait> {
            let handle = Handle::current();
            handle.shared.host_waits.fetch_add(1, Ordering::Relaxed);
            Ok(Wait { handle })
        }

        pub(super) fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }

    impl Drop for Wait {
        fn drop(&mut self) {
            self.handle.shared.host_waits.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
