//! No resolver: every name is looked up by the host.

use std::future::Ready;
use std::io;
use std::net::IpAddr;

/// Returns `None`: ask the host.
pub(crate) fn lookup(_: &str) -> Option<Ready<io::Result<Option<Vec<IpAddr>>>>> {
    None
}
