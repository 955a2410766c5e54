//! What the guest programs share: numbered bytes with a checksum, and a neighbour that notices
//! when the runtime stops.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Pseudo-random bytes (xorshift64) with a running checksum (FNV-1a over words).
#[derive(Clone)]
pub struct Stream {
    state: u64,
    sum: u64,
}

impl Stream {
    /// The bytes that `seed` stands for. Not zero.
    pub fn new(seed: u64) -> Stream {
        Stream { state: seed, sum: 0xcbf2_9ce4_8422_2325 }
    }

    /// The next bytes; the length must be a multiple of 8.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for word in bytes.chunks_exact_mut(8) {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            word.copy_from_slice(&self.state.to_le_bytes());
        }
    }

    /// Adds bytes to the checksum; the length must be a multiple of 8.
    pub fn add(&mut self, bytes: &[u8]) {
        for word in bytes.chunks_exact(8) {
            let word = u64::from_le_bytes(word.try_into().expect("8 bytes"));
            self.sum = (self.sum ^ word).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// The checksum of everything added.
    pub fn sum(&self) -> u64 {
        self.sum
    }
}

/// Runs `work` beside a task that ticks, and checks afterwards that this neighbour still ticks.
pub async fn with_neighbour<T>(work: impl Future<Output = T>) -> T {
    let ticks = Arc::new(AtomicU64::new(0));
    let theirs = Arc::clone(&ticks);
    let neighbour = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            theirs.fetch_add(1, Ordering::Relaxed);
        }
    });
    let result = work.await;
    let before = ticks.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(ticks.load(Ordering::Relaxed) > before, "the neighbour stopped");
    neighbour.abort();
    result
}
