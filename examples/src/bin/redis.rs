//! A Redis client over mini-redis' client library:
//! `redis ADDRESS (ping | publish CHANNEL MESSAGE | subscribe CHANNEL)`.
//!
//! `subscribe` prints one message and ends.

use std::error::Error;

use mini_redis::{Connection, Frame, client};
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        [address, "ping"] => ping(address).await,
        [address, "publish", channel, message] => {
            let mut client = client::connect(address).await?;
            let received = client.publish(channel, message.to_owned().into()).await?;
            println!("{received} received it");
            Ok(())
        }
        [address, "subscribe", channel] => {
            let client = client::connect(address).await?;
            let mut subscriber = client.subscribe(vec![channel.to_owned()]).await?;
            println!("subscribed");
            let message = subscriber.next_message().await?.ok_or("the server hung up")?;
            println!("{}: {}", message.channel, String::from_utf8_lossy(&message.content));
            Ok(())
        }
        _ => {
            Err("usage: redis ADDRESS (ping | publish CHANNEL MESSAGE | subscribe CHANNEL)".into())
        }
    }
}

/// PING as a plain frame: the library has no method for it.
async fn ping(address: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut connection = Connection::new(TcpStream::connect(address).await?);
    connection.write_frame(&Frame::Array(vec![Frame::Bulk("ping".into())])).await?;
    match connection.read_frame().await?.ok_or("the server hung up")? {
        Frame::Simple(answer) | Frame::Error(answer) => println!("{answer}"),
        other => println!("{other}"),
    }
    Ok(())
}
