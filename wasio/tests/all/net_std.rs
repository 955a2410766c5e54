//! Sockets that cross between the standard library's types and ours keep working on both sides.
//!
//! On preview 1 the standard library can read, write, accept and close, and nothing else.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use wasio::io::{AsyncReadExt, AsyncWriteExt};
use wasio::net::{TcpListener, TcpStream};
use wasio::time::sleep;

/// What the standard library has on this target.
const IS_WHOLE: bool = !cfg!(target_env = "p1");

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client, server)
}

/// Reads with a socket of the standard library's that does not block.
async fn read(mut stream: &std::net::TcpStream, buf: &mut [u8]) -> usize {
    loop {
        match stream.read(buf) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => sleep(Duration::from_millis(1)).await,
            result => return result.unwrap(),
        }
    }
}

#[wasio::test]
async fn the_standard_library_reads_and_writes_ours() {
    for accepted in [false, true] {
        let (client, server) = pair().await;
        let (ours, mut other) = if accepted { (server, client) } else { (client, server) };
        let mut std = ours.into_std().unwrap();
        let mut buf = [0; 8];
        assert_eq!(std.read(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
        std.write_all(b"question").unwrap();
        other.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"question");
        other.write_all(b"answer").await.unwrap();
        assert_eq!(read(&std, &mut buf).await, 6);
        assert_eq!(&buf[..6], b"answer");
        std.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(other.read(&mut buf).await.unwrap(), 0);
    }
}

#[wasio::test]
async fn what_the_standard_library_drops_is_closed() {
    let (client, mut server) = pair().await;
    drop(client.into_std().unwrap());
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
}

/// As redis does after connecting.
#[wasio::test]
async fn there_and_back() {
    let (mut client, mut server) = pair().await;
    let (local, peer) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
    for round in 0..200_u8 {
        let std = client.into_std().unwrap();
        if IS_WHOLE {
            std.set_nodelay(true).unwrap();
            assert!(std.nodelay().unwrap());
            assert_eq!(std.local_addr().unwrap(), local);
            assert_eq!(std.peer_addr().unwrap(), peer);
        }
        client = TcpStream::from_std(std).unwrap();
        if IS_WHOLE {
            assert!(client.nodelay().unwrap());
        }
        assert_eq!(client.peer_addr().unwrap(), peer);
        client.write_all(&[round]).await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), round);
        server.write_all(&[round]).await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), round);
    }
    drop(client);
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
}

#[cfg(not(target_env = "p1"))]
#[wasio::test]
async fn a_stream_of_the_standard_librarys() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut std = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    std.write_all(b"std").unwrap();
    std.set_nonblocking(true).unwrap();
    let mut stream = TcpStream::from_std(std).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
    let (mut server, peer) = listener.accept().await.unwrap();
    assert_eq!(stream.local_addr().unwrap(), peer);
    stream.write_all(b" and ours").await.unwrap();
    let mut buf = [0; 12];
    server.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"std and ours");
    let (mut read, mut write) = stream.into_split();
    // A wait for it, not only attempts.
    let answer = wasio::spawn(async move { read.read_u8().await.unwrap() });
    sleep(Duration::from_millis(5)).await;
    server.write_all(b"!").await.unwrap();
    assert_eq!(answer.await.unwrap(), b'!');
    write.shutdown().await.unwrap();
    assert_eq!(server.read(&mut buf).await.unwrap(), 0);
}

#[cfg(not(target_env = "p1"))]
#[wasio::test]
async fn a_listener_of_the_standard_librarys() {
    let std = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    std.set_nonblocking(true).unwrap();
    let addr = std.local_addr().unwrap();
    let listener = TcpListener::from_std(std).unwrap();
    assert_eq!(listener.local_addr().unwrap(), addr);
    let accept = wasio::spawn(async move { (listener.accept().await.unwrap(), listener) });
    sleep(Duration::from_millis(5)).await;
    let client = TcpStream::connect(addr).await.unwrap();
    let ((_, peer), listener) = accept.await.unwrap();
    assert_eq!(client.local_addr().unwrap(), peer);
    // And back.
    let std = listener.into_std().unwrap();
    assert_eq!(std.local_addr().unwrap(), addr);
    assert_eq!(std.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    let mut client = TcpStream::connect(addr).await.unwrap();
    let (mut server, peer) = loop {
        match std.accept() {
            Err(e) if e.kind() == ErrorKind::WouldBlock => sleep(Duration::from_millis(1)).await,
            result => break result.unwrap(),
        }
    };
    assert_eq!(client.local_addr().unwrap(), peer);
    server.write_all(b"x").unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'x');
}

#[cfg(not(target_env = "p1"))]
#[wasio::test]
async fn a_file_is_no_socket() {
    use std::os::fd::OwnedFd;

    let file = std::fs::File::open(".").unwrap();
    let stream = std::net::TcpStream::from(OwnedFd::from(file));
    let error = if cfg!(unix) {
        stream.local_addr().unwrap_err()
    } else {
        TcpStream::from_std(stream).unwrap_err()
    };
    assert!(error.to_string().len() > 10, "{error}");
}

/// On WASI 0.2 what was peeked at is kept by us: it is not lost.
#[wasio::test]
async fn what_was_peeked_at() {
    let (client, mut server) = pair().await;
    server.write_all(b"peeked").await.unwrap();
    let mut buf = [0; 6];
    assert!(client.peek(&mut buf).await.unwrap() > 0);
    match client.into_std() {
        Ok(std) => assert_eq!(read(&std, &mut buf).await, 6),
        Err(error) => {
            let has_to_read_ahead = cfg!(target_env = "p2");
            assert!(has_to_read_ahead, "{error}");
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("`peek`"), "{error}");
            // It is closed, not kept.
            assert_eq!(server.read(&mut buf).await.unwrap_or(0), 0);
        }
    }
}
