//! TCP through the public API, on every backend: one thread, both ends in one process.

use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::time::Duration;

use wasio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use wasio::net::{TcpListener, TcpSocket, TcpStream};
use wasio::task::{JoinSet, yield_now};
use wasio::time::timeout;

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    (client, server)
}

/// An address without a listener.
async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[wasio::test]
async fn echo() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = wasio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = stream.split();
        wasio::io::copy(&mut read, &mut write).await.unwrap()
    });
    let mut client = TcpStream::connect(addr).await.unwrap();
    for text in ["hello", "world"] {
        client.write_all(text.as_bytes()).await.unwrap();
        let mut answer = [0; 5];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, text.as_bytes());
    }
    drop(client);
    assert_eq!(server.await.unwrap(), 10);
}

#[wasio::test]
async fn addresses() {
    let (client, server) = pair().await;
    assert_eq!(client.local_addr().unwrap(), server.peer_addr().unwrap());
    assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
    assert!(client.take_error().unwrap().is_none());
    let debug = format!("{client:?}");
    assert!(debug.contains(&client.local_addr().unwrap().to_string()), "{debug}");
}

#[wasio::test]
async fn ipv6() {
    let listener = TcpListener::bind("[::1]:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    assert!(addr.is_ipv6());
    let mut client = TcpStream::connect(addr).await.unwrap();
    let (mut server, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    client.write_all(b"six").await.unwrap();
    let mut buf = [0; 3];
    server.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"six");
}

#[wasio::test]
async fn half_close_lets_the_other_direction_go_on() {
    let (mut client, mut server) = pair().await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut question = String::new();
    server.read_to_string(&mut question).await.unwrap();
    assert_eq!(question, "question");
    server.write_all(b"answer").await.unwrap();
    drop(server);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
}

#[wasio::test]
async fn refused_names_the_address() {
    let addr = closed().await;
    let error = TcpStream::connect(addr).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.to_string().starts_with(&format!("connect {addr}: ")), "{error}");
}

#[wasio::test]
async fn every_address_is_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let good = listener.local_addr().unwrap();
    let bad = closed().await;
    let stream = TcpStream::connect(&[bad, good][..]).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), good);
    let error = TcpStream::connect(&[][..]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[wasio::test]
async fn a_bound_address_is_in_use() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let error = TcpListener::bind(addr).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().starts_with(&format!("bind {addr}: ")), "{error}");
}

#[wasio::test]
async fn texts_that_are_no_addresses() {
    for text in ["127.0.0.1", "127.0.0.1:port", "127.0.0.1:65536", ""] {
        let error = TcpStream::connect(text).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}: {error}");
    }
}

/// Closes a connection that has unread data.
fn reset(stream: TcpStream) {
    match stream.set_zero_linger() {
        Ok(()) => assert_eq!(stream.linger().unwrap(), Some(Duration::ZERO)),
        // WASI 0.2: the unread data still causes a reset.
        Err(e) => assert_eq!(e.kind(), ErrorKind::Unsupported),
    }
    drop(stream);
}

#[wasio::test]
#[cfg_attr(target_env = "p2", ignore = "a guest of WASI 0.2 cannot reset a connection")]
async fn a_reset_ends_reading_and_writing() {
    let (mut client, server) = pair().await;
    client.write_all(b"never read").await.unwrap();
    let reader = wasio::spawn(async move {
        let error = client.read(&mut [0; 8]).await.unwrap_err();
        (client, error)
    });
    wasio::task::yield_now().await;
    reset(server);
    let (mut client, error) = reader.await.unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let error = client.write_all(&[0; 8]).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
}

#[wasio::test]
async fn a_reset_ends_a_writer_that_waits() {
    let (mut client, server) = pair().await;
    let writer = wasio::spawn(async move {
        loop {
            if let Err(error) = client.write_all(&[0; 1 << 16]).await {
                break error;
            }
        }
    });
    // Until the writer has filled all buffers.
    wasio::time::sleep(Duration::from_millis(100)).await;
    assert!(!writer.is_finished());
    reset(server);
    let error = writer.await.unwrap();
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
}

#[wasio::test]
async fn peek_takes_nothing() {
    let (mut client, mut server) = pair().await;
    client.write_all(b"abcdef").await.unwrap();
    let mut buf = [0; 4];
    while server.peek(&mut buf).await.unwrap() < 4 {}
    assert_eq!(&buf, b"abcd");
    // Fewer bytes than there is room for.
    let mut large = [0; 64];
    assert_eq!(server.peek(&mut large).await.unwrap(), 6);
    server.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"abcd");
    drop(client);
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"ef");
    assert_eq!(server.peek(&mut buf).await.unwrap(), 0);
}

