//! A name server of this process. What it answers, and how badly, is in the name that is asked for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

/// Response, recursion desired and available.
const FLAGS: u16 = 0x8180;
const TRUNCATED: u16 = 0x0200;
const SERVFAIL: u16 = 2;
const NXDOMAIN: u16 = 3;

/// The server, on a thread of its own; gone when dropped.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    runtime: Option<Runtime>,
}

impl NameServer {
    pub(crate) fn start() -> Result<NameServer> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (udp, tcp) = runtime.block_on(sockets())?;
        let address = udp.local_addr()?;
        let udp = Arc::new(udp);
        runtime.spawn(async move {
            let mut buf = [0; 512];
            while let Ok((n, from)) = udp.recv_from(&mut buf).await {
                if let Some(question) = Question::read(&buf[..n]) {
                    tokio::spawn(datagrams(udp.clone(), from, question));
                }
            }
        });
        runtime.spawn(async move {
            while let Ok((stream, _)) = tcp.accept().await {
                tokio::spawn(stream_of(stream));
            }
        });
        Ok(NameServer { address, runtime: Some(runtime) })
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Both on one port, which the kernel chooses.
async fn sockets() -> Result<(UdpSocket, TcpListener)> {
    for _ in 0..20 {
        let udp = UdpSocket::bind("127.0.0.1:0").await?;
        if let Ok(tcp) = TcpListener::bind(udp.local_addr()?).await {
            return Ok((udp, tcp));
        }
    }
    None.context("no port is free for UDP and TCP")
}

#[derive(Clone)]
struct Question {
    id: u16,
    name: String,
    kind: u16,
    /// Name, type and class, as they came.
    bytes: Vec<u8>,
}

impl Question {
    fn read(message: &[u8]) -> Option<Question> {
        let id = u16::from_be_bytes(message.get(..2)?.try_into().ok()?);
        let mut name = String::new();
        let mut at = 12;
        while *message.get(at)? > 0 {
            let label = message.get(at + 1..at + 1 + usize::from(message[at]))?;
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(std::str::from_utf8(label).ok()?);
            at += 1 + label.len();
        }
        let kind = u16::from_be_bytes(message.get(at + 1..at + 3)?.try_into().ok()?);
        Some(Question { id, name, kind, bytes: message.get(12..at + 5)?.to_vec() })
    }

    fn answer(&self, flags: u16, records: &[Vec<u8>]) -> Vec<u8> {
        let header = numbers(&[self.id, FLAGS | flags, 1, records.len() as u16, 0, 0]);
        [header, self.bytes.clone(), records.concat()].concat()
    }

    /// The addresses of the question's kind.
    fn addresses(&self, v4: &[[u8; 4]], v6: &[u8]) -> Vec<u8> {
        let records: Vec<_> = match self.kind {
            A => v4.iter().map(|ip| record(&self.name, A, ip)).collect(),
            _ => v6.iter().map(|&last| record(&self.name, AAAA, &ipv6(last))).collect(),
        };
        self.answer(0, &records)
    }

    /// What is said over TCP, and over UDP when nothing is wrong.
    fn honest(&self) -> Vec<u8> {
        match self.name.as_str() {
            "alias.test" => {
                let mut records = vec![record("alias.test", CNAME, &wire("plain.test"))];
                records.extend((self.kind == A).then(|| record("plain.test", A, &[10, 0, 0, 1])));
                self.answer(0, &records)
            }
            "long.test" => {
                let many: Vec<_> = (0..40).map(|n| [10, 0, 1, n]).collect();
                self.addresses(&many, &[])
            }
            "local.test" => self.addresses(&[[127, 0, 0, 1]], &[]),
            "v6.test" => self.addresses(&[], &[6]),
            "empty.test" => self.addresses(&[], &[]),
            "failing.test" => self.answer(SERVFAIL, &[]),
            // The first address refuses.
            "two.test" => self.addresses(&[[127, 0, 0, 2], [127, 0, 0, 1]], &[]),
            "plain.test" | "slow.test" | "forged.test" | "garbage.test" | "near.sub.test" => {
                self.addresses(&[[10, 0, 0, 1], [10, 0, 0, 2]], &[1])
            }
            _ => self.answer(NXDOMAIN, &[]),
        }
    }
}

async fn datagrams(socket: Arc<UdpSocket>, from: SocketAddr, question: Question) {
    let send = |bytes: Vec<u8>| {
        let socket = socket.clone();
        async move { drop(socket.send_to(&bytes, from).await) }
    };
    match question.name.as_str() {
        "silent.test" => return,
        "slow.test" => sleep(Duration::from_millis(600)).await,
        "long.test" => return send(question.answer(TRUNCATED, &[])).await,
        "forged.test" => {
            let lie = |question: &Question| question.addresses(&[[10, 6, 6, 6]], &[66]);
            let another_id = Question { id: question.id ^ 0x0101, ..question.clone() };
            send(lie(&another_id)).await;
            let mut another_name = question.clone();
            another_name.bytes[1] = b'g';
            send(lie(&another_name)).await;
            // The right answer from somebody else.
            if let Ok(stranger) = UdpSocket::bind("127.0.0.1:0").await {
                let _ = stranger.send_to(&lie(&question), from).await;
            }
            sleep(Duration::from_millis(50)).await;
        }
        "garbage.test" => {
            let good = question.honest();
            let mut state = u64::from(question.id) | 1;
            for _ in 0..200 {
                let mut bytes = good.clone();
                for _ in 0..4 {
                    state =
                        state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let at = (state >> 33) as usize % bytes.len();
                    bytes[at] = (state >> 56) as u8;
                }
                bytes.truncate((state >> 40) as usize % (bytes.len() + 1));
                send(bytes).await;
            }
        }
        _ => {}
    }
    send(question.honest()).await;
}

async fn stream_of(mut stream: TcpStream) {
    let Ok(length) = stream.read_u16().await else { return };
    let mut message = vec![0; length.into()];
    if stream.read_exact(&mut message).await.is_err() {
        return;
    }
    let Some(question) = Question::read(&message) else { return };
    let answer = question.honest();
    let _ = stream.write_all(&[numbers(&[answer.len() as u16]), answer].concat()).await;
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn wire(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.') {
        wire.push(label.len() as u8);
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire
}

fn record(owner: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    [wire(owner), numbers(&[kind, 1, 0, 60, data.len() as u16]), data.to_vec()].concat()
}

/// `fd00::LAST`.
fn ipv6(last: u8) -> [u8; 16] {
    let mut ip = [0; 16];
    (ip[0], ip[15]) = (0xfd, last);
    ip
}
