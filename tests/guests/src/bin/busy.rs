//! Yields beside connections that wait: `busy CONNECTIONS TURNS`. Prints where it listens, and at the end how many of them
//! were heard.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

static HEARD: AtomicU32 = AtomicU32::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse().expect("a number"));
    let (connections, turns): (u32, u32) = (numbers.next().unwrap(), numbers.next().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    for _ in 0..connections {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            stream.read_u8().await.unwrap();
            HEARD.fetch_add(1, Ordering::Relaxed);
        });
    }
    // Not the root: when that yields alone, it waits for I/O more likely than not.
    let busy = [(); 2].map(|()| tokio::spawn(give_way(turns)));
    for task in busy {
        task.await.unwrap();
    }
    println!("heard {}", HEARD.load(Ordering::Relaxed));
}

async fn give_way(turns: u32) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}
