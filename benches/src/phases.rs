//! What all clients of the comparison share: their plan, the phases that they announce, the latencies.
//!
//! A client sets its sessions up, prints `ready NANOSECONDS`, rests for a moment, works for a moment, prints
//! `measuring`, works for the planned time, and prints `measured` with its figures. Who started it reads
//! the process's memory and time at those lines, for which it stays alive a little longer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// What is sent, and comes back.
#[allow(dead_code, reason = "the guests in blocking style have their own")]
pub const MESSAGE: [u8; 64] = [b'x'; 64];
/// So many sessions are set up at a time: more would overflow the server's queue.
pub const AT_ONCE: usize = 64;
/// Between being set up and going.
const REST: Duration = Duration::from_millis(200);
/// To reach a steady state, not counted.
const WARM_UP: Duration = Duration::from_millis(300);
/// Left for the reading of figures.
const LINGER: Duration = Duration::from_millis(500);

/// What is to be done.
pub struct Plan {
    pub address: SocketAddr,
    pub sessions: usize,
    /// Between an answer and the next request.
    pub think: Duration,
    pub measure: Duration,
}

impl Plan {
    /// From `ADDRESS SESSIONS THINK MEASURE`, times in milliseconds.
    pub fn parse(args: &[String]) -> Plan {
        let [address, sessions, think, measure] = args else {
            panic!("usage: ADDRESS SESSIONS THINK MEASURE, not {args:?}");
        };
        let number = |text: &String| text.parse::<u64>().expect("a number");
        Plan {
            address: address.parse().expect("an address is IP:PORT"),
            sessions: number(sessions) as usize,
            think: Duration::from_millis(number(think)),
            measure: Duration::from_millis(number(measure)),
        }
    }

    /// How long a session waits before it begins, so that not all think at the same time.
    pub fn delay(&self, session: usize) -> Duration {
        self.think * session as u32 / self.sessions.max(1) as u32
    }
}

/// Latencies of the answers that came while they are counted.
pub struct Latencies {
    counting: AtomicBool,
    histogram: Mutex<Histogram<u32>>,
}

impl Latencies {
    pub fn new() -> Latencies {
        let histogram = Histogram::new_with_bounds(1, 100_000_000_000, 2).expect("right bounds");
        Latencies { counting: AtomicBool::new(false), histogram: Mutex::new(histogram) }
    }

    pub fn record(&self, latency: Duration) {
        if self.counting.load(Relaxed) {
            let mut histogram = self.histogram.lock().unwrap_or_else(PoisonError::into_inner);
            histogram.saturating_record(latency.as_nanos() as u64);
        }
    }

    /// Goes through the phases after set-up; `go` lets the sessions begin.
    pub async fn measure(&self, plan: &Plan, began: Instant, go: impl FnOnce()) {
        println!("ready {}", began.elapsed().as_nanos());
        tokio::time::sleep(REST).await;
        go();
        // Every session has thought once before it is counted.
        tokio::time::sleep(WARM_UP + plan.think).await;
        println!("measuring");
        self.counting.store(true, Relaxed);
        let from = Instant::now();
        tokio::time::sleep(plan.measure).await;
        self.counting.store(false, Relaxed);
        let took = from.elapsed().as_nanos();
        println!("measured {}", self.figures(took));
        tokio::time::sleep(LINGER).await;
    }

    /// How many answers there were, in how many nanoseconds, and the latencies' percentiles.
    fn figures(&self, took: u128) -> String {
        let of = self.histogram.lock().unwrap_or_else(PoisonError::into_inner);
        let [half, most, nearly_all] = [0.5, 0.99, 0.999].map(|q| of.value_at_quantile(q));
        format!("{} {took} {half} {most} {nearly_all}", of.len())
    }
}
