//! https: hyper-util's pooling client over hyper-rustls, reqwest, and a server that speaks HTTP/1 and HTTP/2.
//!
//! As with `tls`, the program chooses the provider: see `bin/https-ring.rs` and `bin/https-rustcrypto.rs`.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::tls;
use wasio_resolve::Resolver;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The program: `get URL [CA]` fetches a URL twice, `server ADDRESS CHAIN KEY` answers requests.
///
/// # Errors
/// When a connection, a handshake or a request fails.
pub async fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "get", url] => get(url, None).await,
        [_, "get", url, ca] => get(url, Some(ca)).await,
        [_, "server", address, chain, key] => serve(address, chain, key).await,
        _ => Err("usage: get URL [CA] | server ADDRESS CHAIN KEY".into()),
    }
}

async fn get(url: &str, ca: Option<&str>) -> Outcome<()> {
    let mut config = tls::client_config(ca)?;

    let mut connector = HttpConnector::new_with_resolver(Resolver);
    connector.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config.clone())
        .https_only()
        .enable_all_versions()
        .wrap_connector(connector);
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    let response = client.get(url.parse()?).await?;
    let (status, version) = (response.status(), response.version());
    let body = response.into_body().collect().await?.to_bytes();
    println!("hyper-util: {version:?} {status}, {} bytes", body.len());

    // hyper-rustls offers HTTP/2 by itself; reqwest takes the configuration as it is.
    config.alpn_protocols = protocols();
    let client = reqwest::Client::builder()
        .dns_resolver(Resolver)
        .tls_backend_preconfigured(config)
        .build()?;
    let response = client.get(url).send().await?;
    let (status, version) = (response.status(), response.version());
    println!("reqwest: {version:?} {status}, {} bytes", response.bytes().await?.len());
    Ok(())
}

/// What both sides can speak, the best first.
fn protocols() -> Vec<Vec<u8>> {
    ["h2", "http/1.1"].map(Vec::from).into()
}

async fn hello(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let (version, path) = (request.version(), request.uri().path());
    Ok(Response::new(format!("You asked for {path} with {version:?}.\n")))
}

async fn serve(address: &str, chain: &str, key: &str) -> Outcome<()> {
    let mut config = tls::server_config(chain, key)?;
    config.alpn_protocols = protocols();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(e) => {
                // Most often no descriptor is free: the connection waits until one is.
                eprintln!("accept: {e}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let done: Outcome<()> = async {
                let stream = TokioIo::new(acceptor.accept(stream).await?);
                let connection = auto::Builder::new(TokioExecutor::new());
                connection.serve_connection(stream, service_fn(hello)).await
            }
            .await;
            if let Err(e) = done {
                eprintln!("{peer}: {e}");
            }
        });
    }
}
