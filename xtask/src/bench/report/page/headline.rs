//! The table at the top of the page: the main figures, with the best peer and native tokio.

use std::fmt::Write as _;

use super::tables::ratio;
use xtask::platform::Platform;

use crate::bench::measure::results::more_is_better;
use crate::bench::measure::row::Row;
use crate::bench::report::chart::number;

/// A line of the table: its name, and the rows that it is made from.
struct Headline {
    what: &'static str,
    bench: &'static str,
    params: &'static [(&'static str, u64)],
}

const fn headline(
    what: &'static str,
    bench: &'static str,
    params: &'static [(&'static str, u64)],
) -> Headline {
    Headline { what, bench, params }
}

const HEADLINES: [Headline; 11] = [
    headline("echo, 1 connection", "echo", &[("connections", 1), ("idle", 0)]),
    headline("echo, 50 connections", "echo", &[("connections", 50), ("idle", 0)]),
    headline("echo, 10 busy and 10,000 idle", "echo", &[("connections", 10), ("idle", 10_000)]),
    headline("hyper server, 64 connections", "http_server", &[]),
    headline("redis client", "redis_client", &[]),
    headline("stream, sent by the guest", "stream", &[]),
    headline("spawn and join a task", "spawn_join", &[]),
    headline("arm and cancel one of 10,000 timers", "timers", &[("timers", 10_000)]),
    headline("memory of an idle connection", "connection", &[]),
    headline("size of the echo server", "size_echo", &[]),
    headline("start of the echo server", "start_echo", &[]),
];

impl Headline {
    fn fits(&self, row: &Row) -> bool {
        row.bench == self.bench
            && self.params.iter().all(|&(name, value)| row.params[name] == value)
    }
}

/// The table of the recorded figures.
pub(crate) fn table<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> String {
    let mut text = "| what | where | wasio | best peer there | wasio ahead | native tokio | wasio to native |\n\
                    |---|---|---:|---:|---:|---:|---:|\n"
        .to_owned();
    for headline in HEADLINES {
        let rows = rows.clone().filter(|row| headline.fits(row));
        let native = rows.clone().find(|row| row.engine == "native" && row.runtime == "tokio");
        let mut what = None;
        for platform in Platform::ALL.iter().filter(|one| one.is_guest()) {
            let here = rows.clone().filter(|row| row.engine == platform.bench());
            let Some(wasio) = here.clone().find(|row| row.runtime == "wasio") else { continue };
            let peers = here.filter(|row| !["wasio", "bare"].contains(&row.runtime.as_str()));
            let peer = match more_is_better(&wasio.unit) {
                true => peers.max_by(|a, b| a.value.total_cmp(&b.value)),
                false => peers.min_by(|a, b| a.value.total_cmp(&b.value)),
            };
            // Only in the first of its lines.
            let what = what.replace("").unwrap_or(headline.what);
            let best = peer.map_or("–".into(), |p| format!("{} {}", p.runtime, number(p.value)));
            let ahead = peer.and_then(|p| p.wasio_ahead);
            let ahead = ahead.map_or("–".into(), |times| format!("{} ×", ratio(times)));
            let reference = native.map_or("–".into(), |row| number(row.value));
            let to_native = wasio.ratio_native.map_or("–".into(), ratio);
            let (value, unit) = (number(wasio.value), &wasio.unit);
            _ = writeln!(
                text,
                "| {what} | {} | **{value}** {unit} | {best} | {ahead} | {reference} | {to_native} |",
                platform.title()
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;

    #[test]
    fn the_best_peer_is_the_best_on_the_same_engine() {
        let params = serde_json::json!({ "connections": 50, "idle": 0 });
        let rows = [
            row("echo", "wasip2", "wstd", &params, 100.0),
            row("echo", "wasip2", "tokio", &params, 200.0),
            row("echo", "wasip2", "bare", &params, 900.0),
            row("echo", "wasip2", "wasio", &params, 400.0),
            row("echo", "wasio-host", "tokio", &params, 800.0),
            row("echo", "native", "tokio", &params, 500.0),
        ];
        let text = table(rows.iter());
        let line = "| echo, 50 connections | wasip2, `wasio run` | **400** req/s | tokio 200 | 1.25 × | 500 | 0.50 |";
        assert!(text.contains(line), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn less_is_better_where_time_is_measured() {
        let params = serde_json::json!({});
        let mut rows = [
            row("start_echo", "wasip2", "wstd", &params, 3.0),
            row("start_echo", "wasip2", "tokio", &params, 4.0),
            row("start_echo", "wasip2", "wasio", &params, 2.0),
        ];
        rows.iter_mut().for_each(|row| row.unit = "ms".into());
        assert!(table(rows.iter()).contains("| wstd 3 |"));
    }
}
