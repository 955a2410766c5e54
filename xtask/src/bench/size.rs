//! Stripped guests, in bytes.

use anyhow::Result;
use xtask::engine::Engine::{Wasio, Wasip2, Wasmedge};

use super::Scale;
use super::echo::SERVERS;
use super::field::Field;
use super::measured::Measured;

const GROUP: &str = "size";

pub(super) fn measure(field: &mut Field<'_>, _: &Scale, measured: &mut Measured) -> Result<()> {
    // A loop without a runtime is the floor of speed, not of size; natively there is nothing to compare.
    let guests = SERVERS.into_iter().filter(|entry| {
        matches!(entry.engine, Wasio | Wasmedge | Wasip2) && entry.runtime != "bare"
    });
    for guest in field.enter(GROUP, &guests.collect::<Vec<_>>())? {
        let file = field.programs.get(guest.entry.program, &|_| {})?;
        let bytes = std::fs::metadata(file)?.len() as f64;
        measured.add(GROUP, "size_echo", &serde_json::json!({}), "bytes", &guest, bytes);
    }
    Ok(())
}
