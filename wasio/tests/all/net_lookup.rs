//! Name lookup, on every backend.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use wasio::net::{TcpListener, TcpStream, lookup_host};

async fn all(host: impl wasio::net::ToSocketAddrs) -> Vec<SocketAddr> {
    lookup_host(host).await.unwrap().collect()
}

#[wasio::test]
async fn literals() {
    let v4: SocketAddr = "127.0.0.1:80".parse().unwrap();
    let v6: SocketAddr = "[::1]:80".parse().unwrap();
    assert_eq!(all("127.0.0.1:80").await, [v4]);
    assert_eq!(all("[::1]:80").await, [v6]);
    assert_eq!(all(("127.0.0.1", 80)).await, [v4]);
    assert_eq!(all(("::1", 80)).await, [v6]);
    assert_eq!(all(("127.0.0.1".to_string(), 80)).await, [v4]);
    assert_eq!(all("127.0.0.1:80".to_string()).await, [v4]);
    assert_eq!(all((Ipv4Addr::LOCALHOST, 80)).await, [v4]);
    assert_eq!(all((Ipv6Addr::LOCALHOST, 80)).await, [v6]);
    assert_eq!(all((v4.ip(), 80)).await, [v4]);
    assert_eq!(all(v4).await, [v4]);
    assert_eq!(all(&[v4, v6][..]).await, [v4, v6]);
    assert_eq!(all(&v4).await, [v4]);
}

#[wasio::test]
async fn localhost() {
    for host in [all("localhost:80").await, all(("localhost", 80)).await] {
        assert!(host.contains(&"127.0.0.1:80".parse().unwrap()), "{host:?}");
    }
}

#[wasio::test]
async fn connect_by_name() {
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = TcpStream::connect(("localhost", port)).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
}

#[wasio::test]
async fn an_unknown_name_is_named() {
    let name = "no-such-host.invalid";
    let error = TcpStream::connect((name, 80)).await.unwrap_err();
    assert!(error.to_string().contains(name), "{error}");
    assert_ne!(error.kind(), ErrorKind::WouldBlock);
    if cfg!(target_os = "wasi") {
        assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Other), "{error:?}");
    }
}

#[wasio::test]
async fn not_addresses() {
    for text in ["localhost", "localhost:http", "localhost:70000", ""] {
        let Err(error) = lookup_host(text).await else { panic!("{text:?} has an address") };
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text:?}: {error}");
    }
}
