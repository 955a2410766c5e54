//! The system's resolver. It blocks, for many seconds if no server answers, so it is called on a thread of a pool
//! (`pool.rs`).

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};

use crate::pool::{Client, Running};

/// Asks the system for the addresses of `name`.
pub(crate) fn resolve(threads: &Client, name: String) -> Running<io::Result<Vec<IpAddr>>> {
    threads.run(move || Ok((name.as_str(), 0).to_socket_addrs()?.map(|addr| addr.ip()).collect()))
}
