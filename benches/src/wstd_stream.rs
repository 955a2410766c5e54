//! `stream.rs` with wstd.

use wstd::io::{AsyncRead, AsyncWrite};
use wstd::iter::AsyncIterator;
use wstd::net::{TcpListener, TcpStream};

const WRITE: usize = 64 * 1024;

#[wstd::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).expect("usage: stream IP:PORT");
    let listener = TcpListener::bind(address.as_str()).await?;
    println!("listening");
    let mut incoming = listener.incoming();
    while let Some(stream) = incoming.next().await {
        let stream = stream?;
        let served = async move { serve(stream).await.expect("the client stays to the end") };
        wstd::runtime::spawn(served).detach();
    }
    Ok(())
}

async fn serve(stream: TcpStream) -> std::io::Result<()> {
    let (mut from, mut to) = stream.split();
    let mut buffer = vec![b'x'; WRITE];
    let (mut count, mut got) = ([0; 8], 0);
    while got < count.len() {
        match from.read(&mut count[got..]).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => got += n,
        }
    }
    let count = u64::from_le_bytes(count);
    let mut left = count;
    while left > 0 {
        let n = left.min(WRITE as u64);
        to.write_all(&buffer[..n as usize]).await?;
        left -= n;
    }
    let mut left = count;
    while left > 0 {
        match from.read(&mut buffer).await? as u64 {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => left -= n,
        }
    }
    to.write_all(b"!").await
}
