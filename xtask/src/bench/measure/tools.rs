//! Third-party programs: whether they are installed, and servers for the duration of a group.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use xtask::process::Running;
use xtask::processor;

const LIMIT: Duration = Duration::from_secs(30);

/// Whether a program is on the PATH.
pub(crate) fn found(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

/// A server that listens, until this is dropped.
pub(crate) struct Started(#[allow(dead_code, reason = "it is killed when dropped")] Running);

impl Started {
    pub(crate) fn new(mut command: Command, port: u16) -> Result<Started> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut server = Running::spawn(&name, &mut command)?;
        server.listens(port, LIMIT)?;
        processor::keep(server.id(), processor::SERVER);
        Ok(Started(server))
    }
}
