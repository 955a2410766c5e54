//! Time zones, signals, processes, and packages made for other platforms.

use super::Level::{Error, Note, Warning};
use super::{Known, NO_COMPILE, known};

pub(super) const TABLE: &[Known] = &[
    // Time zones
    known(
        "chrono",
        Note,
        "`Local` is UTC on WASI, whatever TZ says (src/offset/local/mod.rs)",
        "nothing has to be done for UTC; for a zone, read TZ and use chrono-tz, which brings all zones along",
    )
    .with(&["clock"]),
    known(
        "time",
        Warning,
        "the local offset is an error on WASI, which has no time zone",
        "use UTC, or time-tz with the zone that the program reads from TZ",
    )
    .with(&["local-offset"]),
    // Signals, processes, the system
    known("signal-hook", Error, NO_COMPILE, "use `tokio::signal::ctrl_c`"),
    known("signal-hook-registry", Error, NO_COMPILE, "use `tokio::signal::ctrl_c`"),
    known(
        "gethostname",
        Error,
        NO_COMPILE,
        "switch off the feature that pulls it in, or use hostname, which wasio replaces",
    ),
    known("ctrlc", Error, NO_COMPILE, "use `tokio::signal::ctrl_c`"),
    known("nix", Error, NO_COMPILE, "use it on native targets only"),
    known(
        "tokio",
        Note,
        "`tokio::process` cannot start anything: WASI has no processes",
        "nothing has to be done unless the program uses it",
    )
    .with(&["process"]),
    known(
        "tokio",
        Error,
        "versions before 1 reach the system through mio 0.6, which does not compile for WASI",
        "update the package that asks for it to one that uses tokio 1",
    )
    .of("<1"),
    known(
        "tokio",
        Note,
        "the multi-threaded runtime has one thread: WASI has no more",
        "nothing has to be done; work that computes for long should `yield_now`",
    )
    .with(&["rt-multi-thread"]),
    // Made for other platforms
    known(
        "wasm-bindgen",
        Warning,
        "calls JavaScript, which no WASI host has",
        "switch off the feature that pulls it in (`js`, `wasm-bindgen`, `wasmbind`)",
    ),
    known("crossterm", Error, NO_COMPILE, "use it on native targets only"),
    known(
        "tempfile",
        Warning,
        "`tempfile()` panics: WASI has no temporary folder",
        "use `tempfile_in` and `TempDir::new_in` with a folder that was granted",
    ),
];
