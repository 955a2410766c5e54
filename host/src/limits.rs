//! What a guest may grow to, and how far it has grown.

use wasmtime::{ResourceLimiter, StoreLimits};

use crate::stats::Stats;

/// wasmtime's limits, with the memory counted.
pub(crate) struct Limits {
    inner: StoreLimits,
    stats: Stats,
    /// Of all the guest's memories together, in bytes.
    memory: usize,
    /// What was added last, should it turn out not to be there.
    added: usize,
}

impl Limits {
    pub(crate) fn new(inner: StoreLimits, stats: Stats) -> Limits {
        Limits { inner, stats, memory: 0, added: 0 }
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = self.inner.memory_growing(current, desired, maximum)?;
        if allowed {
            self.added = desired.saturating_sub(current);
            self.memory += self.added;
            self.stats.grew_to(self.memory);
        }
        Ok(allowed)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory -= std::mem::take(&mut self.added);
        self.inner.memory_grow_failed(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.inner.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.inner.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.inner.instances()
    }

    fn tables(&self) -> usize {
        self.inner.tables()
    }

    fn memories(&self) -> usize {
        self.inner.memories()
    }
}
