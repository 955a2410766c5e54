//! The limits of a guest's memories and tables, and their current sizes.

use wasmtime::ResourceLimiter;

use crate::stats::Stats;

/// A guest's maximum sizes, summed over all of its memories or tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaxSizes {
    /// In bytes.
    pub(crate) memory: usize,
    pub(crate) table_elements: usize,
}

impl Default for MaxSizes {
    fn default() -> MaxSizes {
        // A program has an element for each function whose address it takes. Each element takes 8 or 16 bytes of the
        // host.
        MaxSizes { memory: usize::MAX, table_elements: 1_000_000 }
    }
}

/// Refuses growth beyond the limits, and counts the rest.
///
/// wasmtime announces a growth, and reports nothing when it succeeds. It reports a failure in three cases:
///
/// - The growth was announced and allowed, and exceeds what the memory or table declares. It is refused here first, so
///   this case does not occur.
/// - The growth of a memory was announced and allowed, and then the system had no memory or addresses for it. It is
///   taken back.
/// - The growth was never announced, because its size overflows: for a table the host's pointers, for a memory its own
///   index type. It was not counted, so nothing is taken back.
///
/// Nothing is reported when the creation of a memory or table fails after it was allowed, or when the system has no
/// memory for a table. Both end the guest.
pub(crate) struct Limits {
    max: MaxSizes,
    instances: usize,
    stats: Stats,
    /// The size of all memories together, in bytes.
    memory: usize,
    /// The elements of all tables together.
    table_elements: usize,
    /// The last growth of a memory that was allowed, until the next request.
    allowed: Option<Allowed>,
}

/// A growth that was counted and may still fail.
struct Allowed {
    /// In bytes.
    added: usize,
    /// The peak of memory before the growth.
    peak: u64,
}

impl Limits {
    pub(crate) fn new(max: MaxSizes, instances: usize, stats: Stats) -> Limits {
        Limits { max, instances, stats, memory: 0, table_elements: 0, allowed: None }
    }

    /// Returns how much more memory the guest may have, in bytes.
    pub(crate) fn room(&self) -> usize {
        self.max.memory - self.memory
    }
}

/// Returns the size of the growth if it is allowed.
fn growth(
    current: usize,
    desired: usize,
    maximum: Option<usize>,
    used: usize,
    max: usize,
) -> Option<usize> {
    let added = desired.saturating_sub(current);
    let allowed = maximum.is_none_or(|maximum| desired <= maximum)
        && used.checked_add(added).is_some_and(|all| all <= max);
    allowed.then_some(added)
}

