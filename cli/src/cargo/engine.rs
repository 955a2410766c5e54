//! Finds the WebAssembly engines.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::program::{is_program, named, on_path};
use super::shell::Shell;
use crate::targets::Engine;

/// Finds `engine`'s program. The error says where it was searched for.
pub(crate) fn find(engine: Engine) -> Result<PathBuf> {
    let (variable, name) = (engine.variable(), engine.name());
    if let Some(path) = named(variable)? {
        return Ok(path);
    }
    let own = env::current_exe().context("the path of this program")?;
    let beside = own.with_file_name(format!("{name}{}", env::consts::EXE_SUFFIX));
    // The runner is installed together with this command.
    let is_wasio = engine == Engine::Wasio;
    if is_wasio && is_program(&beside) {
        return Ok(beside);
    }
    if let Some(found) = on_path(name) {
        return Ok(found);
    }
    let beside = if is_wasio { format!("not beside {}, ", own.display()) } else { String::new() };
    bail!(
        "the engine `{name}` was not found: {beside}not on the PATH, and {variable} is not set.\n{}",
        engine.install()
    )
}

/// Compiles the runner too, inside wasio's own repository, where an alias compiles this command on each call.
pub(crate) fn build_in_repository(shell: &Shell) -> Result<()> {
    let called_by_alias = env::var("CARGO_PKG_NAME").is_ok_and(|name| name == "wasio-cli");
    let (Some(cargo), Some(package)) = (env::var_os("CARGO"), env::var_os("CARGO_MANIFEST_DIR"))
    else {
        return Ok(());
    };
    let own = env::current_exe()?;
    let release = own.parent().and_then(Path::file_name) == Some(OsStr::new("release"));
    if !called_by_alias || !release || env::var_os("WASIO_BIN").is_some() {
        return Ok(());
    }
    let runner = own.with_file_name(format!("wasio{}", env::consts::EXE_SUFFIX));
    if !is_program(&runner) {
        shell.status("Building", "the runner `wasio` (once; this takes some minutes)");
    }
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--bin", "wasio", "--manifest-path"])
        .arg(Path::new(&package).join("Cargo.toml"))
        .stdin(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("the runner `wasio` does not compile: see above");
    }
    Ok(())
}
