//! Fetches a page. Natively: `cargo run`; as a WASI guest: `cargo wasio run -- http://example.com/`.

use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let uri = std::env::args().nth(1).unwrap_or_else(|| "http://example.com/".to_owned());
    let response = fetch(uri.parse()?).await?;
    println!("{}", response.status());
    println!("{}", String::from_utf8_lossy(response.body()));
    Ok(())
}

/// Gets `uri` with the whole body.
async fn fetch(uri: Uri) -> Result<Response<Bytes>, Box<dyn Error>> {
    let authority = uri.authority().ok_or("the URL names no host")?.clone();
    let port = authority.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((authority.host(), port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);

    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path).header(HOST, authority.as_str()).body(Empty::<Bytes>::new())?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request with the path that was asked for.
    async fn serve(listener: TcpListener) -> std::io::Result<()> {
        let mut stream = listener.accept().await?.0;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await?);
        }
        let path = String::from_utf8_lossy(&request).split(' ').nth(1).unwrap().to_owned();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", path.len());
        stream.write_all((head + &path).as_bytes()).await
    }

    #[tokio::test]
    async fn it_fetches() -> Result<(), Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(serve(listener));

        let response = fetch(format!("http://{address}/page?n=1").parse()?).await?;
        assert_eq!(response.status(), 200);
        assert_eq!(response.body(), "/page?n=1");
        Ok(())
    }
}
