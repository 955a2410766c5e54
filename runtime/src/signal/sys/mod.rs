//! How a host tells a guest of signals, as `SIGNALS.md` of `wasio-host` says.
//!
//! - `Came::new()` starts to listen for requests to end; `None` when the host knows nothing of signals. Fails
//!   when the runtime is being shut down.
//! - `Came::wait()` ends when one came since.

#[cfg(target_env = "p1")]
mod wasip1;
#[cfg(target_env = "p2")]
mod wasip2;

#[cfg(target_env = "p1")]
pub(super) use wasip1::Came;
#[cfg(target_env = "p2")]
pub(super) use wasip2::Came;
