//! A TCP echo server: one program, built once with each runtime under the name `tokio`.
//! `echo ADDRESS`; prints `listening` when it does.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).expect("usage: echo ADDRESS");
    let address: SocketAddr = address.parse().expect("an address is IP:PORT");
    let listener = TcpListener::bind(address).await?;
    println!("listening");
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(echo(stream));
    }
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
