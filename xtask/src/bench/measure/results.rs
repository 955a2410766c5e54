//! The measured figures: for each candidate the same quantities, run after run.
//!
//! A ratio of two candidates is the median of the ratios of their runs. The figures of one run were measured right
//! after each other, so a slow moment of the machine affects both.

use super::row::{Row, median};
use super::session::Candidate;

/// One quantity of one candidate.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) group: &'static str,
    pub(crate) bench: String,
    pub(crate) engine: &'static str,
    pub(crate) runtime: &'static str,
    pub(crate) params: serde_json::Value,
    pub(crate) unit: &'static str,
    runs: Vec<f64>,
}

/// All figures.
#[derive(Debug, Default)]
pub(crate) struct Results(pub(crate) Vec<Figure>);

/// Whether a larger value is better.
pub(crate) fn more_is_better(unit: &str) -> bool {
    unit.ends_with("/s")
}

impl Figure {
    pub(crate) fn median(&self) -> f64 {
        median(&self.runs).0
    }

    fn is_of(&self, other: &Figure) -> bool {
        self.group == other.group && self.bench == other.bench && self.params == other.params
    }

    /// The ratio to `other`: 2 is twice the rate, or half the time.
    pub(crate) fn ahead_of(&self, other: &Figure) -> f64 {
        let over = self.over(other);
        if more_is_better(self.unit) { over } else { 1.0 / over }
    }

    fn over(&self, other: &Figure) -> f64 {
        let ratios: Vec<f64> = self.runs.iter().zip(&other.runs).map(|(a, b)| a / b).collect();
        median(&ratios).0
    }
}

impl Results {
    /// Adds the result of a run.
    pub(crate) fn add(
        &mut self,
        group: &'static str,
        bench: &str,
        params: &serde_json::Value,
        unit: &'static str,
        who: &Candidate,
        value: f64,
    ) {
        self.append(Results(vec![Figure {
            group,
            bench: bench.to_owned(),
            engine: who.engine(),
            runtime: who.entry.runtime,
            params: params.clone(),
            unit,
            runs: vec![value],
        }]));
    }

    /// Adds runs.
    pub(crate) fn append(&mut self, more: Results) {
        for new in more.0 {
            let is_same = |f: &&mut Figure| {
                (f.engine, f.runtime) == (new.engine, new.runtime) && f.is_of(&new)
            };
            match self.0.iter_mut().find(is_same) {
                Some(figure) => figure.runs.extend(new.runs),
                None => self.0.push(new),
            }
        }
    }

    /// Removes the figures of a failed candidate that have too few runs.
    pub(crate) fn forget_begun(&mut self, group: &str, who: &Candidate, runs: usize) {
        let is_theirs =
            |f: &Figure| (f.group, f.engine, f.runtime) == (group, who.engine(), who.entry.runtime);
        self.0.retain(|f| !is_theirs(f) || f.runs.len() >= runs);
    }

    /// The same quantity of the other candidates.
    pub(crate) fn beside<'a>(&'a self, figure: &'a Figure) -> impl Iterator<Item = &'a Figure> {
        self.0.iter().filter(move |other| !std::ptr::eq(*other, figure) && other.is_of(figure))
    }

    /// The same quantity of native tokio, or of the candidate itself.
    pub(crate) fn native(&self, figure: &Figure) -> Option<&Figure> {
        self.0.iter().find(|other| {
            other.engine == "native" && other.runtime == "tokio" && other.is_of(figure)
        })
    }

    /// wasio's figure on the same engine, if this is a peer's.
    fn wasio_beside<'a>(&'a self, figure: &'a Figure) -> Option<&'a Figure> {
        let ours = |other: &&Figure| other.engine == figure.engine && other.runtime == "wasio";
        self.beside(figure).find(ours)
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let row = |figure: &Figure| {
            let (value, spread) = median(&figure.runs);
            Row {
                group: figure.group.to_owned(),
                bench: figure.bench.clone(),
                engine: figure.engine.to_owned(),
                runtime: figure.runtime.to_owned(),
                params: figure.params.clone(),
                value,
                unit: figure.unit.to_owned(),
                ratio_native: self.native(figure).map(|native| figure.over(native)),
                spread,
                wasio_ahead: self.wasio_beside(figure).map(|ours| ours.ahead_of(figure)),
            }
        };
        // Figures that are compared are adjacent.
        let mut rows: Vec<Row> = Vec::new();
        for figure in &self.0 {
            let row = row(figure);
            let like = |other: &Row| other.bench == row.bench && other.params == row.params;
            let like = |other: &Row| other.group == row.group && like(other);
            match rows.iter().rposition(like) {
                Some(last) => rows.insert(last + 1, row),
                None => rows.push(row),
            }
        }
        rows
    }
}

#[cfg(test)]
pub(crate) fn figure(
    bench: (&'static str, &str),
    engine: &'static str,
    runtime: &'static str,
    params: serde_json::Value,
    unit: &'static str,
    runs: &[f64],
) -> Figure {
    let (group, bench) = (bench.0, bench.1.to_owned());
    Figure { group, bench, engine, runtime, params, unit, runs: runs.to_vec() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ratios_are_taken_run_by_run() {
        let echo = |engine, runtime, runs: &[f64]| {
            figure(("echo", "echo"), engine, runtime, json!({ "idle": 0 }), "req/s", runs)
        };
        let native = echo("native", "tokio", &[100.0, 10.0, 50.0]);
        let ours = echo("wasip2", "wasio", &[200.0, 20.0, 99.0]);
        assert_eq!(ours.ahead_of(&native), 2.0);
        let results = Results(vec![native, ours]);
        assert_eq!(results.rows()[1].ratio_native, Some(2.0));
        assert_eq!(results.rows()[0].ratio_native, Some(1.0));
    }

    #[test]
    fn less_time_is_ahead() {
        let wake =
            |runtime, run| figure(("executor", "wake"), "wasip2", runtime, json!({}), "ns", &[run]);
        assert_eq!(wake("wasio", 10.0).ahead_of(&wake("tokio", 40.0)), 4.0);
    }
}
