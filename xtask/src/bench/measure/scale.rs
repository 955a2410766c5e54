//! How much is measured.

/// How much is measured.
pub(crate) struct Scale {
    pub(crate) quick: bool,
    pub(crate) runs: usize,
    /// Of one figure of one run.
    pub(crate) milliseconds: u64,
}

impl Scale {
    /// The number of runs where servers are up already, and the milliseconds of each.
    pub(crate) fn short_runs(&self) -> (usize, u64) {
        let shorter = if self.quick { 1 } else { 6 };
        (self.runs * shorter as usize, self.milliseconds / shorter)
    }

    /// The same for the page.
    pub(crate) fn short_runs_described(&self) -> String {
        let (runs, milliseconds) = self.short_runs();
        format!("{runs} runs, {milliseconds} ms each")
    }
}

pub(crate) const FULL: Scale = Scale { quick: false, runs: 5, milliseconds: 1500 };
pub(crate) const QUICK: Scale = Scale { quick: true, runs: 3, milliseconds: 200 };