/// Returns whether the error is the system's refusal of a growth that had been announced. Any other error counts as a
/// growth that was not announced: the count may then be too high, never too low.
fn was_announced(error: &wasmtime::Error) -> bool {
    /// A memory of a pool cannot move to where there is more room.
    const NO_ROOM: &str = "Memory maximum size exceeded";
    /// The size of the memory and its guard pages together overflows.
    const OVERFLOW: &str = "overflow calculating size of memory allocation";

    #[cfg(unix)]
    if error.is::<rustix::io::Errno>() {
        return true;
    }
    error.is::<std::io::Error>() || [NO_ROOM, OVERFLOW].contains(&error.to_string().as_str())
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let added = growth(current, desired, maximum, self.memory, self.max.memory);
        self.allowed = added.map(|added| {
            self.memory += added;
            Allowed { added, peak: self.stats.grew_to(self.memory) }
        });
        Ok(added.is_some())
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if let Some(Allowed { added, peak }) = self.allowed.take().filter(|_| was_announced(&error))
        {
            self.stats.did_not_grow(self.memory, peak);
            self.memory -= added;
        }
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.allowed = None;
        let (used, most) = (self.table_elements, self.max.table_elements);
        let added = growth(current, desired, maximum, used, most);
        self.table_elements += added.unwrap_or(0);
        Ok(added.is_some())
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        Ok(())
    }

    fn instances(&self) -> usize {
        self.instances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: MaxSizes = MaxSizes { memory: 1000, table_elements: 100 };

    /// A memory or table, grown as wasmtime does it.
    struct Grown {
        is_memory: bool,
        size: usize,
        maximum: Option<usize>,
        /// The size beyond which a growth is not announced.
        largest: usize,
    }

    impl Grown {
        /// Returns whether it grew.
        fn grow(
            &mut self,
            delta: usize,
            limits: &mut Limits,
            refusal: Option<wasmtime::Error>,
        ) -> bool {
            let Some(new) = self.size.checked_add(delta).filter(|new| *new <= self.largest) else {
                let unannounced = wasmtime::Error::msg(if self.is_memory {
                    "memory growth exceeds memory type's limits"
                } else {
                    "overflow calculating new table size"
                });
                self.failed(limits, unannounced);
                return false;
            };
            let allowed = match self.is_memory {
                true => limits.memory_growing(self.size, new, self.maximum),
                false => limits.table_growing(self.size, new, self.maximum),
            };
            if !allowed.unwrap() {
                return false;
            }
            if self.maximum.is_some_and(|maximum| new > maximum) {
                self.failed(limits, wasmtime::Error::msg("maximum size exceeded"));
                return false;
            }
            if let Some(refusal) = refusal.filter(|_| self.is_memory) {
                self.failed(limits, refusal);
                return false;
            }
            self.size = new;
            true
        }

        fn failed(&self, limits: &mut Limits, error: wasmtime::Error) {
            match self.is_memory {
                true => limits.memory_grow_failed(error).unwrap(),
                false => limits.table_grow_failed(error).unwrap(),
            }
        }
    }

    /// The errors by which the system reports that it is out of memory.
    fn refusal(which: u32) -> wasmtime::Error {
        use wasmtime::error::Context as _;
        let out_of_memory = || std::io::Error::from(std::io::ErrorKind::OutOfMemory);
        match which {
            0 => out_of_memory().into(),
            1 => Err::<(), _>(out_of_memory()).context("mmap failed").unwrap_err(),
            #[cfg(unix)]
            2 => Err::<(), _>(rustix::io::Errno::NOMEM).context("mmap failed").unwrap_err(),
            _ => wasmtime::Error::msg("Memory maximum size exceeded"),
        }
    }

    /// The counts equal the actual sizes after every step in every order, and never exceed the limits.
    #[test]
    fn what_is_counted_is_there() {
        for seed in 0..2000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let stats = Stats::new();
            let mut limits = Limits::new(MAX, 2, stats.clone());
            let mut all: Vec<Grown> = (0..random.usize(1..6))
                .map(|_| Grown {
                    is_memory: random.bool(),
                    size: 0,
                    maximum: random.bool().then(|| random.usize(0..400)),
                    largest: if random.bool() { 300 } else { usize::MAX },
                })
                .collect();
            let mut peak = 0;
            for step in 0..200 {
                let which = random.usize(..all.len());
                let delta = match random.u32(..6) {
                    0 => usize::MAX,
                    1 => usize::MAX - all[which].size,
                    2 => 1000,
                    _ => random.usize(1..40),
                };
                let refusal = (random.u32(..4) == 0).then(|| refusal(random.u32(..4)));
                let (memory, elements) = (limits.memory, limits.table_elements);
                let may_grow = refusal.is_none() || !all[which].is_memory;
                let grew = all[which].grow(delta, &mut limits, refusal);
                let grown = &all[which];
                let sum = |memories| -> usize {
                    all.iter().filter(|g| g.is_memory == memories).map(|g| g.size).sum()
                };
                assert_eq!(limits.memory, sum(true), "seed {seed}, step {step}");
                assert_eq!(limits.table_elements, sum(false), "seed {seed}, step {step}");
                assert!(limits.memory <= MAX.memory && limits.table_elements <= MAX.table_elements);
                peak = peak.max(limits.memory as u64);
                assert_eq!(stats.snapshot().peak_memory, peak, "seed {seed}, step {step}");
                // A growth within all limits is not refused.
                let (used, most) = if grown.is_memory {
                    (memory, MAX.memory)
                } else {
                    (elements, MAX.table_elements)
                };
                let size = if grew { grown.size - delta } else { grown.size };
                let fits = |sum: Option<usize>, limit| sum.is_some_and(|sum| sum <= limit);
                let within = fits(
                    size.checked_add(delta),
                    grown.largest.min(grown.maximum.unwrap_or(usize::MAX)),
                ) && fits(used.checked_add(delta), most);
                assert_eq!(grew, within && may_grow, "seed {seed}, step {step}");
            }
        }
    }

    #[test]
    fn a_failure_that_is_not_known_takes_nothing_back() {
        let mut limits = Limits::new(MAX, 2, Stats::new());
        assert!(limits.memory_growing(0, 900, None).unwrap());
        limits.memory_grow_failed(wasmtime::Error::msg("anything")).unwrap();
        assert!(!limits.memory_growing(900, 1001, None).unwrap());
    }
}
