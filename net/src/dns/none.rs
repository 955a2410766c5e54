//! No resolver: the host is asked for every name.

use std::future::Ready;
use std::io;
use std::net::IpAddr;

/// The host is to be asked.
pub(crate) fn lookup(_: &str) -> Option<Ready<io::Result<Option<Vec<IpAddr>>>>> {
    None
}
