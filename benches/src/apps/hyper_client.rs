//! hyper's client, as many requests as it can over a few connections: `hyper-client IP:PORT MILLISECONDS`.
//! Prints `http_client REQUESTS-PER-SECOND`.

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 16;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, milliseconds] = &args[..] else {
        return Err("usage: hyper-client IP:PORT MILLISECONDS".into());
    };
    let address: SocketAddr = address.parse()?;
    let measure = Duration::from_millis(milliseconds.parse()?);
    let from = Instant::now();
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        connections.spawn(requests(address, from, measure));
    }
    let mut requests = 0;
    while let Some(done) = connections.join_next().await {
        requests += done??;
    }
    println!("http_client {:.0}", f64::from(requests) / from.elapsed().as_secs_f64());
    Ok(())
}

async fn requests(address: SocketAddr, from: Instant, measure: Duration) -> Result<u32> {
    let stream = TcpStream::connect(address).await?;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut requests = 0;
    while from.elapsed() < measure {
        let request = Request::get("/").header("host", "bench").body(Empty::<Bytes>::new())?;
        let answer = sender.send_request(request).await?;
        assert_eq!(answer.into_body().collect().await?.to_bytes(), "hello\n");
        requests += 1;
    }
    Ok(requests)
}
