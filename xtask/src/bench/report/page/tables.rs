//! One table for each quantity: a line for each runtime, a column for each engine.

use std::fmt::Write as _;

use xtask::platform::Platform;

use crate::bench::measure::results::more_is_better;
use crate::bench::measure::row::{Row, median};
use crate::bench::report::chart::number;
use crate::bench::report::text::describe;

/// The runtimes, in the order of the lines. Others follow.
const RUNTIMES: [&str; 6] = ["wasio", "tokio", "tokio_wasi", "wstd", "smol", "bare"];

/// The tables of a group.
pub(crate) fn tables(rows: &[Row]) -> String {
    let mut benches: Vec<&str> = Vec::new();
    for row in rows {
        if !benches.contains(&row.bench.as_str()) {
            benches.push(&row.bench);
        }
    }
    let of = |bench: &str| rows.iter().filter(|row| row.bench == bench).collect::<Vec<_>>();
    benches.into_iter().map(|bench| table(bench, &of(bench))).collect()
}

/// The table of one bench: its parameters in their order, and the runtimes below each.
fn table(bench: &str, rows: &[&Row]) -> String {
    let unit = &rows[0].unit;
    let better = if more_is_better(unit) { "more" } else { "less" };
    let mut text = format!("**`{bench}`**, {unit}; {better} is better\n\n");

    let here = |one: &&Platform| rows.iter().any(|row| row.engine == one.bench());
    let platforms: Vec<_> = Platform::ALL.iter().filter(here).collect();
    let mut params: Vec<_> = rows.iter().map(|row| &row.params).collect();
    params.sort_by_key(|params| order(params));
    params.dedup();
    let with_params = params.len() > 1 || !describe(params[0]).is_empty();

    let column = |text: &mut String, cell: &str| _ = write!(text, " {cell} |");
    text.push('|');
    if with_params {
        column(&mut text, "with");
    }
    column(&mut text, "runtime");
    platforms.iter().for_each(|one| column(&mut text, one.title()));
    text.push_str(if with_params { "\n|---|---|" } else { "\n|---|" });
    platforms.iter().for_each(|_| text.push_str("---:|"));
    text.push('\n');

    for params in params {
        let set: Vec<_> = rows.iter().filter(|row| row.params == *params).collect();
        let mut runtimes: Vec<_> = set.iter().map(|row| row.runtime.as_str()).collect();
        runtimes.sort_by_key(|name| (RUNTIMES.iter().position(|known| known == name), *name));
        runtimes.dedup();
        let unknown = runtimes.iter().take_while(|name| !RUNTIMES.contains(name)).count();
        runtimes.rotate_left(unknown);
        let mut described = describe(params).trim_start_matches(", ").to_owned();
        for runtime in runtimes {
            text.push('|');
            if with_params {
                // Only in the first of its lines.
                column(&mut text, &std::mem::take(&mut described));
            }
            let bold = if runtime == "wasio" { "**" } else { "" };
            column(&mut text, &format!("{bold}{runtime}{bold}"));
            for platform in &platforms {
                let row =
                    set.iter().find(|row| row.engine == platform.bench() && row.runtime == runtime);
                column(&mut text, &row.map_or(String::new(), |row| cell(row)));
            }
            text.push('\n');
        }
    }
    text.push_str(&spread(rows));
    text
}

/// The figure, and its ratio to native tokio's.
fn cell(row: &Row) -> String {
    let value = number(row.value);
    match row.ratio_native {
        Some(to_native) if row.engine != "native" => format!("{value} ({})", ratio(to_native)),
        _ => value,
    }
}

/// A ratio with its significant digits.
pub(crate) fn ratio(ratio: f64) -> String {
    match ratio {
        100.0.. => number(ratio.round()),
        0.01.. => format!("{ratio:.2}"),
        _ => format!("{ratio:.3}"),
    }
}

/// A key that orders parameters by number.
fn order(params: &serde_json::Value) -> Vec<u64> {
    let values = params.as_object().into_iter().flatten();
    // Idle connections count for more than busy ones.
    let mut values: Vec<_> = values.map(|(name, value)| (name != "idle", value.as_u64())).collect();
    values.sort_by_key(|(others, _)| *others);
    values.into_iter().filter_map(|(_, value)| value).collect()
}

/// The spread of the runs.
fn spread(rows: &[&Row]) -> String {
    let spreads: Vec<_> = rows.iter().map(|row| row.spread * 100.0).collect();
    let most = spreads.iter().copied().fold(0.0, f64::max);
    match most {
        0.5.. => {
            format!("\nSpread: {:.0} % (median), {most:.0} % at most.\n\n", median(&spreads).0)
        }
        _ => "\n".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::echo;
    use super::*;

    #[test]
    fn a_table_has_runtimes_and_engines_in_order() {
        let rows = [
            echo("wasip2", "wstd", 1000, 1500.0),
            echo("wasip2", "other", 1000, 1.0),
            echo("wasip2", "wasio", 1000, 3000.0),
            echo("wasip2", "wasio", 0, 2900.0),
            echo("native", "tokio", 1000, 6000.0),
        ];
        let text = tables(&rows);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "**`echo`**, req/s; more is better");
        assert_eq!(lines[2], "| with | runtime | native | wasip2, `wasio run` |");
        assert_eq!(lines[4], "| 10 connections, 0 idle | **wasio** |  | 2,900 (0.50) |");
        assert_eq!(lines[5], "| 10 connections, 1,000 idle | **wasio** |  | 3,000 (0.50) |");
        assert_eq!(lines[6], "|  | tokio | 6,000 |  |");
        assert_eq!(lines[7], "|  | wstd |  | 1,500 (0.50) |");
        assert_eq!(lines[8], "|  | other |  | 1 (0.50) |");
        assert_eq!(lines[10], "Spread: 2 % (median), 2 % at most.");
    }

    #[test]
    fn ratios_have_the_digits_they_are_worth() {
        let texts = [1761.3, 99.5, 1.0, 0.5, 0.0012].map(ratio);
        assert_eq!(texts, ["1,761", "99.50", "1.00", "0.50", "0.001"]);
    }
}
