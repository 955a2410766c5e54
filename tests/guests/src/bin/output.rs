//! Answers on a connection while it writes more to its standard output than anybody reads: `output PORT`.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).expect("usage: output PORT").parse().expect("a port");
    let mut peer = TcpStream::connect(("127.0.0.1", port)).await?;
    let output = tokio::spawn(async {
        let mut stdout = tokio::io::stdout();
        let line = [b'x'; 1023];
        for _ in 0..1024 {
            stdout.write_all(&line).await?;
            stdout.write_all(b"\n").await?;
        }
        stdout.flush().await
    });
    let mut byte = [0];
    while peer.read(&mut byte).await? == 1 {
        peer.write_all(&byte).await?;
    }
    output.await.expect("it does not panic")
}
