//! Unix sockets through the public API: real ones natively, `Unsupported` on WASI.

#[cfg(not(unix))]
#[wasio::test]
async fn wasi_has_none() {
    use std::io::ErrorKind::Unsupported;
    use wasio::net::{UnixDatagram, UnixListener, UnixSocket, UnixStream};

    assert_eq!(UnixListener::bind("s").unwrap_err().kind(), Unsupported);
    assert_eq!(UnixStream::connect("s").await.unwrap_err().kind(), Unsupported);
    assert_eq!(UnixStream::pair().unwrap_err().kind(), Unsupported);
    assert_eq!(UnixDatagram::bind("s").unwrap_err().kind(), Unsupported);
    assert_eq!(UnixDatagram::unbound().unwrap_err().kind(), Unsupported);
    assert_eq!(UnixDatagram::pair().unwrap_err().kind(), Unsupported);
    assert_eq!(UnixSocket::new_stream().unwrap_err().kind(), Unsupported);
    assert_eq!(UnixSocket::new_datagram().unwrap_err().kind(), Unsupported);
}

#[cfg(unix)]
mod native {
    use std::io::ErrorKind;
    use std::path::PathBuf;

    use wasio::io::{AsyncReadExt, AsyncWriteExt};
    use wasio::net::unix::pipe;
    use wasio::net::{UnixDatagram, UnixListener, UnixSocket, UnixStream};

    /// A path of its own for each test, removed at its end.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let name = format!("wasio-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let _ = std::fs::remove_file(&path);
            Place(path)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[wasio::test]
    async fn streams() {
        let place = Place::new("streams");
        let listener = UnixListener::bind(&place.0).unwrap();
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*place.0));
        let mut client = UnixStream::connect(&place.0).await.unwrap();
        let (mut server, peer) = listener.accept().await.unwrap();
        assert!(peer.is_unnamed());
        assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(&*place.0));
        let me = server.peer_cred().unwrap();
        assert_eq!(me.pid(), Some(std::process::id() as i32));
        client.write_all(b"ping").await.unwrap();
        let (read, write) = client.into_split();
        drop(write);
        let mut text = String::new();
        server.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "ping");
        drop(read);

        let error = UnixListener::bind(&place.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(listener);
        let error = UnixStream::connect(&place.0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
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

    #[wasio::test]
    async fn messages() {
        let (here, there) = (Place::new("here"), Place::new("there"));
        let a = UnixDatagram::bind(&here.0).unwrap();
        let b = UnixSocket::new_datagram().unwrap();
        b.bind(&there.0).unwrap();
        let b = b.datagram().unwrap();
        a.send_to(b"one", &there.0).await.unwrap();
        let mut buf = [0; 8];
        let (n, sender) = b.recv_from(&mut buf).await.unwrap();
        assert_eq!((n, sender.as_pathname()), (3, Some(&*here.0)));
        b.connect(&here.0).unwrap();
        b.send(b"two").await.unwrap();
        assert_eq!(a.recv(&mut buf).await.unwrap(), 3);

        let (c, d) = UnixDatagram::pair().unwrap();
        c.send(b"pair").await.unwrap();
        let (n, sender) = d.recv_from(&mut buf).await.unwrap();
        assert_eq!((n, sender.is_unnamed()), (4, true));
    }

    #[wasio::test]
    async fn a_socket_is_of_one_kind() {
        assert!(UnixSocket::new_stream().unwrap().datagram().is_err());
        assert!(UnixSocket::new_datagram().unwrap().listen(1).is_err());
    }

    #[wasio::test]
    async fn pipes() {
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
        // Nothing is tried before the reactor has spoken, as in tokio.
        tx.writable().await.unwrap();
        assert_eq!(tx.try_write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}
