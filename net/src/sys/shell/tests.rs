//! Every function of the public API fails as unsupported. None panics or waits.

use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::process::Command;
use crate::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
    lookup_host,
};

/// Polls a future that must be ready at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

#[track_caller]
fn unsupported<T: Debug>(result: io::Result<T>, what: &str) {
    let error = result.expect_err("nothing is supported");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains(what), "{error}");
}

const SOCKETS: &str = "this target has no sockets";
const UNIX: &str = "this target has no Unix sockets";

#[test]
fn sockets() {
    let addr = SocketAddr::from(([127, 0, 0, 1], 80));
    unsupported(now(TcpStream::connect(addr)), SOCKETS);
    unsupported(now(TcpStream::connect(addr)), "connect 127.0.0.1:80: ");
    unsupported(now(TcpListener::bind(addr)), SOCKETS);
    unsupported(now(UdpSocket::bind(addr)), SOCKETS);
    unsupported(TcpSocket::new_v4(), SOCKETS);
}

#[test]
fn unix_sockets() {
    unsupported(now(UnixStream::connect("/a")), UNIX);
    unsupported(UnixListener::bind("/a"), UNIX);
    unsupported(UnixStream::pair(), UNIX);
    unsupported(UnixDatagram::unbound(), UNIX);
}

#[test]
fn names() {
    let found: Vec<_> = now(lookup_host("localhost:80")).unwrap().collect();
    assert!(found.iter().all(|addr| addr.ip().is_loopback()) && !found.is_empty());
    let error = now(lookup_host("name.test:80")).map(drop);
    unsupported(error, "lookup name.test: this target cannot look names up");
    unsupported(now(TcpStream::connect("name.test:80")), "name.test");
}

#[test]
fn processes() {
    unsupported(Command::new("true").spawn(), "not supported");
}

/// The standard library's sockets, on targets that have them.
#[test]
fn sockets_of_others() {
    let Ok(listener) = std::net::TcpListener::bind("127.0.0.1:0") else { return };
    let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let socket = TcpSocket::from_std_stream(stream.try_clone().unwrap());
    unsupported(socket.local_addr(), SOCKETS);
    unsupported(socket.set_nodelay(true), SOCKETS);
    assert!(format!("{socket:?}").contains("-1"), "{socket:?}");
    unsupported(socket.listen(1), SOCKETS);
    unsupported(TcpStream::from_std(stream), SOCKETS);
}
