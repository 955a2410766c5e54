//! Sockets that are converted between the standard library's types and wasio's keep working on both sides.
//!
//! On preview 1 the standard library supports only reading, writing, accepting and closing.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use wasio::io::{AsyncReadExt, AsyncWriteExt};
#[cfg(not(target_env = "p1"))]
use wasio::net::UdpSocket;
use wasio::net::{TcpListener, TcpStream};
use wasio::time::sleep;

/// The operations that the standard library has on this target.
const IS_WHOLE: bool = !cfg!(target_env = "p1");

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    (client, server)
}

/// Reads from a non-blocking socket of the standard library.
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

/// redis does this after connecting.
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

/// On WASI 0.2 wasio keeps the bytes that were peeked at, so they are not lost.
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

/// Receives from a non-blocking socket of the standard library.
#[cfg(not(target_env = "p1"))]
async fn receive(socket: &std::net::UdpSocket) -> (Vec<u8>, std::net::SocketAddr) {
    let mut buf = [0; 16];
    loop {
        match socket.recv_from(&mut buf) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => sleep(Duration::from_millis(1)).await,
            result => return result.map(|(n, from)| (buf[..n].to_vec(), from)).unwrap(),
        }
    }
}

#[cfg(not(target_env = "p1"))]
#[wasio::test]
async fn the_standard_library_has_datagrams_of_ours() {
    let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer = other.local_addr().unwrap();
    // Bound only, used, and connected.
    for state in 0..3 {
        let ours = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let local = ours.local_addr().unwrap();
        if state == 1 {
            ours.send_to(b"ours", peer).await.unwrap();
            other.recv(&mut [0; 8]).await.unwrap();
        }
        if state == 2 {
            ours.connect(peer).await.unwrap();
        }
        let std = ours.into_std().unwrap();
        assert_eq!(std.local_addr().unwrap(), local);
        assert_eq!(std.peer_addr().is_ok(), state == 2);
        assert_eq!(std.recv(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        let sent = if state == 2 { std.send(b"std") } else { std.send_to(b"std", peer) };
        assert_eq!(sent.unwrap(), 3);
        let mut buf = [0; 8];
        assert_eq!(other.recv_from(&mut buf).await.unwrap(), (3, local));
        other.send_to(b"answer", local).await.unwrap();
        assert_eq!(receive(&std).await, (b"answer".to_vec(), peer));
        // A socket that the standard library drops is closed: the port is free, and nothing is leaked.
        drop(std);
        UdpSocket::bind(local).await.unwrap();
    }
}

#[cfg(not(target_env = "p1"))]
#[wasio::test]
async fn datagrams_of_the_standard_librarys() {
    let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer = other.local_addr().unwrap();
    for state in 0..3 {
        let std = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        std.set_nonblocking(true).unwrap();
        let local = std.local_addr().unwrap();
        if state == 1 {
            std.send_to(b"std", peer).unwrap();
            other.recv(&mut [0; 8]).await.unwrap();
            // The C library waits for it, too.
            std.set_nonblocking(false).unwrap();
            other.send_to(b"first", local).await.unwrap();
            assert_eq!(std.recv(&mut [0; 8]).unwrap(), 5);
            std.set_nonblocking(true).unwrap();
        }
        if state == 2 {
            std.connect(peer).unwrap();
        }
        let ours = UdpSocket::from_std(std).unwrap();
        assert_eq!(ours.local_addr().unwrap(), local);
        assert_eq!(ours.peer_addr().is_ok(), state == 2);
        let waits = wasio::spawn(async move {
            let mut buf = [0; 8];
            let n = ours.recv(&mut buf).await.unwrap();
            (buf[..n].to_vec(), ours)
        });
        sleep(Duration::from_millis(2)).await;
        other.send_to(b"theirs", local).await.unwrap();
        let (message, ours) = waits.await.unwrap();
        assert_eq!(message, b"theirs");
        let sent =
            if state == 2 { ours.send(b"ours").await } else { ours.send_to(b"ours", peer).await };
        assert_eq!(sent.unwrap(), 4);
        assert_eq!(other.recv_from(&mut [0; 8]).await.unwrap(), (4, local));
    }
}

/// The host has only this many sockets and streams for a guest.
#[cfg(not(target_env = "p1"))]
#[wasio::test]
async fn datagram_sockets_that_cross_often_leak_nothing() {
    let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer = other.local_addr().unwrap();
    let mut socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let local = socket.local_addr().unwrap();
    for round in 0..300_u16 {
        let std = socket.into_std().unwrap();
        std.send_to(&round.to_le_bytes(), peer).unwrap();
        socket = UdpSocket::from_std(std).unwrap();
        let mut buf = [0; 4];
        assert_eq!(other.recv_from(&mut buf).await.unwrap(), (2, local));
        other.send_to(&buf[..2], local).await.unwrap();
        assert_eq!(socket.recv(&mut buf).await.unwrap(), 2);
    }
    for _ in 0..300 {
        let ours = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        ours.send_to(b"x", peer).await.unwrap();
        other.recv(&mut [0; 1]).await.unwrap();
        drop(ours.into_std().unwrap());
    }
}

/// On WASI 0.2 wasio keeps the message that was peeked at, so it is not lost.
#[cfg(not(target_env = "p1"))]
#[wasio::test]
async fn a_datagram_that_was_peeked_at() {
    let ours = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = ours.local_addr().unwrap();
    ours.send_to(b"peeked", addr).await.unwrap();
    assert_eq!(ours.peek_from(&mut [0; 8]).await.unwrap(), (6, addr));
    match ours.into_std() {
        Ok(std) => assert_eq!(receive(&std).await.0, b"peeked"),
        Err(error) => {
            let expected = cfg!(target_env = "p2").then_some(ErrorKind::Unsupported);
            assert_eq!(Some(error.kind()), expected, "{error}");
            // It is closed, not kept.
            UdpSocket::bind(addr).await.unwrap();
        }
    }
}
