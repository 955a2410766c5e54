//! Exit codes of components that do not contain wasio.
//!
//! The C library of WASI 0.2 knows only success and failure. wasio's runtime replaces its `_Exit` by one that tells
//! `wasio run` the code (`host/SIGNALS.md`). Programs and tests without the runtime are linked with the same file,
//! which is compiled for each of them. That takes as long as compiling an empty program.
//!
//! A toolchain that has no std for the target, because it builds std as well, cannot compile the file alone. Codes are
//! then passed on as the C library does.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result};

use super::metadata::Metadata;
use super::rustc::value_of;
use super::sources::Sources;
use crate::targets::Target;

/// Names the file to the program that cargo calls in place of rustc.
pub(super) const SOURCE: &str = "WASIO_RUSTC_EXIT_CODES";
/// The file, below the drop-ins.
const FILE: &str = "runtime/src/sys/wasip2/exit.rs";
/// The function in the file.
const EXIT: &str = "_Exit";
/// The package that contains it.
const RUNTIME: &str = "wasio-runtime";

/// Makes the compiler, about to be called by `command`, link the file, unless the guest contains the runtime.
pub(super) fn install(command: &mut Command, metadata: &Metadata, sources: &Sources) {
    // Packages that only tests need count, too.
    if metadata.in_guest(true).iter().any(|package| package.name == RUNTIME) {
        command.env_remove(SOURCE);
    } else {
        command.env(SOURCE, sources.root().join(FILE));
    }
}

/// Compiles the file if rustc, called with `given`, links a component. Returns the flags with which it is linked.
pub(super) fn flags(rustc: &OsStr, given: &[OsString]) -> Result<Vec<OsString>> {
    let source = env::var_os(SOURCE).filter(|_| links_component(given));
    let (Some(source), Some(folder)) = (source, value_of(given, "--out-dir")) else {
        return Ok(Vec::new());
    };
    let source = fs::read_to_string(&source)
        .with_context(|| format!("cannot read {}", source.display()))
        .map(|source| wrapping(&source))?;
    // Several components may be linked at a time.
    let suffix = given.iter().find_map(|arg| arg.to_str()?.strip_prefix("extra-filename="));
    let object = Path::new(folder).join(format!("exit_codes{}.o", suffix.unwrap_or_default()));
    let mut command = Command::new(rustc);
    command.args(["--crate-name=exit_codes", "--crate-type=lib", "--edition=2024", "--emit=obj"]);
    command.args(["-Copt-level=s", "--target", Target::P2.triple(), "-o"]).arg(&object).arg("-");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut rustc = command.spawn().context("cannot start rustc")?;
    if let Some(mut input) = rustc.stdin.take() {
        // If rustc does not read it, it fails.
        let _ = input.write_all(source.as_bytes());
    }
    if !rustc.wait()?.success() {
        return Ok(Vec::new());
    }
    let mut link = OsString::from("-Clink-arg=");
    link.push(object);
    Ok(vec![link, format!("-Clink-arg=--wrap={EXIT}").into()])
}

/// Returns the file with its function under the name by which the linker's `--wrap` finds it: the C library, which comes
/// earlier, has a function of the original name.
fn wrapping(source: &str) -> String {
    source.replacen(&format!("fn {EXIT}("), &format!("fn __wrap_{EXIT}("), 1)
}

/// Returns whether the output is a program or a test for WASI 0.2.
fn links_component(given: &[OsString]) -> bool {
    let has = |text: &str| given.iter().any(|arg| arg == text);
    let emits = given.iter().find_map(|arg| arg.to_str()?.strip_prefix("--emit="));
    value_of(given, "--target").is_some_and(|target| target == Target::P2.triple())
        && (has("--test") || value_of(given, "--crate-type").is_some_and(|kind| kind == "bin"))
        && emits.is_some_and(|emits| emits.split(',').any(|kind| kind == "link"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_in_the_file_is_found() {
        let source = include_str!("../../../runtime/src/sys/wasip2/exit.rs");
        assert!(wrapping(source).contains("\nextern \"C\" fn __wrap__Exit(status: i32) -> ! {\n"));
    }

    #[test]
    fn only_components_are_linked_with_the_file() {
        let links =
            |args: &str| links_component(&args.split(' ').map(OsString::from).collect::<Vec<_>>());
        let all = "--emit=dep-info,link --out-dir d";
        assert!(links(&format!("--crate-type bin {all} --target wasm32-wasip2")));
        assert!(links(&format!("--test {all} --target wasm32-wasip2")));
        for other in [
            format!("--crate-type bin {all} --target wasm32-wasip1"),
            format!("--crate-type lib {all} --target wasm32-wasip2"),
            format!("--crate-type bin {all}"),
            "--crate-type bin --emit=dep-info,metadata --target wasm32-wasip2".to_owned(),
        ] {
            assert!(!links(&other), "{other}");
        }
    }
}