#[wasio::test]
async fn tries_do_not_wait() {
    let (client, server) = pair().await;
    let error = server.try_read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    client.writable().await.unwrap();
    assert_eq!(client.try_write(b"abc").unwrap(), 3);
    let slices = [IoSlice::new(b"de"), IoSlice::new(b""), IoSlice::new(b"f")];
    assert_eq!(client.try_write_vectored(&slices).unwrap(), 3);
    let mut received = Vec::new();
    while received.len() < 2 {
        server.readable().await.unwrap();
        match server.try_read_buf(&mut bytes_of(&mut received, 2)) {
            Ok(_) => {}
            Err(e) => assert_eq!(e.kind(), ErrorKind::WouldBlock),
        }
    }
    assert_eq!(received, b"ab");
    let (mut a, mut b) = ([0; 1], [0; 3]);
    let mut bufs = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
    server.readable().await.unwrap();
    assert_eq!(server.try_read_vectored(&mut bufs).unwrap(), 4);
    assert_eq!((&a, &b), (b"c", b"def"));
    let error = server.try_read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    drop(client);
    server.readable().await.unwrap();
    assert_eq!(server.try_read(&mut [0; 8]).unwrap(), 0);
}

/// Appends to a vector, `limit` bytes at most.
fn bytes_of(vec: &mut Vec<u8>, limit: usize) -> impl bytes::BufMut {
    bytes::BufMut::limit(vec, limit)
}

#[wasio::test]
async fn vectored_writes() {
    let (mut client, mut server) = pair().await;
    assert!(wasio::io::AsyncWrite::is_write_vectored(&client));
    let parts: Vec<[u8; 3]> = (0..100u8).map(|i| [i; 3]).collect();
    let mut sent = 0;
    // More slices than one host call takes. It takes a prefix of them.
    while sent < 300 {
        let flat: Vec<u8> = parts.concat();
        let rest: Vec<IoSlice<'_>> = flat[sent..].chunks(3).map(IoSlice::new).collect();
        sent += client.write_vectored(&rest).await.unwrap();
    }
    client.shutdown().await.unwrap();
    let mut received = Vec::new();
    server.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, parts.concat());
}

#[wasio::test]
async fn owned_halves() {
    let (client, server) = pair().await;
    let (mut read, mut write) = client.into_split();
    let (other_read, other_write) = server.into_split();
    assert_eq!(read.peer_addr().unwrap(), other_write.local_addr().unwrap());

    let writer = wasio::spawn(async move {
        write.write_all(b"to the server").await.unwrap();
        write
    });
    let write = writer.await.unwrap();

    let error = read.reunite(other_write).unwrap_err();
    assert!(error.to_string().contains("not from the same socket"));
    let wasio::net::tcp::ReuniteError(same_read, other_write) = error;
    read = same_read;
    let client = read.reunite(write).unwrap();

    let mut server = other_read.reunite(other_write).unwrap();
    drop(client);
    let mut text = String::new();
    server.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "to the server");
}

#[wasio::test]
async fn dropping_the_owned_writing_half_shuts_down() {
    let (client, mut server) = pair().await;
    let (mut read, write) = client.into_split();
    drop(write);
    assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
    server.write_all(b"x").await.unwrap();
    read.read_exact(&mut [0; 1]).await.unwrap();

    let (client, mut server) = pair().await;
    let (_read, write) = client.into_split();
    write.forget();
    let nothing = timeout(Duration::from_millis(20), server.read(&mut [0; 1])).await;
    assert!(nothing.is_err(), "forgetting must not shut down");
}

#[wasio::test]
async fn options() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    assert!(socket.reuseaddr().unwrap());
    socket.set_keepalive(true).unwrap();
    assert!(socket.keepalive().unwrap());
    socket.set_send_buffer_size(32 * 1024).unwrap();
    assert!(socket.send_buffer_size().unwrap() >= 32 * 1024);
    socket.set_recv_buffer_size(32 * 1024).unwrap();
    assert!(socket.recv_buffer_size().unwrap() >= 32 * 1024);
    match socket.linger() {
        Ok(linger) => assert_eq!(linger, None),
        // WASI 0.2.
        Err(e) => assert_eq!(e.kind(), ErrorKind::Unsupported),
    }
    socket.set_nodelay(true).unwrap();
    match socket.nodelay() {
        Ok(nodelay) => assert!(nodelay),
        // WasmEdge, WASI 0.2.
        Err(e) => assert_eq!(e.kind(), ErrorKind::Unsupported),
    }
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = socket.local_addr().unwrap();
    let listener = socket.listen(16).unwrap();
    assert_eq!(listener.local_addr().unwrap(), addr);

    let socket = TcpSocket::new_v4().unwrap();
    let mut client = socket.connect(addr).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    client.set_nodelay(true).unwrap();
    client.write_all(b"1").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'1');
    match client.set_ttl(33) {
        Ok(()) => assert_eq!(client.ttl().unwrap(), 33),
        Err(e) => assert_eq!(e.kind(), ErrorKind::Unsupported),
    }
}

#[wasio::test]
async fn the_standard_librarys_types() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let listener = TcpListener::from_std(listener.into_std().unwrap()).unwrap();
    assert_eq!(listener.local_addr().unwrap(), addr);
    let client = TcpStream::connect(addr).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let mut client = TcpStream::from_std(client.into_std().unwrap()).unwrap();
    client.write_all(b"std").await.unwrap();
    let mut buf = [0; 3];
    server.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"std");
}

