//! Stripped guests, in bytes.

use anyhow::Result;
use xtask::engine::Engine::Native;

use super::field::{Entry, Field};
use super::measured::Measured;
use super::{Scale, echo, http, redis};

const GROUP: &str = "size";

pub(super) fn measure(field: &mut Field<'_>, _: &Scale, measured: &mut Measured) -> Result<()> {
    let hyper_client = http::entries("hyper-client");
    let programs: [(&str, &[Entry]); 3] = [
        ("size_echo", &echo::SERVERS),
        ("size_redis_client", &redis::CLIENT),
        ("size_hyper_client", &hyper_client),
    ];
    for (bench, entries) in programs {
        // A loop without a runtime is the floor of speed, not of size; natively there is nothing to compare.
        let is_guest = |e: &&Entry| e.engine != Native && e.runtime != "bare";
        let guests: Vec<Entry> = entries.iter().filter(is_guest).copied().collect();
        for guest in field.enter(GROUP, &guests)? {
            let file = field.programs.get(guest.entry.program, &|_| {})?;
            let bytes = std::fs::metadata(file)?.len() as f64;
            measured.add(GROUP, bench, &serde_json::json!({}), "bytes", &guest, bytes);
        }
    }
    Ok(())
}
