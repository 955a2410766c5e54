//! Tasks that wait, each for its place at a semaphore: one program, built once with each runtime under the name `tokio`.
//! `tasks COUNT`; prints `waiting BYTES` when all do, with the size of a guest's linear memory (natively 0), and stays.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::yield_now;

/// Longer than anybody measures.
const STAY: Duration = Duration::from_secs(600);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse::<usize>().ok());
    let count = count.expect("usage: tasks COUNT");
    let places = Arc::new(Semaphore::new(0));
    let arrived = Arc::new(Semaphore::new(0));
    for _ in 0..count {
        let (places, arrived) = (places.clone(), arrived.clone());
        tokio::spawn(async move {
            arrived.add_permits(1);
            let _place = places.acquire().await;
        });
    }
    while arrived.available_permits() < count {
        yield_now().await;
    }
    println!("waiting {}", linear_memory());
    std::thread::sleep(STAY);
}

#[cfg(target_family = "wasm")]
fn linear_memory() -> usize {
    core::arch::wasm32::memory_size::<0>() * 64 * 1024
}

#[cfg(not(target_family = "wasm"))]
fn linear_memory() -> usize {
    0
}
