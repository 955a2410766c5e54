//! Cancel safety of `net`: each operation is polled once and dropped, and nothing is lost.

use crate::sync_support;

use sync_support::probe;
use wasio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use wasio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    // Accepted sockets count as readable until an attempt shows otherwise.
    assert!(probe(server.read_u8()).is_pending());
    (client, server)
}

#[wasio::test]
async fn accept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    assert!(probe(listener.accept()).is_pending());
    let client = TcpStream::connect(addr).await.unwrap();
    let (_, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

#[wasio::test]
async fn connect_is_abandoned() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut abandoned = probe(TcpSocket::new_v4().unwrap().connect(addr));
    assert!(abandoned.is_pending());
    drop(abandoned);
    let mut client = TcpStream::connect(addr).await.unwrap();
    client.write_all(b"x").await.unwrap();
    // Its descriptor is closed. A host of WASI 0.2 may not have begun to connect at all.
    let (mut server, _) = listener.accept().await.unwrap();
    if server.read(&mut [0; 8]).await.unwrap() == 0 {
        let (mut server, _) = listener.accept().await.unwrap();
        assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 1);
    } else {
        let may_not_have_begun = cfg!(target_env = "p2");
        assert!(may_not_have_begun, "the abandoned connection came to nobody");
    }
}

#[wasio::test]
async fn reading_and_waiting_to_read() {
    let (mut client, mut server) = pair().await;
    let mut buf = [0; 8];
    assert!(probe(server.read(&mut buf)).is_pending());
    assert!(probe(server.peek(&mut buf)).is_pending());
    assert!(probe(server.readable()).is_pending());
    assert!(probe(server.ready(Interest::READABLE)).is_pending());
    client.write_all(b"hello").await.unwrap();
    assert_eq!(server.peek(&mut buf).await.unwrap(), 5);
    assert_eq!(server.read(&mut buf).await.unwrap(), 5);
    assert_eq!(&buf[..5], b"hello");
}

#[wasio::test]
async fn a_dropped_reader_does_not_take_the_others_turn() {
    let (client, server) = pair().await;
    let mut first = probe(server.readable());
    let mut second = probe(server.readable());
    assert!(first.is_pending() && second.is_pending());
    client.writable().await.unwrap();
    client.try_write(b"x").unwrap();
    while second.wakes() == 0 {
        wasio::task::yield_now().await;
    }
    drop(first);
    second.ready().unwrap();
    assert_eq!(server.try_read(&mut [0; 1]).unwrap(), 1);
}

#[wasio::test]
async fn writing_when_there_is_no_room() {
    let (client, mut server) = pair().await;
    let block = vec![7; 64 * 1024];
    let mut sent = 0;
    loop {
        client.writable().await.unwrap();
        match client.try_write(&block) {
            Ok(n) => sent += n,
            Err(e) => {
                assert_eq!(e.kind(), std::io::ErrorKind::WouldBlock);
                break;
            }
        }
    }
    let (mut reader, mut writer) = client.into_split();
    let mut write = probe(writer.write(b"not written"));
    if write.is_pending() {
        drop(write);
    } else {
        sent += b"not written".len();
        drop(write);
    }
    let drained = wasio::spawn(async move {
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.unwrap();
        server.write_all(b"done").await.unwrap();
        all.len()
    });
    writer.shutdown().await.unwrap();
    let mut answer = Vec::new();
    reader.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"done");
    assert_eq!(drained.await.unwrap(), sent);
}

#[wasio::test]
async fn messages() {
    let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    a.connect(b.local_addr().unwrap()).await.unwrap();
    let mut buf = [0; 8];
    assert!(probe(b.recv_from(&mut buf)).is_pending());
    assert!(probe(b.peek_from(&mut buf)).is_pending());
    assert!(probe(b.recv(&mut buf)).is_pending());
    assert!(probe(b.readable()).is_pending());
    a.send(b"one").await.unwrap();
    a.send(b"two").await.unwrap();
    assert_eq!(b.peek(&mut buf).await.unwrap(), 3);
    assert_eq!(b.recv_from(&mut buf).await.unwrap(), (3, a.local_addr().unwrap()));
    assert_eq!(&buf[..3], b"one");
    assert_eq!(b.recv(&mut buf).await.unwrap(), 3);
    assert_eq!(&buf[..3], b"two");
}
