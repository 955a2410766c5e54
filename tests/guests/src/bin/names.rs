//! Looks names up: `names NAME…` prints what each of them is, `names connect HOST:PORT…` who answers there.

use std::io;
use std::time::Duration;

use guests::with_neighbour;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep};

#[tokio::main]
async fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let connect = args.first().is_some_and(|first| first == "connect");
    if connect {
        args.remove(0);
    }
    with_neighbour(async {
        for name in args {
            let result = match connect {
                true => greeting(&name).await,
                false => unhurried(name.clone()).await,
            };
            match result {
                Ok(found) => println!("{name} = {found}"),
                Err(e) => println!("{name} ! {:?} {e}", e.kind()),
            }
        }
    })
    .await;
}

/// Looks a name up while this task goes on.
async fn unhurried(name: String) -> io::Result<String> {
    let start = Instant::now();
    let question = tokio::spawn(async move { addresses(&name).await });
    let mut ticks = 0;
    while !question.is_finished() {
        sleep(Duration::from_millis(5)).await;
        ticks += 1;
    }
    let took = start.elapsed();
    assert!(ticks >= took.as_millis() / 50, "{ticks} ticks in {took:?}");
    question.await.expect("no panic")
}

async fn addresses(name: &str) -> io::Result<String> {
    let ips: Vec<_> = lookup_host((name, 7)).await?.map(|addr| addr.ip().to_string()).collect();
    Ok(ips.join(" "))
}

async fn greeting(address: &str) -> io::Result<String> {
    let mut greeting = String::new();
    TcpStream::connect(address).await?.read_to_string(&mut greeting).await?;
    Ok(greeting)
}
