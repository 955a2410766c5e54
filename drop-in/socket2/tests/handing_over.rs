//! The ways in which crates pass sockets between socket2, std and tokio.

use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use wasio::io::{AsyncReadExt, AsyncWriteExt};
use wasio::net::{TcpListener, TcpSocket, TcpStream};

fn keepalive() -> TcpKeepalive {
    let times = TcpKeepalive::new().with_time(Duration::from_secs(30));
    times.with_interval(Duration::from_secs(5)).with_retries(3)
}

/// As hyper-util connects: socket2, std, tokio.
#[wasio::test]
async fn a_socket_becomes_tokios() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP)).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.set_tcp_keepalive(&keepalive()).unwrap();
    assert!(socket.keepalive().unwrap());
    socket.bind(&SockAddr::from(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    let socket = TcpSocket::from_std_stream(socket.into());
    let mut client = socket.connect(addr).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    client.write_all(b"ping").await.unwrap();
    let mut buf = [0; 4];
    server.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"ping");
}

/// As tonic and tokio-postgres configure a connection of tokio's.
#[wasio::test]
async fn a_connection_of_tokios_is_configured() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    {
        let socket = SockRef::from(&client);
        assert!(!socket.keepalive().unwrap());
        socket.set_tcp_keepalive(&keepalive()).unwrap();
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.local_addr().unwrap().as_socket(), client.local_addr().ok());
    }
    assert!(SockRef::from(&client).keepalive().unwrap());
    client.write_all(b"still open").await.unwrap();
    drop(client);
    let mut all = String::new();
    server.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "still open");
}

/// As redis does: tokio, std, socket2 and back.
#[wasio::test]
async fn there_and_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let socket = Socket::from(client.into_std().unwrap());
    socket.set_tcp_nodelay(true).unwrap();
    let mut client = TcpStream::from_std(socket.into()).unwrap();
    client.write_all(b"x").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'x');
}

/// Sockets of the standard library's own, which on preview 1 cannot connect.
#[cfg(not(target_env = "p1"))]
#[wasio::test]
async fn a_connection_of_the_standard_librarys() {
    use std::io::{Read as _, Write as _};

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut std = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    {
        let socket = SockRef::from(&std);
        assert_eq!(socket.peer_addr().unwrap().as_socket(), listener.local_addr().ok());
        socket.set_tcp_keepalive(&keepalive()).unwrap();
        assert!(socket.keepalive().unwrap());
    }
    // It was lent.
    std.write_all(b"std").unwrap();
    let socket = Socket::from(std);
    assert!(socket.keepalive().unwrap());
    socket.send(b" socket2").unwrap();
    socket.set_nonblocking(true).unwrap();
    std = socket.into();
    assert_eq!(std.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    std.write_all(b" std").unwrap();
    let mut stream = TcpStream::from_std(std).unwrap();
    stream.write_all(b" tokio").await.unwrap();
    drop(stream);
    let mut all = String::new();
    server.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "std socket2 std tokio");
}

/// A server's socket made here.
#[wasio::test]
async fn a_listener() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.bind(&SockAddr::from(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    socket.listen(128).unwrap();
    let listener = TcpListener::from_std(socket.into()).unwrap();
    let addr = listener.local_addr().unwrap();
    let (client, accepted) = wasio::join!(TcpStream::connect(addr), listener.accept());
    assert_eq!(client.unwrap().local_addr().unwrap(), accepted.unwrap().1);
}

#[test]
fn what_cannot_be_opened() {
    if cfg!(target_os = "wasi") {
        let error = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
        let error = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::UDP)).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
    }
}

/// A datagram socket of the standard library's is used by both.
#[cfg(not(target_env = "p1"))]
#[wasio::test]
async fn datagrams_of_the_standard_librarys() {
    let std = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    std.set_nonblocking(true).unwrap();
    let addr = std.local_addr().unwrap();
    let other = wasio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer = other.local_addr().unwrap();
    {
        let lent = SockRef::from(&std);
        assert_eq!(lent.r#type().unwrap(), Type::DGRAM);
        lent.set_recv_buffer_size(64 << 10).unwrap();
        assert_eq!(lent.local_addr().unwrap().as_socket(), Some(addr));
        lent.send_to(b"lent", &SockAddr::from(peer)).unwrap();
    }
    let mut buf = [0; 8];
    assert_eq!(other.recv_from(&mut buf).await.unwrap(), (4, addr));
    std.send_to(b"std", peer).unwrap();
    assert_eq!(other.recv_from(&mut buf).await.unwrap(), (3, addr));
    // Waits make something of the C library's own, which does not stand in the way.
    std.set_nonblocking(false).unwrap();
    other.send_to(b"to std", addr).await.unwrap();
    assert_eq!(std.recv(&mut buf).unwrap(), 6);
    SockRef::from(&std).connect(&SockAddr::from(peer)).unwrap();
    assert_eq!(std.peer_addr().unwrap(), peer);
    std.send(b"both").unwrap();
    assert_eq!(other.recv_from(&mut buf).await.unwrap(), (4, addr));
    other.send_to(b"again", addr).await.unwrap();
    assert_eq!(std.recv(&mut buf).unwrap(), 5);
}
