//! The TCP echo server with wstd. `echo ADDRESS`; prints `listening` when it does.

use wstd::io::{AsyncRead, AsyncWrite};
use wstd::iter::AsyncIterator;
use wstd::net::{TcpListener, TcpStream};

#[wstd::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).expect("usage: echo ADDRESS");
    let listener = TcpListener::bind(address.as_str()).await?;
    println!("listening");
    let mut incoming = listener.incoming();
    while let Some(stream) = incoming.next().await {
        let stream = stream?;
        wstd::runtime::spawn(echo(stream)).detach();
    }
    Ok(())
}

async fn echo(stream: TcpStream) {
    let (mut from, mut to) = stream.split();
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}
