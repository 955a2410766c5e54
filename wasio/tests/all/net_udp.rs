//! UDP through the public API, on every backend.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use wasio::io::ReadBuf;
use wasio::net::UdpSocket;
use wasio::time::timeout;

async fn bound() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = socket.local_addr().unwrap();
    (socket, addr)
}

#[wasio::test]
async fn unconnected() {
    let ((a, a_addr), (b, b_addr)) = (bound().await, bound().await);
    assert_eq!(a.send_to(b"hello", b_addr).await.unwrap(), 5);
    let mut buf = [0; 16];
    assert_eq!(b.recv_from(&mut buf).await.unwrap(), (5, a_addr));
    assert_eq!(&buf[..5], b"hello");
    assert_eq!(b.send_to(b"", a_addr).await.unwrap(), 0);
    assert_eq!(a.recv_from(&mut buf).await.unwrap(), (0, b_addr));
    assert_eq!(a.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
}

#[wasio::test]
async fn connected() {
    let ((a, a_addr), (b, b_addr), (c, _)) = (bound().await, bound().await, bound().await);
    a.connect(b_addr).await.unwrap();
    b.connect(a_addr).await.unwrap();
    assert_eq!(a.peer_addr().unwrap(), b_addr);
    a.send(b"ping").await.unwrap();
    let mut buf = [0; 16];
    assert_eq!(b.recv(&mut buf).await.unwrap(), 4);
    assert_eq!(&buf[..4], b"ping");
    // Messages from other senders are not received.
    c.send_to(b"stranger", b_addr).await.unwrap();
    a.send(b"friend").await.unwrap();
    assert_eq!(b.recv_from(&mut buf).await.unwrap(), (6, a_addr));
}

#[wasio::test]
async fn ipv6() {
    let a = UdpSocket::bind("[::1]:0").await.unwrap();
    let b = UdpSocket::bind("[::1]:0").await.unwrap();
    a.send_to(b"six", b.local_addr().unwrap()).await.unwrap();
    let mut buf = [0; 8];
    assert_eq!(b.recv_from(&mut buf).await.unwrap(), (3, a.local_addr().unwrap()));
}

#[wasio::test]
async fn a_short_buffer_cuts_the_message() {
    let ((a, _), (b, b_addr)) = (bound().await, bound().await);
    a.send_to(b"a long message", b_addr).await.unwrap();
    a.send_to(b"next", b_addr).await.unwrap();
    let mut buf = [0; 6];
    assert_eq!(b.recv(&mut buf).await.unwrap(), 6);
    assert_eq!(&buf, b"a long");
    assert_eq!(b.recv(&mut buf).await.unwrap(), 4);
}

#[wasio::test]
async fn peeking() {
    let ((a, a_addr), (b, b_addr)) = (bound().await, bound().await);
    a.send_to(b"look", b_addr).await.unwrap();
    let mut buf = [0; 16];
    assert_eq!(b.peek_sender().await.unwrap(), a_addr);
    assert_eq!(b.peek(&mut buf).await.unwrap(), 4);
    assert_eq!(b.peek_from(&mut buf).await.unwrap(), (4, a_addr));
    assert_eq!(b.try_peek(&mut buf).unwrap(), 4);
    assert_eq!(b.try_peek_from(&mut buf).unwrap(), (4, a_addr));
    assert_eq!(b.try_peek_sender().unwrap(), a_addr);
    let mut read = ReadBuf::new(&mut buf);
    let sender = std::future::poll_fn(|cx| b.poll_peek_from(cx, &mut read)).await.unwrap();
    assert_eq!((read.filled(), sender), (&b"look"[..], a_addr));
    assert_eq!(b.recv(&mut buf).await.unwrap(), 4);
    assert_eq!(b.try_peek(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[wasio::test]
async fn tries_do_not_wait() {
    let ((a, a_addr), (b, b_addr)) = (bound().await, bound().await);
    let mut buf = [0; 16];
    assert_eq!(b.try_recv_from(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
    a.writable().await.unwrap();
    assert_eq!(a.try_send_to(b"one", b_addr).unwrap(), 3);
    b.readable().await.unwrap();
    assert_eq!(b.try_recv_from(&mut buf).unwrap(), (3, a_addr));
    assert_eq!(b.try_recv(&mut buf).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[wasio::test]
async fn buffers_that_grow() {
    let ((a, a_addr), (b, b_addr)) = (bound().await, bound().await);
    a.send_to(b"one", b_addr).await.unwrap();
    a.send_to(b"two", b_addr).await.unwrap();
    let mut received = Vec::with_capacity(64);
    assert_eq!(b.recv_buf(&mut received).await.unwrap(), 3);
    assert_eq!(b.recv_buf_from(&mut received).await.unwrap(), (3, a_addr));
    assert_eq!(received, b"onetwo");
}

#[wasio::test]
async fn two_tasks_share_a_socket() {
    let ((a, a_addr), (b, b_addr)) = (bound().await, bound().await);
    let a = Arc::new(a);
    let receiver = wasio::spawn({
        let a = a.clone();
        async move {
            let mut buf = [0; 16];
            a.recv_from(&mut buf).await.unwrap().0
        }
    });
    wasio::task::yield_now().await;
    a.send_to(b"there", b_addr).await.unwrap();
    let mut buf = [0; 16];
    let (n, _) = b.recv_from(&mut buf).await.unwrap();
    b.send_to(&buf[..n], a_addr).await.unwrap();
    assert_eq!(receiver.await.unwrap(), 5);
}

#[wasio::test]
async fn a_dropped_receive_loses_nothing() {
    let ((a, _), (b, b_addr)) = (bound().await, bound().await);
    let mut buf = [0; 16];
    for i in 0..10u8 {
        assert!(timeout(Duration::ZERO, b.recv(&mut buf)).await.is_err());
        a.send_to(&[i], b_addr).await.unwrap();
        assert_eq!(b.recv(&mut buf).await.unwrap(), 1);
        assert_eq!(buf[0], i);
    }
}

#[wasio::test]
async fn too_long_a_message() {
    let ((a, _), (_b, b_addr)) = (bound().await, bound().await);
    let error = a.send_to(&vec![0; 70_000], b_addr).await.unwrap_err();
    assert_ne!(error.kind(), ErrorKind::WouldBlock);
    // The socket works as before.
    a.send_to(b"short", b_addr).await.unwrap();
}

#[wasio::test]
async fn nobody_listens() {
    let (a, _) = bound().await;
    let gone = bound().await.1;
    a.connect(gone).await.unwrap();
    a.send(b"anyone?").await.unwrap();
    let error = timeout(Duration::from_secs(5), a.recv(&mut [0; 8])).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

/// The error is reported while a task waits. The socket can be used and waited on afterwards.
#[wasio::test]
async fn a_waiting_task_hears_that_nobody_listens() {
    let a = std::sync::Arc::new(bound().await.0);
    let gone = bound().await.1;
    a.connect(gone).await.unwrap();
    for _ in 0..2 {
        let waiting = wasio::spawn({
            let a = a.clone();
            async move { timeout(Duration::from_secs(5), a.recv(&mut [0; 8])).await.unwrap() }
        });
        wasio::time::sleep(Duration::from_millis(20)).await;
        assert!(!waiting.is_finished());
        a.send(b"anyone?").await.unwrap();
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    // The error, once reported, wakes no task again.
    let mut buf = [0; 8];
    assert!(timeout(Duration::from_millis(50), a.recv(&mut buf)).await.is_err());
}

#[wasio::test]
async fn options() {
    let (a, _) = bound().await;
    assert!(a.take_error().unwrap().is_none());
    if cfg!(target_env = "p2") {
        // The interface has only these options.
        a.set_ttl(20).unwrap();
        assert_eq!(a.ttl().unwrap(), 20);
        assert_eq!(a.broadcast().unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(a.set_broadcast(true).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(a.multicast_ttl_v4().unwrap_err().kind(), ErrorKind::Unsupported);
        return;
    }
    assert!(!a.broadcast().unwrap());
    a.set_broadcast(true).unwrap();
    assert!(a.broadcast().unwrap());
    let others = [
        a.set_ttl(20).and_then(|()| a.ttl()),
        a.set_multicast_ttl_v4(3).and_then(|()| a.multicast_ttl_v4()),
        a.set_multicast_loop_v4(false).and_then(|()| a.multicast_loop_v4().map(u32::from)),
    ];
    if cfg!(target_os = "wasi") {
        for result in others {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Unsupported);
        }
        let joined = a.join_multicast_v4(Ipv4Addr::new(224, 0, 0, 1), Ipv4Addr::UNSPECIFIED);
        assert_eq!(joined.unwrap_err().kind(), ErrorKind::Unsupported);
    } else {
        assert_eq!(others.map(Result::unwrap), [20, 3, 0]);
    }
}

#[wasio::test]
async fn the_standard_librarys_type() {
    let (a, a_addr) = bound().await;
    let a = UdpSocket::from_std(a.into_std().unwrap()).unwrap();
    assert_eq!(a.local_addr().unwrap(), a_addr);
    let (b, _) = bound().await;
    b.send_to(b"std", a_addr).await.unwrap();
    assert_eq!(a.recv(&mut [0; 8]).await.unwrap(), 3);
}
