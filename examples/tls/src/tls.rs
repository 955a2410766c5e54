//! TLS over a stream of tokio's, with rustls and tokio-rustls.
//!
//! Which provider does the arithmetic is for the program to say, before anything else: see `bin/tls-ring.rs` and
//! `bin/tls-rustcrypto.rs`, which differ in that line only.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A client that trusts the certificates in the file `ca`, or those that Mozilla trusts if it is none.
///
/// # Errors
/// When the file cannot be read.
pub fn client_config(ca: Option<&str>) -> Outcome<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(file) => {
            for certificate in CertificateDer::pem_file_iter(file)? {
                roots.add(certificate?)?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

/// A server with the chain of certificates and the key in two files.
///
/// # Errors
/// When a file cannot be read, or the key is not the certificate's.
pub fn server_config(chain: &str, key: &str) -> Outcome<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    Ok(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?)
}

/// The program: `server ADDRESS CHAIN KEY` echoes lines, `client ADDRESS NAME [CA]` asks it, or any other.
///
/// # Errors
/// When a connection or a handshake fails.
pub async fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "server", address, chain, key] => serve(address, chain, key).await,
        [_, "client", address, name] => ask(address, name, None).await,
        [_, "client", address, name, ca] => ask(address, name, Some(ca)).await,
        _ => Err("usage: server ADDRESS CHAIN KEY | client ADDRESS NAME [CA]".into()),
    }
}

async fn serve(address: &str, chain: &str, key: &str) -> Outcome<()> {
    let acceptor = TlsAcceptor::from(Arc::new(server_config(chain, key)?));
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
            let done: std::io::Result<()> = async {
                let (reader, mut writer) = tokio::io::split(acceptor.accept(stream).await?);
                let mut lines = BufReader::new(reader).lines();
                while let Some(line) = lines.next_line().await? {
                    writer.write_all(format!("{line}\n").as_bytes()).await?;
                    writer.flush().await?;
                }
                writer.shutdown().await
            }
            .await;
            if let Err(e) = done {
                eprintln!("{peer}: {e}");
            }
        });
    }
}

async fn ask(address: &str, name: &str, ca: Option<&str>) -> Outcome<()> {
    let connector = TlsConnector::from(Arc::new(client_config(ca)?));
    let stream = TcpStream::connect(address).await?;
    let started = Instant::now();
    let stream = connector.connect(ServerName::try_from(name)?.to_owned(), stream).await?;
    eprintln!("handshake: {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    if let Some(version) = stream.get_ref().1.protocol_version() {
        println!("{version:?}");
    }
    let (reader, mut writer) = tokio::io::split(stream);
    let mut answers = BufReader::new(reader).lines();
    for line in ["one", "two", "three"] {
        writer.write_all(format!("{line}\n").as_bytes()).await?;
        writer.flush().await?;
        println!("{}", answers.next_line().await?.ok_or("the server hung up")?);
    }
    Ok(writer.shutdown().await?)
}
