//! HTTP/2 with nothing above it: `h2 server ADDRESS` echoes bodies, `h2 client ADDRESS` sends three at once.

use std::error::Error;

use bytes::Bytes;
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "server", address] => serve(address).await,
        [_, "client", address] => ask(address).await,
        _ => Err("usage: h2 server|client ADDRESS".into()),
    }
}

async fn serve(address: &str) -> Outcome<()> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(e) => {
                // Most often no descriptor is free: the connection waits until one is.
                eprintln!("accept: {e}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        tokio::spawn(async move {
            let mut connection = h2::server::handshake(stream).await?;
            // To accept is also what drives the connection.
            while let Some(request) = connection.accept().await {
                let (request, mut respond) = request?;
                tokio::spawn(async move {
                    let body = read(request.into_body()).await?;
                    let mut stream = respond.send_response(Response::new(()), false)?;
                    stream.send_data(body.into(), true)?;
                    Ok::<(), h2::Error>(())
                });
            }
            Ok::<(), h2::Error>(())
        });
    }
}

async fn ask(address: &str) -> Outcome<()> {
    let (requests, connection) = h2::client::handshake(TcpStream::connect(address).await?).await?;
    tokio::spawn(connection);
    let mut requests = requests.ready().await?;
    let mut answers = Vec::new();
    for size in [1, 10_000, 60_000] {
        let request = Request::post(format!("http://{address}/echo")).body(())?;
        let (answer, mut stream) = requests.send_request(request, false)?;
        stream.send_data(Bytes::from(vec![b'x'; size]), true)?;
        answers.push(answer);
        requests = requests.ready().await?;
    }
    for answer in answers {
        let answer = answer.await?;
        println!("{} {}", answer.status(), read(answer.into_body()).await?.len());
    }
    Ok(())
}

/// The whole body; what was read is given back to the peer's window.
async fn read(mut body: h2::RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut all = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}
