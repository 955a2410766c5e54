//! Signals from outside: Ctrl-C, and natively those of unix.

use std::io;

#[cfg(unix)]
pub mod unix;

#[cfg(unix)]
pub(crate) use unix::{is_pending, publish};

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
/// Panics when polled outside of a runtime, natively also on one whose I/O is not enabled.
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
    #[cfg(unix)]
    unix::signal(unix::SignalKind::interrupt())?.recv().await;
    #[cfg(not(unix))]
    wasi::Wait::start().await;
    Ok(())
}

#[cfg(not(unix))]
mod wasi {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::atomic::Ordering;
    use std::task::{Context, Poll};

    use crate::runtime::Handle;

    /// Keeps the runtime from taking the wait for a deadlock.
    pub(super) struct Wait {
        handle: Handle,
    }

    impl Wait {
        #[track_caller]
        pub(super) fn start() -> Wait {
            let handle = Handle::current();
            handle.shared.host_waits.fetch_add(1, Ordering::Relaxed);
            Wait { handle }
        }
    }

    impl Future for Wait {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }

    impl Drop for Wait {
        fn drop(&mut self) {
            self.handle.shared.host_waits.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
