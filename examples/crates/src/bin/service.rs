//! A protocol of lines with tokio-util's codec, tokio-stream, and a tower service behind limits:
//! `service server ADDRESS` adds numbers up, `service client ADDRESS` asks it to.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::codec::{Framed, LinesCodec};
use tokio_util::io::{ReaderStream, StreamReader};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "server", address] => serve(address).await,
        [_, "client", address] => ask(address).await,
        _ => Err("usage: service server|client ADDRESS".into()),
    }
}

/// What the service does with a line: `wait` takes too long, anything else is numbers.
async fn answer(line: String) -> Result<String, BoxError> {
    if line == "wait" {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let numbers: Vec<i64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    Ok(numbers.iter().sum::<i64>().to_string())
}

async fn serve(address: &str) -> Result<(), BoxError> {
    // All connections share it: at most eight lines are worked on, the others queue.
    let service = ServiceBuilder::new()
        .buffer(32)
        .concurrency_limit(8)
        .timeout(Duration::from_millis(300))
        .service(service_fn(answer));
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let mut connections = TcpListenerStream::new(listener);
    while let Some(stream) = connections.next().await {
        let mut lines = Framed::new(stream?, LinesCodec::new_with_max_length(1000));
        let mut service = service.clone();
        tokio::spawn(async move {
            while let Some(line) = lines.next().await {
                let answer = match service.ready().await?.call(line?).await {
                    Ok(sum) => sum,
                    Err(e) => format!("error: {e}"),
                };
                lines.send(answer).await?;
            }
            Ok::<(), BoxError>(())
        });
    }
    Ok(())
}

async fn ask(address: &str) -> Result<(), BoxError> {
    let mut lines = Framed::new(TcpStream::connect(address).await?, LinesCodec::new());
    for question in ["1 2 39", "one", "wait"] {
        lines.send(question).await?;
        println!("{}", lines.next().await.ok_or("the server hung up")??);
    }
    // The same as a stream of bytes, and that as a reader again.
    let mut stream = lines.into_inner();
    let (reader, mut writer) = stream.split();
    tokio::io::AsyncWriteExt::write_all(&mut writer, b"20 1\n20 2\n").await?;
    let mut reader = StreamReader::new(ReaderStream::new(reader)).take("21\n22\n".len() as u64);
    let mut text = String::new();
    reader.read_to_string(&mut text).await?;
    print!("{text}");
    Ok(())
}
