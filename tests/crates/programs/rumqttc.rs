//! Subscribes and publishes over MQTT, through a broker of our own that sends back what is published.

use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Reads one packet: its first byte, and what follows its length.
async fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await.ok()?;
    let length = stream.read_u8().await.ok()?;
    assert!(length < 128, "one byte tells the length of all of ours");
    let mut rest = vec![0; length.into()];
    stream.read_exact(&mut rest).await.ok()?;
    Some((kind, rest))
}

async fn broker(listener: TcpListener) {
    let (mut stream, _) = listener.accept().await.unwrap();
    while let Some((kind, rest)) = packet(&mut stream).await {
        match kind >> 4 {
            1 => stream.write_all(&[0x20, 2, 0, 0]).await.unwrap(),
            8 => stream.write_all(&[0x90, 3, rest[0], rest[1], 0]).await.unwrap(),
            3 => {
                stream.write_all(&[kind, rest.len() as u8]).await.unwrap();
                stream.write_all(&rest).await.unwrap();
            }
            12 => stream.write_all(&[0xd0, 0]).await.unwrap(),
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(broker(listener));
    let mut options = MqttOptions::new("guest", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(options, 10);
    client.subscribe("greetings", QoS::AtMostOnce).await.unwrap();
    loop {
        match events.poll().await.unwrap() {
            Event::Incoming(Packet::SubAck(_)) => {
                client.publish("greetings", QoS::AtMostOnce, false, "hello").await.unwrap();
            }
            Event::Incoming(Packet::Publish(message)) => {
                assert_eq!(
                    (message.topic.as_str(), &message.payload[..]),
                    ("greetings", &b"hello"[..])
                );
                break;
            }
            _ => {}
        }
    }
    println!("ok");
}
