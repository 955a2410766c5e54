//! Twenty tasks share three connections to an echo server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

struct Connections {
    to: SocketAddr,
    made: Arc<AtomicU32>,
}

impl bb8::ManageConnection for Connections {
    type Connection = TcpStream;
    type Error = io::Error;

    async fn connect(&self) -> io::Result<TcpStream> {
        self.made.fetch_add(1, Ordering::Relaxed);
        TcpStream::connect(self.to).await
    }

    async fn is_valid(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.peer_addr().map(drop)
    }

    fn has_broken(&self, _: &mut TcpStream) -> bool {
        false
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
    let made = Arc::new(AtomicU32::new(0));
    let manager = Connections { to, made: made.clone() };
    let pool = bb8::Pool::builder().max_size(3).build(manager).await.unwrap();
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
    assert!(made.load(Ordering::Relaxed) <= 3);
    println!("ok");
}
