//! One stream of many bytes: `stream ADDRESS`; prints `listening` when it does. Who connects says in eight bytes
//! how many there are to be, gets them in writes of 64 KiB, sends as many, and gets one byte when they are there; and all
//! of it again, until the connection is closed.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

mod listen;

const WRITE: usize = 64 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = listen::listen().await?;
    println!("listening");
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream));
    }
}

async fn serve(mut stream: TcpStream) {
    let mut buffer = vec![b'x'; WRITE];
    let mut count = [0; 8];
    while stream.read_exact(&mut count).await.is_ok() {
        let count = u64::from_le_bytes(count);
        exchange(&mut stream, &mut buffer, count).await.expect("the client stays to the end");
    }
}

async fn exchange(stream: &mut TcpStream, buffer: &mut [u8], count: u64) -> std::io::Result<()> {
    let mut left = count;
    while left > 0 {
        let n = left.min(WRITE as u64);
        stream.write_all(&buffer[..n as usize]).await?;
        left -= n;
    }
    let mut left = count;
    while left > 0 {
        match stream.read(buffer).await? as u64 {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => left -= n,
        }
    }
    stream.write_all(b"!").await
}
