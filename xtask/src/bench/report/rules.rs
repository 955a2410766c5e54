//! The bounds: two rules for every row, and a table of figures.
//!
//! Each row of wasio must be ahead of every peer on the same engine, and reach nine tenths of the bare loop there. A
//! ratio of 2 is twice the rate, or half the time.

use xtask::platform::Platform;

use super::chart::number;
use super::text;
use crate::bench::measure::results::{Figure, Results};
use crate::bench::measure::row::Bound;

/// The required share of the bare loop's rate.
const OF_BARE: f64 = 0.9;
/// The required share of the rate with 1,000 idle connections, with ten times as many, where a poll examines each.
const OF_FEWER_IDLE: f64 = 0.75;
/// The same with fifteen times as many, where a poll does not examine each.
const OF_FEWER_KEPT: f64 = 1.0 / 1.1;

/// The reference of a bound.
#[derive(Clone, Copy)]
enum Against {
    /// At least this ratio to native tokio.
    Native(f64),
    /// At least this ratio to tokio on the same engine.
    Tokio(f64),
    /// At most this value.
    Most(f64),
}

struct Target {
    bench: &'static str,
    /// The engine. `None` is every engine.
    engine: Option<&'static str>,
    /// The busy and idle connections, if the benchmark has them.
    load: Option<(u64, u64)>,
    against: Against,
}

const fn target(
    bench: &'static str,
    engine: Option<&'static str>,
    load: Option<(u64, u64)>,
    against: Against,
) -> Target {
    Target { bench, engine, load, against }
}

const HOST: Option<&str> = Some(Platform::Wasio.bench());
const TARGETS: [Target; 12] = [
    target("spawn_join", None, None, Against::Tokio(5.0)),
    target("yield", None, None, Against::Tokio(8.0)),
    target("mpsc", None, None, Against::Tokio(4.0)),
    target("echo", HOST, Some((50, 0)), Against::Native(1.0)),
    target("echo", HOST, Some((10, 1000)), Against::Native(0.9)),
    target("echo", HOST, Some((10, 10_000)), Against::Native(0.88)),
    target("redis_server", HOST, None, Against::Native(0.9)),
    target("http_server", HOST, None, Against::Native(0.8)),
    target("stream", HOST, None, Against::Native(0.8)),
    target("size_echo_wasm_opt", HOST, None, Against::Most(90_000.0)),
    target("size_echo_wasm_opt", Some(Platform::Wasip2.bench()), None, Against::Most(110_000.0)),
    target("start_echo", HOST, None, Against::Most(15.0)),
];

/// Checks all rows of wasio.
pub(crate) fn judge(results: &Results) -> Vec<Bound> {
    let mut bounds = Vec::new();
    for figure in results.0.iter().filter(|f| f.runtime == "wasio" && f.engine != "native") {
        bounds.extend(rules(results, figure));
        let fits = |target: &&Target| target.fits(figure);
        bounds.extend(TARGETS.iter().filter(fits).filter_map(|t| t.judge(results, figure)));
        bounds.extend(crowd(results, figure));
    }
    bounds
}

fn describe(figure: &Figure) -> String {
    format!("{}{}, on {}", figure.bench, text::describe(&figure.params), figure.engine)
}

fn rules<'a>(results: &'a Results, figure: &'a Figure) -> impl Iterator<Item = Bound> + 'a {
    let same_engine = results.beside(figure).filter(|other| other.engine == figure.engine);
    same_engine.map(|other| {
        let times = figure.ahead_of(other);
        let (what, holds) = match other.runtime {
            "bare" => (format!("of the bare loop, at least {OF_BARE} wanted"), times >= OF_BARE),
            peer => (format!("of {peer}, more than 1 wanted"), times > 1.0),
        };
        Bound { what: format!("{}: {times:.2} {what}", describe(figure)), holds }
    })
}

impl Target {
    fn fits(&self, figure: &Figure) -> bool {
        let load = |(connections, idle): (u64, u64)| {
            figure.params["connections"] == connections && figure.params["idle"] == idle
        };
        figure.bench == self.bench
            && self.engine.is_none_or(|engine| engine == figure.engine)
            && self.load.is_none_or(load)
    }