#[wasio::test]
async fn many_tasks_accept_on_one_listener() {
    let listener = std::sync::Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let addr = listener.local_addr().unwrap();
    let mut acceptors = JoinSet::new();
    for _ in 0..20 {
        let listener = listener.clone();
        acceptors.spawn(async move { listener.accept().await.unwrap().1 });
    }
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(TcpStream::connect(addr).await.unwrap());
    }
    let mut accepted = acceptors.join_all().await;
    let mut connected: Vec<_> = clients.iter().map(|c| c.local_addr().unwrap()).collect();
    accepted.sort();
    connected.sort();
    assert_eq!(accepted, connected);
}

#[wasio::test]
async fn a_dropped_operation_loses_nothing() {
    let (mut client, mut server) = pair().await;
    let mut buf = [0; 1];
    for byte in 0..10 {
        // Polled once and dropped.
        let dropped = timeout(Duration::ZERO, server.read(&mut buf)).await;
        assert!(dropped.is_err());
        client.write_u8(byte).await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), byte);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    assert!(timeout(Duration::ZERO, listener.accept()).await.is_err());
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (_, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

/// On WASI 0.2 dropping a stream would wait for the peer, so a dropped stream is kept.
#[wasio::test]
async fn what_was_written_arrives_though_the_stream_is_dropped() {
    const BYTES: usize = 4 << 20;
    let (client, mut server) = pair().await;
    let writer = wasio::spawn(async move {
        server.write_all(&vec![7; BYTES]).await.unwrap();
        // Not all of the data has been sent.
        drop(server);
    });
    let mut reader = client;
    let (mut buf, mut read) = (vec![0; 64 << 10], 0);
    while read < BYTES / 2 || !writer.is_finished() {
        read += reader.read(&mut buf).await.unwrap();
        yield_now().await;
    }
    // No task is held up by it.
    let (mut client, mut server) = pair().await;
    client.write_all(b"x").await.unwrap();
    server.read_exact(&mut [0; 1]).await.unwrap();
    read += reader.read_to_end(&mut Vec::new()).await.unwrap();
    assert_eq!(read, BYTES);
}

#[wasio::test]
async fn a_connect_can_be_given_up() {
    // The queue of this listener holds one connection. Further connections get no answer.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut streams = Vec::new();
    loop {
        match timeout(Duration::from_millis(50), TcpStream::connect(addr)).await {
            Ok(stream) => streams.push(stream.unwrap()),
            Err(_) => break,
        }
        assert!(streams.len() < 100, "the queue never fills");
    }
    // The other connections are not affected.
    for _ in &streams {
        listener.accept().await.unwrap();
    }
}

/// Readiness stays until an operation finds it gone. The end of the stream is noticed all the same.
#[wasio::test]
async fn an_end_is_seen_beside_readiness_that_nobody_uses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    if std::env::var_os("WASIO_TEST_UNIX_SOCKETS").is_some() {
        // The variable is set for WasmEdge, which does not report the end before everything is read.
        return;
    }
    client.write_all(b"unread").await.unwrap();
    server.readable().await.unwrap();
    drop(client);
    while !server.ready(Interest::READABLE).await.unwrap().is_read_closed() {
        yield_now().await;
    }
    let mut unread = Vec::new();
    server.read_to_end(&mut unread).await.unwrap();
    assert_eq!(unread, b"unread");
}

/// Counts how often a sleeping task is woken while another one waits for the network.
async fn ticks(limit: Duration) -> u32 {
    let start = std::time::Instant::now();
    let mut ticks = 0;
    while start.elapsed() < limit {
        wasio::time::sleep(Duration::from_millis(5)).await;
        ticks += 1;
    }
    ticks
}

#[wasio::test]
async fn accepting_holds_up_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accept = wasio::spawn(async move { listener.accept().await.map(|_| ()) });
    assert!(ticks(Duration::from_millis(100)).await >= 3);
    assert!(!accept.is_finished(), "nobody connects");
    let _client = TcpStream::connect(address).await.unwrap();
    accept.await.unwrap().unwrap();
}

/// Linux leaves a connection unanswered while a listener's queue is full.
#[cfg(any(target_os = "linux", target_os = "wasi"))]
#[wasio::test]
async fn connecting_holds_up_nobody() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut open = Vec::new();
    let waiting = loop {
        let mut connect = wasio::spawn(TcpStream::connect(address));
        match timeout(Duration::from_millis(200), &mut connect).await {
            Ok(stream) => open.push(stream.unwrap().unwrap()),
            Err(_) => break connect,
        }
        assert!(open.len() < 100, "the queue has room for one");
    };
    assert!(ticks(Duration::from_millis(100)).await >= 3);
    assert!(!waiting.is_finished(), "nobody accepts");
    for _ in 0..=open.len() {
        listener.accept().await.unwrap();
    }
    waiting.await.unwrap().unwrap();
}
