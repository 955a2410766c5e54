//! Finds programs other than cargo: named in a variable, or on the PATH.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// Returns the first line of the program's answer to `--version`.
pub(crate) fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    Some(line.trim().to_owned())
}

/// Returns the program named by an environment variable, or else one of that name on the PATH.
pub(crate) fn named_or_on_path(variable: &str, name: &str) -> Result<Option<PathBuf>> {
    Ok(named(variable)?.or_else(|| on_path(name)))
}

pub(super) fn named(variable: &str) -> Result<Option<PathBuf>> {
    let Some(named) = env::var_os(variable).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    // Guests run in other folders than this command.
    let path = std::path::absolute(&named)?;
    if !is_program(&path) {
        bail!("{variable} names {}, which is not a program", path.display());
    }
    Ok(Some(path))
}

pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(&name)).find(|path| is_program(path))
}

pub(super) fn is_program(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        path.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    {
        path.is_file()
    }
}
