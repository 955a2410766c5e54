//! The listener of a server that was started with `IP:PORT`, or given a listener where its runtime has no way to
//! make one (feature `given`).

use tokio::net::TcpListener;

#[cfg(not(feature = "given"))]
pub async fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::args().nth(1).expect("usage: IP:PORT");
    let address: std::net::SocketAddr = address.parse().expect("an address is IP:PORT");
    TcpListener::bind(address).await
}

/// The host listens, and descriptor 3 is the listener.
#[cfg(feature = "given")]
#[allow(clippy::unused_async, reason = "the other one waits")]
pub async fn listen() -> std::io::Result<TcpListener> {
    use std::os::fd::FromRawFd;

    // SAFETY: it is the program's own, and nothing else here uses it.
    let listener = unsafe { std::net::TcpListener::from_raw_fd(3) };
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
