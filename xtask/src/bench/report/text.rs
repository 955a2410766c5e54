//! Rows as text on a terminal.

use super::chart::number;
use crate::bench::measure::row::Row;

/// Formats the rows as text. The rows of one quantity follow its name.
pub(crate) fn table(rows: &[Row]) -> Vec<String> {
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

/// Formats the parameters, each with a comma in front.
pub(crate) fn describe(params: &serde_json::Value) -> String {
    let each = |(name, value): (&String, &serde_json::Value)| match value.as_f64() {
        Some(value) => format!(", {} {name}", number(value)),
        None => format!(", {name} {}", value.as_str().unwrap_or_default()),
    };
    params.as_object().into_iter().flatten().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn parameters() {
        let params = serde_json::json!({ "command": "set", "connections": 1000 });
        assert_eq!(describe(&params), ", command set, 1,000 connections");
    }
}
