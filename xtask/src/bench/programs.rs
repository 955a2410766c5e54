//! The programs that are measured, each built once with every runtime.

use std::path::{Path, PathBuf};

use anyhow::Result;
use xtask::cargo::{self, Built};
use xtask::{guests, workspace};

/// Where the built programs are.
pub(super) struct Programs {
    /// The executor figures as a guest, with wasio and with tokio.
    pub(super) executor_wasio: PathBuf,
    pub(super) executor_tokio: PathBuf,
    /// The same natively, with tokio: what every ratio refers to.
    pub(super) executor_native: PathBuf,
    /// The echo server as a guest, with wasio.
    pub(super) echo_wasio: PathBuf,
    /// The echo server natively, with tokio.
    pub(super) echo_native: PathBuf,
    /// The load generator.
    pub(super) load: PathBuf,
    /// Sessions as tasks: as a guest with wasio, and natively with tokio.
    pub(super) sessions_wasio: PathBuf,
    pub(super) sessions_native: PathBuf,
    /// A session as a guest in blocking style.
    pub(super) blocking: PathBuf,
}

impl Programs {
    pub(super) fn build(progress: &dyn Fn(&str)) -> Result<Programs> {
        let benches = workspace::root().join("benches");
        let build = |folder: &str, target, args: &[&str]| {
            guests::build(&benches.join(folder), target, args, progress)
        };
        let take = |built: &[Built], name: &str, kept: &str| -> Result<PathBuf> {
            keep(cargo::find(built, name)?, kept)
        };
        let wasio = build("wasio", Some(cargo::WASIP1), &[])?;
        let executor_wasio = take(&wasio, "bench-executor", "executor-wasio.wasm")?;
        let echo_wasio = take(&wasio, "bench-echo", "echo-wasio.wasm")?;
        let sessions_wasio = take(&wasio, "bench-sessions", "sessions-wasio.wasm")?;
        let tokio = build("tokio", Some(cargo::WASIP1), &[])?;
        let executor_tokio = take(&tokio, "bench-executor", "executor-tokio.wasm")?;
        let native = build("tokio", None, &["--features", "net"])?;
        let executor_native = take(&native, "bench-executor", "executor-native")?;
        let echo_native = take(&native, "bench-echo", "echo-native")?;
        let sessions_native = take(&native, "bench-sessions", "sessions-native")?;
        let blocking = build("blocking", Some(cargo::WASIP1), &[])?;
        let blocking = take(&blocking, "bench-blocking", "blocking.wasm")?;
        let load = build("load", None, &[])?;
        let load = take(&load, "load", "load")?;
        Ok(Programs {
            executor_wasio,
            executor_tokio,
            executor_native,
            echo_wasio,
            echo_native,
            load,
            sessions_wasio,
            sessions_native,
            blocking,
        })
    }
}

/// The workspaces share a build folder and give their programs the same names: each is put aside
/// as soon as it is built.
fn keep(built: &Path, name: &str) -> Result<PathBuf> {
    let kept = workspace::scratch("bench")?.join(name);
    std::fs::copy(built, &kept)?;
    Ok(kept)
}
