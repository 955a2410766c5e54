//! Publishes, subscribes and asks through NATS; the server is our own, with what a client needs of one.

use std::collections::BTreeMap;

use futures::StreamExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

const INFO: &str = "INFO {\"server_id\":\"own\",\"server_name\":\"own\",\"version\":\"2.10.0\",\"go\":\"no\",\
    \"host\":\"127.0.0.1\",\"port\":4222,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\"client_id\":1}\r\n";

/// Whether a subscription's subject, with `*` and `>`, has `subject`.
fn has(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern.split('.'), subject.split('.'));
    loop {
        match (pattern.next(), subject.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some(one), Some(other)) if one == "*" || one == other => {}
            _ => return false,
        }
    }
}

/// One client, who gets what it publishes to its own subscriptions.
async fn serve(listener: TcpListener) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    stream.write_all(INFO.as_bytes()).await.unwrap();
    let mut subscriptions = BTreeMap::new();
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        line.clear();
        match words[0].as_str() {
            "PING" => stream.write_all(b"PONG\r\n").await.unwrap(),
            "SUB" => drop(subscriptions.insert(words[words.len() - 1].clone(), words[1].clone())),
            "UNSUB" => drop(subscriptions.remove(&words[1])),
            "PUB" => {
                let length: usize = words[words.len() - 1].parse().unwrap();
                let mut payload = vec![0; length + 2];
                stream.read_exact(&mut payload).await.unwrap();
                let reply = if words.len() == 4 { format!("{} ", words[2]) } else { String::new() };
                for (id, _) in subscriptions.iter().filter(|(_, pattern)| has(pattern, &words[1])) {
                    let head = format!("MSG {} {id} {reply}{length}\r\n", words[1]);
                    stream.write_all(head.as_bytes()).await.unwrap();
                    stream.write_all(&payload).await.unwrap();
                }
            }
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener));
    let client = async_nats::connect(address.to_string()).await.unwrap();
    let mut numbers = client.subscribe("numbers.*").await.unwrap();
    let mut shout = client.subscribe("shout").await.unwrap();
    let answering = client.clone();
    tokio::spawn(async move {
        let asked = shout.next().await.unwrap();
        let text = String::from_utf8_lossy(&asked.payload).to_uppercase();
        answering.publish(asked.reply.unwrap(), text.into()).await.unwrap();
    });
    for number in 0..200 {
        client.publish(format!("numbers.{number}"), number.to_string().into()).await.unwrap();
    }
    client.flush().await.unwrap();
    let mut sum = 0;
    for _ in 0..200 {
        let message = numbers.next().await.unwrap();
        sum += std::str::from_utf8(&message.payload).unwrap().parse::<u32>().unwrap();
    }
    assert_eq!(sum, 19_900);
    let reply = client.request("shout", "hello".into()).await.unwrap();
    assert_eq!(&reply.payload[..], b"HELLO");
    println!("ok");
}
