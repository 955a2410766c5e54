//! Signals from outside: Ctrl-C, and natively those of unix.

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
/// A guest has no signals of its own: the future is ready when the host delivers one, and until then it is
/// a reason to sleep, so a guest in which everything else waits for nothing does not panic. `wasio run`
/// delivers the first SIGINT or SIGTERM, both here, because there is no `signal::unix`; the second ends the
/// guest. Hosts that cannot deliver one end the guest instead; so does `wasio run` when nobody ever waited. On
/// a runtime whose I/O is not enabled nothing is delivered.
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
