//! One figure: the median of several runs, and their spread.

use serde::{Deserialize, Serialize};

/// A figure with its place in the report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) group: String,
    pub(crate) bench: String,
    pub(crate) engine: String,
    pub(crate) runtime: String,
    pub(crate) params: serde_json::Value,
    /// The median.
    pub(crate) value: f64,
    pub(crate) unit: String,
    /// Value over native tokio's, if that was measured in the same run.
    pub(crate) ratio_native: Option<f64>,
    /// (third quartile - first quartile) / median of the runs.
    pub(crate) spread: f64,
    /// The ratio of wasio to this on the same engine, run by run: 2 is twice the rate, or half the time.
    #[serde(default)]
    pub(crate) wasio_ahead: Option<f64>,
}

/// A condition on the figures, and whether it holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bound {
    /// The condition, with the figure found.
    pub(crate) what: String,
    pub(crate) holds: bool,
}

/// The median of several runs and their spread.
pub(crate) fn median(runs: &[f64]) -> (f64, f64) {
    assert!(!runs.is_empty(), "a figure needs a run");
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quantile = |part: f64| {
        let at = part * (sorted.len() - 1) as f64;
        let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
        below + (above - below) * at.fract()
    };
    let value = quantile(0.5);
    (value, (quantile(0.75) - quantile(0.25)) / value)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), (2.0, 0.5));
        assert_eq!(median(&[4.0, 2.0]).0, 3.0);
        assert_eq!(median(&[1.0]), (1.0, 0.0));
    }
}