    /// `None` if the reference was not measured. That failure is reported elsewhere.
    fn judge(&self, results: &Results, figure: &Figure) -> Option<Bound> {
        let (what, holds) = match self.against {
            Against::Native(least) => {
                let times = figure.ahead_of(results.native(figure)?);
                (format!("{times:.2} of native tokio, at least {least:.2} wanted"), times >= least)
            }
            Against::Tokio(least) => {
                let is_tokio = |f: &&Figure| f.engine == figure.engine && f.runtime == "tokio";
                let times = figure.ahead_of(results.beside(figure).find(is_tokio)?);
                let what = format!("{times:.1}x as good as tokio there, at least {least}x wanted");
                (what, times >= least)
            }
            Against::Most(most) => {
                let value = figure.median();
                let (text, unit) = (number(value), figure.unit);
                (format!("{text} {unit}, at most {most} wanted"), value <= most)
            }
        };
        Some(Bound { what: format!("{}: {what}", describe(figure)), holds })
    }
}

/// Many more idle connections must cost little where a poll examines each, and nothing elsewhere. Both rates are
/// relative to native tokio's at the same time, because a shared machine may be a quarter slower some minutes later.
fn crowd(results: &Results, figure: &Figure) -> Option<Bound> {
    let (crowd, least) = match figure.engine {
        engine if engine == Platform::Wasio.bench() => (15_000, OF_FEWER_KEPT),
        _ => (10_000, OF_FEWER_IDLE),
    };
    if figure.bench != "echo" || figure.params["idle"] != crowd {
        return None;
    }
    let fewer = results.0.iter().find(|other| {
        (other.engine, other.runtime, other.bench.as_str())
            == (figure.engine, figure.runtime, figure.bench.as_str())
            && other.params["connections"] == figure.params["connections"]
            && other.params["idle"] == 1000
    })?;
    let to_native = |figure: &Figure| Some(figure.ahead_of(results.native(figure)?));
    let times = to_native(figure)? / to_native(fewer)?;
    let wanted = format!("{times:.2} of its rate to native with 1,000, at least {least:.2} wanted");
    Some(Bound { what: format!("{}: {wanted}", describe(figure)), holds: times >= least })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bench::measure::results::figure;

    fn echo(engine: &'static str, runtime: &'static str, idle: u64, rate: f64) -> Figure {
        let params = json!({ "connections": 10, "idle": idle });
        figure(("echo", "echo"), engine, runtime, params, "req/s", &[rate])
    }

    fn missed(figures: Vec<Figure>) -> Vec<String> {
        let bounds = judge(&Results(figures));
        bounds.into_iter().filter(|b| !b.holds).map(|b| b.what).collect()
    }

    #[test]
    fn a_peer_on_the_same_engine_must_be_beaten() {
        let figures = |ours| {
            vec![
                echo("wasip2", "wasio", 0, ours),
                echo("wasip2", "wstd", 0, 100.0),
                echo("wasio-host", "tokio", 0, 900.0),
            ]
        };
        assert_eq!(missed(figures(101.0)).len(), 0);
        let missed = missed(figures(100.0));
        assert!(missed.len() == 1 && missed[0].contains("of wstd"), "{missed:?}");
    }

    #[test]
    fn nine_tenths_of_the_bare_loop_and_the_figures() {
        let figures = vec![
            echo("native", "tokio", 1000, 100.0),
            echo("wasio-host", "wasio", 1000, 89.0),
            echo("wasio-host", "bare", 1000, 100.0),
        ];
        let missed = missed(figures);
        assert_eq!(missed.len(), 2, "{missed:?}");
        assert!(missed[0].contains("0.89 of the bare loop"), "{missed:?}");
        assert!(missed[1].contains("0.89 of native tokio, at least 0.90"), "{missed:?}");
    }

    #[test]
    fn idle_connections_are_compared_with_fewer() {
        for (engine, crowd, enough, too_few) in
            [("wasip2", 10_000, 80.0, 70.0), ("wasio-host", 15_000, 92.0, 89.0)]
        {
            // Everything takes twice as long when the many connections are measured.
            let with = |rate: f64| {
                vec![
                    echo("native", "tokio", 1000, 100.0),
                    echo("native", "tokio", crowd, 50.0),
                    echo(engine, "wasio", 1000, 100.0),
                    echo(engine, "wasio", crowd, rate / 2.0),
                ]
            };
            assert_eq!(missed(with(enough)).len(), 0);
            assert_eq!(missed(with(too_few)).len(), 1);
        }
    }

    #[test]
    fn less_time_is_better() {
        let spawn = |runtime, run| {
            figure(("executor", "spawn_join"), "wasip2", runtime, json!({}), "ns", &[run])
        };
        assert_eq!(missed(vec![spawn("wasio", 100.0), spawn("tokio", 600.0)]).len(), 0);
        assert_eq!(missed(vec![spawn("wasio", 100.0), spawn("tokio", 400.0)]).len(), 1);
    }
}
