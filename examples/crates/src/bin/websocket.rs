//! WebSockets with tokio-tungstenite: `websocket server ADDRESS` echoes, `websocket client ADDRESS` asks it.

use std::error::Error;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async, client_async};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "server", address] => serve(address).await,
        [_, "client", address] => ask(address).await,
        _ => Err("usage: websocket server|client ADDRESS".into()),
    }
}

async fn serve(address: &str) -> Result<(), Box<dyn Error>> {
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
            let mut socket = accept_async(stream).await?;
            while let Some(message) = socket.next().await {
                let message = message?;
                if message.is_text() || message.is_binary() {
                    socket.send(message).await?;
                }
            }
            Ok::<_, tokio_tungstenite::tungstenite::Error>(())
        });
    }
}

async fn ask(address: &str) -> Result<(), Box<dyn Error>> {
    let stream = TcpStream::connect(address).await?;
    let (mut socket, _) = client_async(format!("ws://{address}/"), stream).await?;
    for text in ["one", "two", "three"] {
        socket.send(Message::text(text)).await?;
        let answer = socket.next().await.ok_or("the server hung up")??;
        println!("{}", answer.into_text()?);
    }
    socket.close(None).await?;
    Ok(())
}
