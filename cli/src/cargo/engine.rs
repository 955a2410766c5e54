//! Finds the WebAssembly engines.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::args::Engine;
use super::shell::Shell;

/// Finds `engine`'s program, or says where it was looked for.
pub(crate) fn find(engine: Engine) -> Result<PathBuf> {
    let (variable, name) = match engine {
        Engine::Wasio => ("WASIO_BIN", "wasio"),
        Engine::Wasmedge => ("WASIO_WASMEDGE", "wasmedge"),
    };
    if let Some(path) = named(variable)? {
        return Ok(path);
    }
    let own = env::current_exe().context("the path of this program")?;
    let beside = own.with_file_name(format!("{name}{}", env::consts::EXE_SUFFIX));
    if engine == Engine::Wasio && is_program(&beside) {
        return Ok(beside);
    }
    if let Some(found) = on_path(name) {
        return Ok(found);
    }
    match engine {
        Engine::Wasio => bail!(
            "the runner `wasio` was not found: not beside {}, not on the PATH, and WASIO_BIN is \
             not set.\nInstall both with `cargo install --path cli` in wasio's repository, or \
             build it there with `cargo build --release --package wasio-cli --bin wasio`.",
            own.display()
        ),
        Engine::Wasmedge => bail!(
            "WasmEdge was not found: no `wasmedge` on the PATH, and WASIO_WASMEDGE is not set.\n\
             See https://wasmedge.org/docs/start/install, or use `--engine wasio`."
        ),
    }
}

/// Inside wasio's own repository, where an alias compiles this command on each
/// call, compiles the runner too.
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

/// What the program answers to `--version`, in one line.
pub(crate) fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    Some(line.trim().to_owned())
}

/// The program that an environment variable names, or else one of that name on the PATH.
pub(crate) fn named_or_on_path(variable: &str, name: &str) -> Result<Option<PathBuf>> {
    Ok(named(variable)?.or_else(|| on_path(name)))
}

fn named(variable: &str) -> Result<Option<PathBuf>> {
    let Some(named) = env::var_os(variable).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    // Guests are run in other folders than this command.
    let path = std::path::absolute(&named)?;
    if !is_program(&path) {
        bail!("{variable} names {}, which is not a program", path.display());
    }
    Ok(Some(path))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(&name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
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
