//! Counts a guest's activity while it runs.
//!
//! A [`Stats`] is a shared handle to atomics. It can be read from any thread, also while the guest runs.
//!
//! PERF: counting a host call costs a load and a store. Counters that change with every call are written by one guest
//! alone, because a locked addition makes the processor wait for all earlier stores. A guest that shares a handle with
//! another living guest uses separate counters, with locked additions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use crate::p1::abi::{Import, NAMES};

/// The name under which a component's polls are counted.
const POLL: &str = "wasi:io/poll#poll";

/// Counters of one guest, or of several that share them. Clones are the same counters.
///
/// # Examples
///
/// ```
/// use wasio_host::{Engine, Guest, Program, Stats};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let wasm = wat::parse_str(r#"(module
/// #     (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
/// #     (memory (export "memory") 1)
/// #     (func (export "_start") (drop (call $yield))))"#)?;
/// # let program = Program::new(&Engine::new()?, &wasm)?;
/// let stats = Stats::new();
/// Guest::builder(&program).stats(&stats).build()?.run().await?;
/// assert_eq!(stats.snapshot().calls["sched_yield"], 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stats {
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    /// The counters of the guest that owns them.
    owned: Frequent,
    /// Whether a guest owns `owned`.
    is_owned: AtomicBool,
    /// The counters of all other guests, and of components' streams.
    shared: Frequent,
    /// Calls of `wasi:io/poll#poll`.
    polls: AtomicU64,
    suspensions: AtomicU64,
    starting_nanos: AtomicU64,
    running_nanos: AtomicU64,
    suspended_nanos: AtomicU64,
    peak_memory: AtomicU64,
    fuel: AtomicU64,
    left_out: AtomicU64,
}

/// Counters that change with every call.
#[derive(Debug)]
struct Frequent {
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    calls: [AtomicU64; NAMES.len()],
}

impl Default for Frequent {
    fn default() -> Frequent {
        Frequent {
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            calls: [const { AtomicU64::new(0) }; NAMES.len()],
        }
    }
}

/// One guest's handle to a [`Stats`].
#[derive(Debug)]
pub(crate) struct Tally {
    stats: Stats,
    /// Whether this guest is the one that writes `owned`.
    is_owner: bool,
}

/// The values of the counters at one moment.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use wasio_host::Stats;
///
/// /// Reports the traffic of a guest every second.
/// async fn watch(stats: Stats) {
///     loop {
///         tokio::time::sleep(Duration::from_secs(1)).await;
///         let now = stats.snapshot();
///         println!("{} bytes in, {} bytes out, {} polls", now.bytes_in, now.bytes_out, now.polls());
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Host calls by import. Imports that were never called are left out. For a component, only polls are counted.
    pub calls: BTreeMap<&'static str, u64>,
    /// Bytes received from sockets.
    pub bytes_in: u64,
    /// Bytes sent to sockets.
    pub bytes_out: u64,
    /// How often the guest's stack was suspended.
    pub suspensions: u64,
    /// Time spent in [`GuestBuilder::build`](crate::GuestBuilder::build), and in [`Guest::run`](crate::Guest::run) up
    /// to the first instruction of the guest's `main`.
    pub starting: Duration,
    /// Time during which the guest was executing, or the host on its behalf.
    pub running: Duration,
    /// Time during which the guest's stack was suspended.
    pub suspended: Duration,
    /// The largest size of the guest's linear memory, in bytes.
    pub peak_memory: u64,
    /// Fuel that was burnt when the guest, or a call of it, last ended. It is 0 if the engine does not
    /// [meter](crate::EngineBuilder::meter_fuel).
    pub fuel: u64,
    /// Refused network accesses that were not reported to [`on_denied`](crate::GuestBuilder::on_denied), because it
    /// had received its maximum.
    pub unreported_refusals: u64,
}

impl Snapshot {
    /// Returns the number of all host calls.
    pub fn total_calls(&self) -> u64 {
        self.calls.values().sum()
    }

    /// Adds the numbers of another guest. Peaks of memory are added, too, although they may have occurred at different
    /// times.
    pub fn add(&mut self, other: &Snapshot) {
        for (name, count) in &other.calls {
            *self.calls.entry(name).or_default() += count;
        }
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.suspensions += other.suspensions;
        self.starting += other.starting;
        self.running += other.running;
        self.suspended += other.suspended;
        self.peak_memory += other.peak_memory;
        self.fuel += other.fuel;
        self.unreported_refusals += other.unreported_refusals;
    }

