//! What lettre, quinn, actix-web, fred and hyper-util call, on every target: it works, or it is `Unsupported`.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, MaybeUninitSlice, MsgHdr, Protocol, SockAddr, SockRef, Socket, Type};

const IS_WASI: bool = cfg!(target_os = "wasi");
const NEVER_BLOCKS: bool = cfg!(all(target_os = "wasi", target_env = "p2"));

fn loopback() -> SockAddr {
    SocketAddr::from(([127, 0, 0, 1], 0)).into()
}

/// Right natively; on WASI `Unsupported`, with a reason.
#[track_caller]
fn native_only<T>(result: io::Result<T>) {
    match result {
        Ok(_) if IS_WASI => panic!("works on WASI, and should be tested as such"),
        Ok(_) => {}
        Err(e) => {
            if !IS_WASI {
                panic!("natively: {e}");
            }
            assert_eq!(e.kind(), io::ErrorKind::Unsupported);
            assert!(e.to_string().contains("not on WASI: "), "{e}");
        }
    }
}

fn listener() -> (Socket, SockAddr) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
    listener.set_reuse_address(true).unwrap();
    listener.bind(&loopback()).unwrap();
    listener.listen(128).unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// Until it does not say that it would block, which it does not on a socket that blocks.
fn wait<T>(mut op: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match op() {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(1));
            }
            result => return result,
        }
    }
}

fn connected() -> (Socket, Socket) {
    let (listener, addr) = listener();
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    client.connect_timeout(&addr, Duration::from_secs(20)).unwrap();
    let (server, from) = wait(|| listener.accept()).unwrap();
    assert_eq!(from, client.local_addr().unwrap());
    (client, server)
}

#[test]
fn a_connection_with_a_time_limit() {
    let (client, server) = connected();
    assert_eq!(client.nonblocking().unwrap(), NEVER_BLOCKS);
    assert_eq!(client.r#type().unwrap(), Type::STREAM);
    assert_eq!(client.domain().unwrap(), Domain::IPV4);
    assert_eq!(client.protocol().unwrap(), Some(Protocol::TCP));
    wait(|| (&client).write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"cde")])).unwrap();
    let (mut one, mut two) = ([MaybeUninit::new(0); 2], [MaybeUninit::new(0); 9]);
    let mut bufs = [MaybeUninitSlice::new(&mut one), MaybeUninitSlice::new(&mut two)];
    let (n, flags) = wait(|| server.recv_vectored(&mut bufs)).unwrap();
    assert_eq!((n, flags.is_truncated()), (5, false));
    wait(|| (&server).write(b"xyz")).unwrap();
    let (mut one, mut two) = ([0; 1], [0; 4]);
    let n = wait(|| {
        (&client).read_vectored(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)])
    });
    assert_eq!((n.unwrap(), one, two), (3, *b"x", *b"yz\0\0"));
}

#[test]
fn a_refused_connection() {
    let (listener, addr) = listener();
    drop(listener);
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let refused = client.connect_timeout(&addr, Duration::from_secs(20)).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn nodelay_reads_as_it_was_set() {
    let (client, _server) = connected();
    for on in [true, false, true] {
        client.set_tcp_nodelay(on).unwrap();
        assert_eq!(client.tcp_nodelay().unwrap(), on);
    }
}

#[test]
fn a_blocking_socket_and_its_timeouts() {
    let (client, _server) = connected();
    let time = Some(Duration::from_millis(40));
    if NEVER_BLOCKS {
        native_only(client.set_nonblocking(false));
        native_only(client.set_read_timeout(time));
        native_only(client.write_timeout());
        return;
    }
    assert_eq!(client.read_timeout().unwrap(), None);
    client.set_read_timeout(time).unwrap();
    client.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
    assert_eq!(client.read_timeout().unwrap(), time);
    assert_eq!(client.write_timeout().unwrap(), Some(Duration::from_secs(3)));
    let silent = (&client).read(&mut [0; 4]).unwrap_err();
    assert_eq!(silent.kind(), io::ErrorKind::WouldBlock);
    client.set_nonblocking(true).unwrap();
    assert!(client.nonblocking().unwrap());
}

#[test]
fn udp_with_a_shared_address() {
    let socket = || {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        socket.set_reuse_address(true).unwrap();
        assert!(socket.reuse_address().unwrap());
        assert_eq!(socket.r#type().unwrap(), Type::DGRAM);
        socket
    };
    let (first, second) = (socket(), socket());
    first.bind(&loopback()).unwrap();
    match second.bind(&first.local_addr().unwrap()) {
        Err(e) => assert!(NEVER_BLOCKS && e.kind() == io::ErrorKind::AddrInUse, "{e}"),
        Ok(()) if NEVER_BLOCKS => panic!("a socket that never blocks took it"),
        Ok(()) => {}
    }
}

#[test]
fn messages_in_several_buffers() {
    let socket = || {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        socket.bind(&loopback()).unwrap();
        socket
    };
    let (from, to) = (socket(), socket());
    let addr = to.local_addr().unwrap();
    let parts = [IoSlice::new(b"long"), IoSlice::new(b" message")];
    assert_eq!(wait(|| from.send_to_vectored(&parts, &addr)).unwrap(), 12);
    let sender = wait(|| to.peek_sender()).unwrap();
    assert_eq!(sender, from.local_addr().unwrap());
    let (mut one, mut two) = ([MaybeUninit::new(0); 4], [MaybeUninit::new(0); 3]);
    let mut bufs = [MaybeUninitSlice::new(&mut one), MaybeUninitSlice::new(&mut two)];
    let (n, flags, sender) = wait(|| to.recv_from_vectored(&mut bufs)).unwrap();
    assert_eq!((n, flags.is_truncated()), (7, true));
    assert_eq!(sender, from.local_addr().unwrap());

    let message = MsgHdr::new().with_addr(&addr).with_buffers(&parts[..1]);
    assert_eq!(wait(|| from.sendmsg(&message, 0)).unwrap(), 4);
    assert_eq!(wait(|| to.recv(&mut two)).unwrap(), 3);
}

#[test]
fn what_guests_have_not() {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    let group = Ipv4Addr::new(239, 1, 2, 3);
    native_only(socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST));
    native_only(socket.set_multicast_loop_v4(true));
    native_only(socket.multicast_ttl_v4());
    native_only(socket.device());
    native_only(socket.tos_v4());
    native_only(socket.try_clone());
    native_only(Socket::pair(Domain::UNIX, Type::STREAM, None));
    native_only(SockRef::from(&socket).set_reuse_port(true));
    let v6 = Socket::new(Domain::IPV6, Type::DGRAM, None).unwrap();
    native_only(v6.set_only_v6(false));
    native_only(v6.join_multicast_v6(&Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), 1));
    let v6 = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    match v6.set_only_v6(true) {
        Ok(()) => assert!(v6.only_v6().unwrap()),
        refused => native_only(refused),
    }
}
