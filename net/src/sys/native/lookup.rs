//! Name lookup by the system.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// The system's call blocks, so it runs on a thread of its own.
pub(crate) async fn lookup(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let name = name.to_owned();
    wasio_runtime::task::spawn_blocking(move || Ok((&*name, port).to_socket_addrs()?.collect()))
        .await?
}
