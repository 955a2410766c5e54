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
        wstd::runtime::spawn(serve(stream)).detach();
    }
    Ok(())
}

async fn serve(stream: TcpStream) {
    let (mut from, mut to) = stream.split();
    let mut buffer = vec![b'x'; WRITE];
    while let Ok(count) = count(&mut from).await {
        exchange((&mut from, &mut to), &mut buffer, count)
            .await
            .expect("the client stays to the end");
    }
}

async fn count(from: &mut impl AsyncRead) -> std::io::Result<u64> {
    let (mut count, mut got) = ([0; 8], 0);
    while got < count.len() {
        match from.read(&mut count[got..]).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => got += n,
        }
    }
    Ok(u64::from_le_bytes(count))
}

async fn exchange(
    (from, to): (&mut impl AsyncRead, &mut impl AsyncWrite),
    buffer: &mut [u8],
    count: u64,
) -> std::io::Result<()> {
    let mut left = count;
    while left > 0 {
        let n = left.min(WRITE as u64);
        to.write_all(&buffer[..n as usize]).await?;
        left -= n;
    }
    let mut left = count;
    while left > 0 {
        match from.read(buffer).await? as u64 {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => left -= n,
        }
    }
    to.write_all(b"!").await
}
