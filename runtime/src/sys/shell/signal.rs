//! The shell has no signals.

use std::io;

/// # Errors
///
/// `Unsupported`.
pub(crate) async fn ctrl_c() -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this target has no signals"))
}

#[allow(dead_code)]
pub(crate) fn is_pending() -> bool {
    false
}

#[allow(dead_code)]
pub(crate) fn publish() {}
