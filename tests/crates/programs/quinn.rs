//! A client and a server of QUIC, in one guest.

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::{ClientConfig, Endpoint, EndpointConfig, ServerConfig, TokioRuntime};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// `Endpoint::server` binds with std, which cannot on wasip1.
async fn server(config: ServerConfig) -> (Endpoint, SocketAddr) {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap().into_std().unwrap();
    let endpoint =
        Endpoint::new(EndpointConfig::default(), Some(config), socket, Arc::new(TokioRuntime));
    let endpoint = endpoint.unwrap();
    let address = endpoint.local_addr().unwrap();
    (endpoint, address)
}

#[tokio::main]
async fn main() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert);
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::with_single_cert(vec![certificate.clone()], key.into()).unwrap();
    let (endpoint, address) = server(config).await;
    tokio::spawn(async move {
        let connection = endpoint.accept().await.unwrap().await.unwrap();
        while let Ok((mut send, mut receive)) = connection.accept_bi().await {
            tokio::spawn(async move {
                let text = receive.read_to_end(100_000).await.unwrap();
                send.write_all(&text).await.unwrap();
                send.finish().unwrap();
            });
        }
    });

    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut client = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    client
        .set_default_client_config(ClientConfig::with_root_certificates(Arc::new(roots)).unwrap());
    let connection = client.connect(address, "localhost").unwrap().await.unwrap();
    let tasks: Vec<_> = (0..20u8)
        .map(|number| {
            let connection = connection.clone();
            tokio::spawn(async move {
                let (mut send, mut receive) = connection.open_bi().await.unwrap();
                let text = vec![number; 50_000];
                send.write_all(&text).await.unwrap();
                send.finish().unwrap();
                assert_eq!(receive.read_to_end(100_000).await.unwrap(), text);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    connection.close(0u8.into(), b"done");
    client.wait_idle().await;
    println!("ok");
}
