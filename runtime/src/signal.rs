//! Signals: Ctrl-C, and natively those of Unix.

use std::io;

use crate::sys;

#[allow(unused_imports, unreachable_pub)] // Some targets have nothing of their own here.
pub use crate::sys::public::signal::*;

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
/// Panics if it is polled outside a runtime. Natively it also panics on a runtime without I/O.
///
/// # Cancel safety
///
/// A Ctrl-C that arrives while no task waits for it is not remembered.
///
/// # On WASI
///
/// A guest has no signals of its own. The future is ready when the host delivers one. Until then it counts as a reason
/// to sleep, so a guest in which every other task waits for nothing does not panic. `wasio run` delivers the first
/// SIGINT or SIGTERM, both here, because there is no `signal::unix`; the second ends the guest. Hosts that cannot
/// deliver a signal end the guest instead, and so does `wasio run` if no task has ever waited for one. On a runtime
/// whose I/O is not enabled no signal is delivered.
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
    sys::ctrl_c().await
}
