//! The host's own programs, compiled with the runner so that the engine is compiled once for all.

use std::path::PathBuf;

use anyhow::Result;
use xtask::cargo;

/// The host programs that are built.
pub(crate) struct Host {
    /// The runner.
    pub(crate) wasio: PathBuf,
    /// Sessions as guests in blocking style.
    pub(crate) sessions: PathBuf,
    /// Import calls.
    pub(crate) imports: PathBuf,
}

impl Host {
    pub(crate) fn build(progress: &dyn Fn(&str)) -> Result<Host> {
        let mut command = cargo::command();
        command.args(["build", "--release", "-p", "wasio-host", "-p", "wasio-cli", "--bins"]);
        command.args(["--example", "sessions", "--example", "imports"]);
        let built = cargo::build(&mut command, progress)?;
        let find = |name| cargo::find(&built, name).map(PathBuf::from);
        Ok(Host { wasio: find("wasio")?, sessions: find("sessions")?, imports: find("imports")? })
    }
}
