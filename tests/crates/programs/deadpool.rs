//! Twenty tasks share three connections to an echo server.

use std::io;
use std::net::SocketAddr;

use deadpool::managed::{Manager, Metrics, Pool, RecycleResult};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

struct Connections(SocketAddr);

impl Manager for Connections {
    type Type = TcpStream;
    type Error = io::Error;

    async fn create(&self) -> io::Result<TcpStream> {
        TcpStream::connect(self.0).await
    }

    async fn recycle(&self, stream: &mut TcpStream, _: &Metrics) -> RecycleResult<io::Error> {
        stream.peer_addr().map(drop).map_err(Into::into)
    }
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    let pool = Pool::<Connections>::builder(Connections(to)).max_size(3).build().unwrap();
    let tasks: Vec<_> = (0..20u8)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut connection = pool.get().await.unwrap();
                connection.write_all(&[number]).await.unwrap();
                assert_eq!(connection.read_u8().await.unwrap(), number);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(pool.status().size <= 3);
    println!("ok");
}
