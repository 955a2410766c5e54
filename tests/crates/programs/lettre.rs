//! A mail, sent over SMTP to a server of our own.

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// Takes one mail and returns its lines.
async fn serve(listener: TcpListener) -> Vec<String> {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 ready\r\n").await.unwrap();
    let mut mail = Vec::new();
    let mut in_mail = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap() == 0 {
            return mail;
        }
        let line = line.trim_end();
        let answer = match line {
            "." if in_mail => {
                in_mail = false;
                "250 taken\r\n"
            }
            line if in_mail => {
                mail.push(line.to_owned());
                continue;
            }
            "DATA" => {
                in_mail = true;
                "354 go on\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.unwrap();
                return mail;
            }
            _ => "250 fine\r\n",
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(serve(listener));
    let somebody = |name: &str| format!("{name}@example.org").parse::<Mailbox>().unwrap();
    let mail = Message::builder().from(somebody("a")).to(somebody("b")).subject("Greetings");
    let mail = mail.body("From a guest.".to_owned()).unwrap();
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1");
    let transport = transport.port(port).build();
    assert!(transport.send(mail).await.unwrap().is_positive());
    drop(transport);
    let mail = server.await.unwrap();
    assert!(mail.contains(&"Subject: Greetings".to_owned()), "{mail:?}");
    assert!(mail.contains(&"From a guest.".to_owned()), "{mail:?}");
    println!("ok");
}
