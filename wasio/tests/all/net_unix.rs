//! Unix sockets through the public API: they work natively and on WasmEdge, and are `Unsupported` elsewhere.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wasio::io::{AsyncReadExt, AsyncWriteExt};
use wasio::net::{UnixDatagram, UnixListener, UnixSocket, UnixStream};
use wasio::time::timeout;

/// Whether this host supports them. On hosts that are known to support them, an error fails the test.
fn are_there() -> bool {
    let known = cfg!(unix) || std::env::var_os("WASIO_TEST_UNIX_SOCKETS").is_some();
    if !known {
        println!("skipped: this host has no Unix sockets");
    }
    known
}

/// A path of its own for each test, removed at its end. Guests share a folder with their host only here.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let name = format!("wasio-{}-{name}", now.as_nanos());
        let folder = if cfg!(unix) { std::env::temp_dir() } else { PathBuf::from(".") };
        Place(folder.join(name))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(not(unix))]
#[wasio::test]
async fn a_host_without_them_says_so() {
    use ErrorKind::Unsupported;

    // No target supports these.
    assert_eq!(UnixStream::pair().unwrap_err().kind(), Unsupported);
    assert_eq!(UnixDatagram::pair().unwrap_err().kind(), Unsupported);
    if std::env::var_os("WASIO_TEST_UNIX_SOCKETS").is_some() {
        return;
    }
    assert_eq!(UnixListener::bind("s").unwrap_err().kind(), Unsupported);
    assert_eq!(UnixStream::connect("s").await.unwrap_err().kind(), Unsupported);
    assert_eq!(UnixDatagram::bind("s").unwrap_err().kind(), Unsupported);
    assert_eq!(UnixDatagram::unbound().unwrap_err().kind(), Unsupported);
    assert_eq!(UnixSocket::new_stream().unwrap_err().kind(), Unsupported);
    assert_eq!(UnixSocket::new_datagram().unwrap_err().kind(), Unsupported);
}

#[wasio::test]
async fn streams() {
    if !are_there() {
        return;
    }
    let place = Place::new("streams");
    let listener = UnixListener::bind(place.path()).unwrap();
    assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(place.path()));
    let mut client = UnixStream::connect(place.path()).await.unwrap();
    let (mut server, peer) = listener.accept().await.unwrap();
    assert!(peer.is_unnamed(), "{peer:?}");
    assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(place.path()));
    #[cfg(unix)]
    assert_eq!(server.peer_cred().unwrap().pid(), Some(std::process::id() as i32));
    client.write_all(b"ping").await.unwrap();
    let (read, write) = client.into_split();
    drop(write);
    let mut text = String::new();
    server.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "ping");
    drop(read);

    let error = UnixListener::bind(place.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    drop(listener);
    let error = UnixStream::connect(place.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

/// The same as for TCP (`net_connect`).
#[wasio::test]
async fn connecting_is_pending_first() {
    use std::future::Future;

    if !are_there() {
        return;
    }
    let place = Place::new("pending");
    let listener = UnixListener::bind(place.path()).unwrap();
    let mut connect = std::pin::pin!(UnixStream::connect(place.path()));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(connect.as_mut().poll(&mut cx).is_pending());
    let (client, server) = wasio::join!(connect, listener.accept());
    drop((client.unwrap(), server.unwrap()));
}

#[wasio::test]
async fn a_listener_waits_and_much_goes_through() {
    if !are_there() {
        return;
    }
    let place = Place::new("much");
    let listener = UnixListener::bind(place.path()).unwrap();
    let server = wasio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        stream.write_all(&all).await.unwrap();
        all.len()
    });
    wasio::task::yield_now().await;
    let mut stream = UnixStream::connect(place.path()).await.unwrap();
    let sent: Vec<u8> = (0..1_000_000).map(|n| n as u8).collect();
    stream.write_all(&sent).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).await.unwrap();
    assert!(back == sent);
    assert_eq!(server.await.unwrap(), sent.len());
}

