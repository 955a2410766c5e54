//! Many connections and many bytes leave no descriptors behind.

use std::sync::Arc;
use std::time::Duration;

use wasio::io::{AsyncReadExt, AsyncWriteExt};
use wasio::net::{TcpListener, TcpStream};
use wasio::sync::Barrier;
use wasio::task::JoinSet;

#[wasio::test]
async fn a_thousand_connections_at_once() {
    const COUNT: usize = 1000;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    wasio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            wasio::spawn(async move {
                let (mut read, mut write) = stream.split();
                wasio::io::copy(&mut read, &mut write).await.unwrap();
            });
        }
    });
    let all_are_connected = Arc::new(Barrier::new(COUNT));
    let mut clients = JoinSet::new();
    for i in 0..COUNT {
        let barrier = all_are_connected.clone();
        clients.spawn(async move {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            barrier.wait().await;
            for round in 0..3 {
                let message = (i * 3 + round) as u64;
                stream.write_u64(message).await.unwrap();
                assert_eq!(stream.read_u64().await.unwrap(), message);
            }
        });
    }
    assert_eq!(clients.join_all().await.len(), COUNT);
}

/// A sequence that differs at every place, and its checksum.
struct Noise {
    state: u64,
    sum: u64,
}

impl Noise {
    fn new(seed: u64) -> Noise {
        Noise { state: seed, sum: 0 }
    }

    fn fill(&mut self, buf: &mut [u8]) {
        for word in buf.chunks_exact_mut(8) {
            self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1);
            word.copy_from_slice(&self.state.to_le_bytes());
        }
        self.sum = checksum(self.sum, buf);
    }
}

fn checksum(sum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
}

async fn send(mut write: impl wasio::io::AsyncWrite + Unpin, seed: u64, total: usize) -> u64 {
    let mut noise = Noise::new(seed);
    let mut buf = vec![0; 64 * 1024];
    let mut left = total;
    while left > 0 {
        let n = left.min(buf.len());
        noise.fill(&mut buf[..n]);
        write.write_all(&buf[..n]).await.unwrap();
        left -= n;
    }
    write.shutdown().await.unwrap();
    noise.sum
}

async fn receive(mut read: impl wasio::io::AsyncRead + Unpin) -> (usize, u64) {
    let mut buf = vec![0; 50_000];
    let (mut total, mut sum) = (0, 0);
    loop {
        let n = read.read(&mut buf).await.unwrap();
        if n == 0 {
            return (total, sum);
        }
        total += n;
        sum = checksum(sum, &buf[..n]);
    }
}

#[wasio::test]
async fn a_hundred_megabytes_both_ways() {
    // An interpreter would take minutes for all of it.
    let total = match std::env::var("WASIO_TEST_BYTES") {
        Ok(bytes) => bytes.parse().unwrap(),
        Err(_) => 100 << 20,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let there = wasio::spawn(send(client_write, 1, total));
    let back = wasio::spawn(send(server_write, 2, total));
    let server_got = wasio::spawn(receive(server_read));
    let client_got = receive(client_read).await;
    assert_eq!(server_got.await.unwrap(), (total, there.await.unwrap()));
    assert_eq!(client_got, (total, back.await.unwrap()));
}

#[wasio::test]
async fn a_peer_that_goes_away_wakes_its_own_task_only() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut clients = Vec::new();
    let mut waiting = JoinSet::new();
    for i in 0..20u8 {
        clients.push(TcpStream::connect(addr).await.unwrap());
        let (mut stream, _) = listener.accept().await.unwrap();
        waiting.spawn(async move { (i, stream.read(&mut [0; 1]).await.map_err(|e| e.kind())) });
    }
    wasio::time::sleep(Duration::from_millis(10)).await;
    let mut bystander = clients.pop().unwrap();
    for (i, client) in clients.into_iter().enumerate() {
        // WASI 0.2 does not support this.
        let resets = i % 2 == 0 && cfg!(not(target_env = "p2"));
        if resets {
            client.set_zero_linger().unwrap();
        }
        drop(client);
        let (who, result) = waiting.join_next().await.unwrap().unwrap();
        assert_eq!(usize::from(who), i);
        let reset = Err(std::io::ErrorKind::ConnectionReset);
        assert_eq!(result, if resets { reset } else { Ok(0) });
    }
    bystander.write_u8(1).await.unwrap();
    assert_eq!(waiting.join_next().await.unwrap().unwrap(), (19, Ok(1)));
}
