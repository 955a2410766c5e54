//! Becoming another program.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

/// Replaces this process with `command`, so that signals and exit codes are the engine's own. On systems that cannot do
/// this, waits for it.
pub(crate) fn become_command(mut command: Command) -> Result<ExitCode> {
    let name = command.get_program().to_string_lossy().into_owned();
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let error = command.exec();
        Err(error).with_context(|| format!("cannot start {name}"))
    }
    #[cfg(not(unix))]
    {
        let status = command.status().with_context(|| format!("cannot start {name}"))?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }
}