#[wasio::test]
async fn a_wait_that_is_given_up_loses_nothing() {
    if !are_there() {
        return;
    }
    let soon = Duration::from_millis(5);
    let (place, other) = (Place::new("given-up"), Place::new("given-up-too"));
    let listener = UnixListener::bind(place.path()).unwrap();
    assert!(timeout(soon, listener.accept()).await.is_err());
    let mut client = UnixStream::connect(place.path()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let mut buf = [0; 8];
    assert!(timeout(soon, server.read(&mut buf)).await.is_err());
    client.write_all(b"late").await.unwrap();
    assert_eq!(server.read(&mut buf).await.unwrap(), 4);

    let messages = UnixDatagram::bind(other.path()).unwrap();
    assert!(timeout(soon, messages.recv_from(&mut buf)).await.is_err());
    UnixDatagram::unbound().unwrap().send_to(b"late", other.path()).await.unwrap();
    assert_eq!(messages.recv(&mut buf).await.unwrap(), 4);
}

#[wasio::test]
async fn messages() {
    if !are_there() {
        return;
    }
    let (here, there) = (Place::new("here"), Place::new("there"));
    let a = UnixDatagram::bind(here.path()).unwrap();
    let b = UnixSocket::new_datagram().unwrap();
    b.bind(there.path()).unwrap();
    let b = b.datagram().unwrap();
    a.send_to(b"one", there.path()).await.unwrap();
    let mut buf = [0; 8];
    let (n, sender) = b.recv_from(&mut buf).await.unwrap();
    assert_eq!((n, sender.as_pathname()), (3, Some(here.path())));
    b.connect(here.path()).unwrap();
    b.send(b"two").await.unwrap();
    assert_eq!(a.recv(&mut buf).await.unwrap(), 3);
    // A sender without a name.
    let nobody = UnixDatagram::unbound().unwrap();
    nobody.send_to(b"three", here.path()).await.unwrap();
    let (n, sender) = a.recv_from(&mut buf).await.unwrap();
    assert_eq!((n, sender.is_unnamed()), (5, true));
}

#[wasio::test]
async fn a_socket_is_of_one_kind() {
    if !are_there() {
        return;
    }
    assert!(UnixSocket::new_stream().unwrap().datagram().is_err());
    assert!(UnixSocket::new_datagram().unwrap().listen(1).is_err());
}

#[wasio::test]
async fn a_path_that_cannot_be() {
    if !are_there() {
        return;
    }
    for path in ["x".repeat(200), "a\0b".to_owned()] {
        assert_eq!(UnixListener::bind(path).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    let error = UnixStream::connect("wasio-is-not-there").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[cfg(target_os = "linux")]
#[wasio::test]
async fn abstract_names() {
    let name = format!("\0wasio-{}", std::process::id());
    let listener = UnixListener::bind(&name).unwrap();
    let addr = listener.local_addr().unwrap();
    assert_eq!(addr.as_abstract_name(), Some(&name.as_bytes()[1..]));
    let client = UnixStream::connect_addr(&addr).await.unwrap();
    listener.accept().await.unwrap();
    assert_eq!(client.peer_addr().unwrap().as_abstract_name(), addr.as_abstract_name());
}

#[cfg(unix)]
#[wasio::test]
async fn pairs() {
    let (c, d) = UnixDatagram::pair().unwrap();
    c.send(b"pair").await.unwrap();
    let mut buf = [0; 8];
    let (n, sender) = d.recv_from(&mut buf).await.unwrap();
    assert_eq!((n, sender.is_unnamed()), (4, true));
}

#[cfg(unix)]
#[wasio::test]
async fn pipes() {
    use wasio::net::unix::pipe;

    let (mut tx, mut rx) = pipe::pipe().unwrap();
    let reader = wasio::spawn(async move {
        let mut text = String::new();
        rx.read_to_string(&mut text).await.unwrap();
        text
    });
    tx.write_all(b"through the pipe").await.unwrap();
    drop(tx);
    assert_eq!(reader.await.unwrap(), "through the pipe");

    let (tx, rx) = pipe::pipe().unwrap();
    drop(rx);
    // Nothing is attempted before the reactor reports an event, as in tokio.
    tx.writable().await.unwrap();
    assert_eq!(tx.try_write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
}
