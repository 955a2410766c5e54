//! A TCP echo server: one program, built once with each runtime under the name `tokio`.
//! `echo ADDRESS`; prints `listening` when it does. Built with the feature `given` it is given the listener.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = listen().await?;
    println!("listening");
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(echo(stream));
    }
}

#[cfg(not(feature = "given"))]
async fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::args().nth(1).expect("usage: echo ADDRESS");
    let address: std::net::SocketAddr = address.parse().expect("an address is IP:PORT");
    TcpListener::bind(address).await
}

/// For a runtime that cannot listen: the host does, and descriptor 3 is the listener.
#[cfg(feature = "given")]
#[allow(clippy::unused_async, reason = "the other one waits")]
async fn listen() -> std::io::Result<TcpListener> {
    use std::os::fd::FromRawFd;

    // SAFETY: it is the program's own, and nothing else here uses it.
    let listener = unsafe { std::net::TcpListener::from_raw_fd(3) };
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn echo(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}
