//! The cargo runner for WasmEdge: compiles the test binary ahead of time and runs it.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, bail};
use xtask::engine::Runner;

/// A test binary and its arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The .wasm file.
    file: PathBuf,
    /// What the guest gets.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let Some(runner) = Runner::wasmedge()? else { bail!("wasmedge not found") };
    let guest = runner.prepare(&args.file)?;
    let status = runner.launch(&guest).args(&args.args).command().status()?;
    std::process::exit(status.code().unwrap_or(1));
}
