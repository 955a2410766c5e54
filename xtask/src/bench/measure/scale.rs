//! The scale of a measurement.

/// The scale of a measurement.
pub(crate) struct Scale {
    pub(crate) quick: bool,
    pub(crate) runs: usize,
    /// The length of one figure's run.
    pub(crate) milliseconds: u64,
}

impl Scale {
    /// The number of runs where servers are up already, and the milliseconds of each.
    pub(crate) fn short_runs(&self) -> (usize, u64) {
        let shorter = if self.quick { 1 } else { 6 };
        (self.runs * shorter as usize, self.milliseconds / shorter)
    }

    /// The scale for the page.
    pub(crate) fn short_runs_described(&self) -> String {
        let (runs, milliseconds) = self.short_runs();
        format!("{runs} runs, {milliseconds} ms each")
    }
}

pub(crate) const FULL: Scale = Scale { quick: false, runs: 5, milliseconds: 1500 };
pub(crate) const QUICK: Scale = Scale { quick: true, runs: 3, milliseconds: 200 };
