//! A hyper client: `hyper-client URL` prints the status, the headers and the body of any
//! `http://` page.

use std::error::Error;
use std::io::Write;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::header::{HOST, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("usage: hyper-client http://HOST[:PORT]/PATH")?;
    let url: Uri = url.parse().map_err(|e| format!("{url:?} is not a URL: {e}"))?;
    if url.scheme_str() != Some("http") {
        return Err(format!("{url}: only http:// URLs").into());
    }
    let host = url.host().ok_or("the URL names no host")?;
    let port = url.port_u16().unwrap_or(80);

    // A literal IPv6 address stands in brackets in a URL, and without them in `connect`.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((name, port))
        .await
        .map_err(|e| format!("connect {host}:{port}: {e}"))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        if let Err(e) = connection.await {
            eprintln!("connection lost: {e}");
        }
    });

    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let authority = url.authority().ok_or("the URL names no host")?;
    let request = Request::get(path)
        .header(HOST, authority.as_str())
        .header(USER_AGENT, "hyper-client")
        .body(Empty::<Bytes>::new())?;
    let mut response = sender.send_request(request).await?;

    println!("{:?} {}", response.version(), response.status());
    for (name, value) in response.headers() {
        println!("{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    println!();
    let mut out = std::io::stdout();
    while let Some(frame) = response.frame().await {
        if let Some(data) = frame?.data_ref() {
            out.write_all(data)?;
        }
    }
    out.flush()?;
    Ok(())
}
