//! The stripped size of the TCP echo guest.

use anyhow::Result;

use super::row::Row;
use super::{Bound, Programs};

/// The echo guest must be smaller than this.
const ECHO_BELOW: u64 = 120_000;

pub(super) fn measure(
    programs: &Programs,
    rows: &mut Vec<Row>,
    bounds: &mut Vec<Bound>,
) -> Result<()> {
    let bytes = std::fs::metadata(&programs.echo_wasio)?.len();
    rows.push(Row {
        group: "size".to_owned(),
        bench: "size_echo".to_owned(),
        engine: "wasio-host".to_owned(),
        runtime: "wasio".to_owned(),
        params: serde_json::json!({}),
        value: bytes as f64,
        unit: "bytes".to_owned(),
        ratio_native: None,
        spread: 0.0,
    });
    bounds.push(Bound {
        what: format!("the echo guest has {bytes} bytes, less than {ECHO_BELOW} wanted"),
        holds: bytes < ECHO_BELOW,
    });
    Ok(())
}
