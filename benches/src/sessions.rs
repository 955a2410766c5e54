//! Sessions as tasks of one runtime, each a conversation with an echo server: one program, built once with
//! each runtime under the name `tokio`. `sessions ADDRESS SESSIONS THINK MEASURE`, times in milliseconds.

use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, watch};

mod phases;

use phases::{AT_ONCE, Latencies, MESSAGE, Plan};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let plan = Arc::new(Plan::parse(&args));
    let latencies = Arc::new(Latencies::new());
    let began = Instant::now();
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let (connected, mut ready) = mpsc::unbounded_channel();
    let (go, going) = watch::channel(false);
    for n in 0..plan.sessions {
        let (plan, latencies, permits) = (plan.clone(), latencies.clone(), permits.clone());
        let (connected, mut going) = (connected.clone(), going.clone());
        tokio::spawn(async move {
            let stream = {
                let _permit = permits.acquire().await.expect("never closed");
                let mut stream =
                    TcpStream::connect(plan.address).await.expect("the server listens");
                // The server has taken the connection when it answers.
                exchange(&mut stream).await.expect("the server answers");
                stream
            };
            connected.send(()).expect("somebody counts");
            going.wait_for(|going| *going).await.expect("it will go");
            session(stream, &plan, n, &latencies).await.expect("the server answers");
        });
    }
    for _ in 0..plan.sessions {
        ready.recv().await.expect("a sender is kept here");
    }
    latencies.measure(&plan, began, || _ = go.send_replace(true)).await;
    std::process::exit(0);
}

async fn session(
    mut stream: TcpStream,
    plan: &Plan,
    n: usize,
    latencies: &Latencies,
) -> std::io::Result<()> {
    if !plan.think.is_zero() {
        tokio::time::sleep(plan.delay(n)).await;
    }
    let mut random = n as u32;
    let mut sent = Instant::now();
    loop {
        exchange(&mut stream).await?;
        let now = Instant::now();
        latencies.record(now - sent);
        sent = now;
        if !plan.think.is_zero() {
            // Half of the time to one and a half, so that sessions do not fall into step.
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            tokio::time::sleep(plan.think / 2 + plan.think * (random >> 24) / 256).await;
            sent = Instant::now();
        }
    }
}

async fn exchange(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut answer = [0; MESSAGE.len()];
    stream.write_all(&MESSAGE).await?;
    stream.read_exact(&mut answer).await?;
    Ok(())
}
