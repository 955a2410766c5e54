//! One figure: the median of several runs, and how far they lie apart.

use serde::{Deserialize, Serialize};

use super::chart::number;

/// A figure with its place in the report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) group: String,
    pub(super) bench: String,
    pub(super) engine: String,
    pub(super) runtime: String,
    pub(super) params: serde_json::Value,
    /// The median.
    pub(super) value: f64,
    pub(super) unit: String,
    /// Value over native tokio's, where that was measured in the same run.
    pub(super) ratio_native: Option<f64>,
    /// (third quartile - first quartile) / median of the runs.
    pub(super) spread: f64,
    /// How much better wasio is on the same engine, run by run: 2 is twice as many per second, half the time.
    #[serde(default)]
    pub(super) wasio_ahead: Option<f64>,
}

/// The median of several runs and their spread.
pub(super) fn median(runs: &[f64]) -> (f64, f64) {
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

/// The name an engine has in rows.
pub(super) fn engine_name(engine: xtask::engine::Engine) -> &'static str {
    match engine {
        xtask::engine::Engine::Wasio => "wasio-host",
        xtask::engine::Engine::Wasip2 => "wasip2",
        xtask::engine::Engine::Stock => "wasip2-stock",
        xtask::engine::Engine::Wasmedge => "wasmedge-aot",
        xtask::engine::Engine::Native => "native",
    }
}

/// The rows for people; what was measured stands above those who did it.
pub(super) fn table(rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    for set in rows.chunk_by(|a, b| a.bench == b.bench && a.params == b.params) {
        let what = format!("{}{}", set[0].bench, describe(&set[0].params));
        lines.push(format!(
            "  {what:34} {:>14} {:8} {:>8} {:>10}",
            "median", "", "spread", "to native"
        ));
        lines.extend(set.iter().map(|row| {
            let ratio = row.ratio_native.map_or(String::new(), |ratio| format!("{ratio:.2}"));
            format!(
                "    {:14} {:17} {:>14.1} {:8} {:>7.0}% {ratio:>10}",
                row.engine,
                row.runtime,
                row.value,
                row.unit,
                row.spread * 100.0
            )
        }));
    }
    lines
}

/// Parameters, each with a comma in front.
pub(super) fn describe(params: &serde_json::Value) -> String {
    let each = |(name, value): (&String, &serde_json::Value)| match value.as_f64() {
        Some(value) => format!(", {} {name}", number(value)),
        None => format!(", {name} {}", value.as_str().unwrap_or_default()),
    };
    params.as_object().into_iter().flatten().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::{describe, median};

    #[test]
    fn parameters() {
        let params = serde_json::json!({ "command": "set", "connections": 1000 });
        assert_eq!(describe(&params), ", command set, 1,000 connections");
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), (2.0, 0.5));
        assert_eq!(median(&[4.0, 2.0]).0, 3.0);
        assert_eq!(median(&[1.0]), (1.0, 0.0));
    }
}
