//! The program that cargo calls in place of rustc: it adds flags for guests that can only be given to single calls of
//! the compiler.
//!
//! - **Test harnesses** are made able to run a single test. A failing test ends its guest, so each test runs in a guest
//!   of its own. libtest supports that: with `panic-abort-tests`, a harness starts itself once for each test, with the
//!   test's name in a variable. A guest cannot start anything, but the runner can (`harness`). The flag is unstable,
//!   and cargo would need its own switch for it, so it is added here: for the harness alone, and with unstable flags
//!   allowed for this one call.
//! - **Guests become smaller.** wasm32-wasip2 compiles relocatable code, which no program needs, and the linker leaves
//!   room in every number that it fills in. The flags are added here and not through `rustflags`, of which cargo takes
//!   one source and ignores the others. Flags that users set anywhere stay, and come after these.
//! - **Components without wasio pass on exit codes** (`exit_codes`).

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use super::config::Config;
use super::exec::become_command;
use super::exit_codes;

/// Set if rustc is wrapped. Its value is the user's own wrapper, if there is one.
pub(super) const WRAPPED: &str = "WASIO_RUSTC_WRAPPER";
/// The variables in which cargo looks for a wrapper, before its configuration.
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

/// Returns the user's own value of the variable that [`wrap`] sets.
pub(super) fn own_wrapper() -> (&'static str, Option<OsString>) {
    (WRAPPERS[0], env::var_os(WRAPPERS[0]))
}

/// Returns whether cargo called this process in place of rustc.
pub(super) fn is_wrapped(args: &[OsString]) -> bool {
    env::var_os(WRAPPED).is_some() && args.get(1).is_some_and(|first| first != "wasio")
}

/// Becomes the compiler. `args` are this program, rustc, and rustc's own.
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
    command.args(smaller(given)).args(given);
    command.args(exit_codes::flags(rustc, given)?);
    if is_for_wasi(given) && given.iter().any(|arg| arg == "--test") {
        command.arg("-Zpanic-abort-tests");
        let taken_back = env::var_os("RUSTC_BOOTSTRAP").is_none_or(|value| value == "-1");
        if taken_back {
            // For this crate only.
            command
                .env("RUSTC_BOOTSTRAP", value_of(given, "--crate-name").unwrap_or(OsStr::new("1")));
        }
    }
    become_command(command)
}

pub(super) fn value_of<'a>(given: &'a [OsString], flag: &str) -> Option<&'a OsStr> {
    given.iter().skip_while(|arg| *arg != flag).nth(1).map(OsString::as_os_str)
}

fn is_for_wasi(given: &[OsString]) -> bool {
    value_of(given, "--target")
        .is_some_and(|target| target.to_string_lossy().starts_with("wasm32-wasi"))
}

/// Returns flags that make the output smaller if the compiler, given these arguments, compiles for WASI. They go before
/// the user's: the compiler uses the last flag of a kind.
fn smaller(given: &[OsString]) -> Vec<&'static str> {
    let has = |text: &str| given.iter().any(|arg| arg.to_string_lossy().contains(text));
    // Queries are answered as without this program. Libraries that are loaded at run time must be relocatable.
    if !is_for_wasi(given) || has("--print") || has("-shared") {
        return Vec::new();
    }
    let mut flags = vec!["-Crelocation-model=static"];
    // The linker cannot compress code that debug information refers to. Other linkers may not know the flag.
    let strips = matches!(last_strip(given).as_deref(), Some("debuginfo" | "symbols"));
    if strips && !has("linker=") && !has("linker-flavor=") {
        flags.push("-Clink-arg=--compress-relocations");
    }
    flags
}

/// Returns the value of the last `-C strip=`, which takes precedence.
fn last_strip(given: &[OsString]) -> Option<String> {
    given.iter().rev().find_map(|arg| {
        let arg = arg.to_string_lossy();
        let option = arg.trim_start_matches("--codegen=").trim_start_matches("-C");
        option.strip_prefix("strip=").map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(args: &str) -> Vec<&'static str> {
        smaller(&args.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn guests_are_made_smaller_where_that_is_safe() {
        let guest = "--crate-name a src/main.rs --crate-type bin --target wasm32-wasip2";
        assert_eq!(flags(guest), ["-Crelocation-model=static"]);
        let both = ["-Crelocation-model=static", "-Clink-arg=--compress-relocations"];
        assert_eq!(flags(&format!("{guest} -C strip=debuginfo")), both);
        assert_eq!(flags(&format!("{guest} -C strip=debuginfo -Cstrip=none")), both[..1]);
        assert_eq!(flags(&format!("{guest} --codegen=strip=none -Cstrip=symbols")), both);
        let linker = format!("{guest} -C strip=symbols -C linker=wasm-ld-19");
        assert_eq!(flags(&linker), both[..1]);
        for other in [
            "--crate-name build_script_build build.rs --crate-type bin -C strip=debuginfo",
            "- --crate-name ___ --print=cfg --target wasm32-wasip2",
            &format!("{guest} -C link-arg=-shared"),
            "-vV",
        ] {
            assert!(flags(other).is_empty(), "{other}");
        }
    }
}