    /// Returns the number of calls of `poll_oneoff` and of `wasi:io/poll`.
    pub fn polls(&self) -> u64 {
        let count = |name| self.calls.get(name).copied().unwrap_or(0);
        count("poll_oneoff") + count(POLL)
    }

    /// Returns the time from the guest's first instruction to its last, or until now.
    pub fn wall(&self) -> Duration {
        self.running + self.suspended
    }
}

impl Stats {
    /// Creates counters that are all zero.
    pub fn new() -> Stats {
        Stats::default()
    }

    /// Reads all counters. They are read one after the other, so for a running guest they may be a few calls apart.
    pub fn snapshot(&self) -> Snapshot {
        let c = &*self.counters;
        let mut calls = BTreeMap::new();
        let sum =
            |owned: &AtomicU64, shared: &AtomicU64| owned.load(Relaxed) + shared.load(Relaxed);
        let (owned, shared) = (&c.owned, &c.shared);
        for (name, (owned, shared)) in NAMES.iter().zip(owned.calls.iter().zip(&shared.calls)) {
            let count = sum(owned, shared);
            if count > 0 {
                *calls.entry(*name).or_insert(0) += count;
            }
        }
        let polls = c.polls.load(Relaxed);
        if polls > 0 {
            calls.insert(POLL, polls);
        }
        Snapshot {
            calls,
            bytes_in: sum(&owned.bytes_in, &shared.bytes_in),
            bytes_out: sum(&owned.bytes_out, &shared.bytes_out),
            suspensions: c.suspensions.load(Relaxed),
            starting: Duration::from_nanos(c.starting_nanos.load(Relaxed)),
            running: Duration::from_nanos(c.running_nanos.load(Relaxed)),
            suspended: Duration::from_nanos(c.suspended_nanos.load(Relaxed)),
            peak_memory: c.peak_memory.load(Relaxed),
            fuel: c.fuel.load(Relaxed),
            unreported_refusals: c.left_out.load(Relaxed),
        }
    }

    /// Creates the handle of a guest that is being built.
    pub(crate) fn tally(&self) -> Tally {
        // Acquires the counts of the last owner.
        let is_owner = !self.counters.is_owned.swap(true, Acquire);
        Tally { stats: self.clone(), is_owner }
    }

    pub(crate) fn polled(&self) {
        self.counters.polls.fetch_add(1, Relaxed);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.counters.shared.bytes_in.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.counters.shared.bytes_out.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn took_to_start(&self, time: Duration) {
        self.counters.starting_nanos.fetch_add(time.as_nanos() as u64, Relaxed);
    }

    /// Records a growth to so many bytes. Returns the previous peak.
    pub(crate) fn grew_to(&self, bytes: usize) -> u64 {
        self.counters.peak_memory.fetch_max(bytes as u64, Relaxed)
    }

    /// Takes back a growth to so many bytes that failed, when the peak was `before`.
    pub(crate) fn did_not_grow(&self, bytes: usize, before: u64) {
        let peak = &self.counters.peak_memory;
        let _ = peak.compare_exchange(bytes as u64, before.min(bytes as u64), Relaxed, Relaxed);
    }

    pub(crate) fn burnt(&self, fuel: u64) {
        self.counters.fuel.store(fuel, Relaxed);
    }

    pub(crate) fn left_out(&self) {
        self.counters.left_out.fetch_add(1, Relaxed);
    }

    pub(crate) fn ran(&self, time: Duration) {
        self.counters.running_nanos.fetch_add(time.as_nanos() as u64, Relaxed);
    }

    pub(crate) fn was_suspended(&self, time: Duration) {
        self.counters.suspensions.fetch_add(1, Relaxed);
        self.counters.suspended_nanos.fetch_add(time.as_nanos() as u64, Relaxed);
    }
}

impl Tally {
    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    #[inline]
    pub(crate) fn count(&self, import: Import) {
        self.add(1, |frequent| &frequent.calls[import as usize]);
    }

    #[inline]
    pub(crate) fn received(&self, bytes: usize) {
        self.add(bytes, |frequent| &frequent.bytes_in);
    }

    #[inline]
    pub(crate) fn sent(&self, bytes: usize) {
        self.add(bytes, |frequent| &frequent.bytes_out);
    }

    #[inline]
    fn add(&self, more: usize, counter: impl Fn(&Frequent) -> &AtomicU64) {
        let more = more as u64;
        if self.is_owner {
            let counter = counter(&self.stats.counters.owned);
            counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
        } else {
            counter(&self.stats.counters.shared).fetch_add(more, Relaxed);
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if self.is_owner {
            self.stats.counters.is_owned.store(false, Release);
        }
    }
}
