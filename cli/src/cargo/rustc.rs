//! What cargo calls in place of rustc: test harnesses for WASI are made able to run one test alone.
//!
//! A failing test ends its guest, so each is to have a guest of its own. libtest has that: with `panic-abort-tests`, a
//! harness starts itself once for each test, with the test's name in a variable. A guest cannot start anything, but the
//! runner can (`harness`). The flag is unstable, and cargo would need its own switch for it, so it is added here: for
//! the harness alone, and with unstable flags allowed for this one call of the compiler.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use super::config::Config;
use super::exec::become_command;

/// The variable that says that rustc is wrapped, and by which program the user has it wrapped, if any.
pub(super) const WRAPPED: &str = "WASIO_RUSTC_WRAPPER";
/// Where cargo looks for a wrapper, before its configuration.
const WRAPPERS: [&str; 2] = ["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"];

/// Makes cargo, about to be started by `command`, call rustc through this program.
pub(super) fn wrap(command: &mut Command, config: &Config) -> Result<()> {
    let own = env::current_exe().context("the path of this program")?;
    let named = WRAPPERS.iter().find_map(env::var_os);
    let theirs = match named {
        // A build script of a build like this one calls this program.
        Some(wrapper) if wrapper == own.as_os_str() => env::var_os(WRAPPED).unwrap_or_default(),
        Some(wrapper) => wrapper,
        None => config.rustc_wrapper.clone().unwrap_or_default().into(),
    };
    command.env(WRAPPERS[0], own);
    command.env(WRAPPED, theirs);
    Ok(())
}

/// The user's own value of the variable that [`wrap`] sets.
pub(super) fn own_wrapper() -> (&'static str, Option<OsString>) {
    (WRAPPERS[0], env::var_os(WRAPPERS[0]))
}

/// Whether cargo called this process in place of rustc.
pub(super) fn is_wrapped(args: &[OsString]) -> bool {
    env::var_os(WRAPPED).is_some() && args.get(1).is_some_and(|first| first != "wasio")
}

/// Becomes the compiler: `args` are this program, rustc, and rustc's own.
pub(super) fn run(args: &[OsString]) -> Result<ExitCode> {
    let [_, rustc, given @ ..] = args else { anyhow::bail!("no compiler was named") };
    let mut command = match env::var_os(WRAPPED).filter(|wrapper| !wrapper.is_empty()) {
        Some(wrapper) => {
            let mut command = Command::new(wrapper);
            command.arg(rustc);
            command
        }
        None => Command::new(rustc),
    };
    command.args(given);
    let behind = |flag: &str| given.iter().skip_while(|arg| *arg != flag).nth(1);
    let for_wasi = behind("--target")
        .is_some_and(|target| target.to_string_lossy().starts_with("wasm32-wasi"));
    if for_wasi && given.iter().any(|arg| arg == "--test") {
        command.arg("-Zpanic-abort-tests");
        let taken_back = env::var_os("RUSTC_BOOTSTRAP").is_none_or(|value| value == "-1");
        if taken_back {
            // For this crate and no other.
            command.env(
                "RUSTC_BOOTSTRAP",
                behind("--crate-name").map_or(OsStr::new("1"), |name| name),
            );
        }
    }
    become_command(command)
}
