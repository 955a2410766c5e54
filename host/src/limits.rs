//! What a guest may grow to, and how far it has grown.

use wasmtime::ResourceLimiter;

use crate::stats::Stats;

/// What a guest may have of everything together, however many memories or tables it is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    /// In bytes.
    pub(crate) memory: usize,
    pub(crate) table_elements: usize,
}

impl Default for Most {
    fn default() -> Most {
        // A program has an element for each function whose address it takes; each is 8 bytes or 16 of the host's.
        Most { memory: usize::MAX, table_elements: 1_000_000 }
    }
}

/// Refuses what is too much, and counts the rest.
pub(crate) struct Limits {
    most: Most,
    instances: usize,
    stats: Stats,
    /// Of all memories together, in bytes.
    memory: usize,
    /// Of all tables together.
    table_elements: usize,
    /// What was added last, should it turn out not to be there.
    added: usize,
}

impl Limits {
    pub(crate) fn new(most: Most, instances: usize, stats: Stats) -> Limits {
        Limits { most, instances, stats, memory: 0, table_elements: 0, added: 0 }
    }
}

/// How much more there is, if that is allowed.
fn growth(
    current: usize,
    desired: usize,
    maximum: Option<usize>,
    used: usize,
    most: usize,
) -> Option<usize> {
    let added = desired.saturating_sub(current);
    let allowed = maximum.is_none_or(|maximum| desired <= maximum)
        && used.checked_add(added).is_some_and(|all| all <= most);
    allowed.then_some(added)
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let added = growth(current, desired, maximum, self.memory, self.most.memory);
        if let Some(added) = added {
            self.added = added;
            self.memory += added;
            self.stats.grew_to(self.memory);
        }
        Ok(added.is_some())
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory -= std::mem::take(&mut self.added);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let (used, most) = (self.table_elements, self.most.table_elements);
        let added = growth(current, desired, maximum, used, most);
        if let Some(added) = added {
            self.added = added;
            self.table_elements += added;
        }
        Ok(added.is_some())
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.table_elements -= std::mem::take(&mut self.added);
        Ok(())
    }

    fn instances(&self) -> usize {
        self.instances
    }
}
