//! The C compiler for crates with C code: finds it, and passes it to their build scripts.
//!
//! Build scripts use the crate `cc`, which takes `clang` and `llvm-ar` for WASI unless the environment names others. If
//! these programs exist only with a number in their names, or if `CC` names a compiler that does not support
//! WebAssembly, the build fails with messages that do not say why. Nearly all crates but ring also include headers of
//! the C library, and need the path of those for WASI: distributions install them beside the native ones. The library
//! itself is part of Rust's targets.
//!
//! A WASI SDK (`WASI_SDK_PATH`) brings compiler and headers, and `cc` finds both in it. The user's own choice for the
//! target is left alone.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

/// Version suffixes in Debian's packages, tried from the newest. clang compiles ring from version 11 on.
const VERSIONS: std::ops::RangeInclusive<u32> = 11..=30;

/// The folders of the C library's headers: Debian and Ubuntu, Fedora, Arch, Homebrew (two of them).
const HEADERS: &[&str] = &[
    "/usr/include/wasm32-wasi",
    "/usr/wasm32-wasi/include",
    "/usr/share/wasi-sysroot/include",
    "/opt/homebrew/share/wasi-sysroot/include",
    "/usr/local/share/wasi-sysroot/include",
];

/// A clang that can compile for wasm32.
#[derive(Debug)]
pub(crate) struct Clang {
    /// The command that starts it.
    pub(crate) program: String,
    /// Its archiver, if there is one.
    archiver: Option<String>,
}

impl Clang {
    /// Returns the first compiler that supports wasm32: the one that `CC` names, `clang`, then the newest with a number
    /// in its name.
    pub(crate) fn find() -> Option<Clang> {
        let chosen = env::var("CC").ok().filter(|program| !program.is_empty());
        let numbered = VERSIONS.rev().map(|version| format!("clang-{version}"));
        let all = chosen.into_iter().chain(["clang".to_owned()]).chain(numbered);
        let program = all.into_iter().find(|program| can_compile(program))?;
        let suffix = program.rsplit_once("clang").map_or("", |(_, suffix)| suffix);
        let archiver = format!("llvm-ar{suffix}");
        let archiver = starts(&archiver).then_some(archiver);
        Some(Clang { program, archiver })
    }

    /// Passes the compiler to the build scripts that `command` will run for `target`.
    pub(crate) fn install(&self, command: &mut Command, target: &str) {
        if is_chosen("CC", target) {
            return;
        }
        let target = target.replace('-', "_");
        command.env(format!("CC_{target}"), &self.program);
        if let (Some(archiver), false) = (&self.archiver, is_chosen("AR", &target)) {
            command.env(format!("AR_{target}"), archiver);
        }
        if let Some(headers) = headers(&target) {
            let flag = format!("-isystem {headers}");
            for (flags, value) in [
                ("CFLAGS", flag.clone()),
                // bindgen finds no functions without it.
                ("BINDGEN_EXTRA_CLANG_ARGS", format!("{flag} -fvisibility=default")),
            ] {
                if chosen_for(flags, &target).is_none() {
                    // The variable for the target hides the general one.
                    let general = env::var(format!("TARGET_{flags}")).or_else(|_| env::var(flags));
                    let value = [value, general.unwrap_or_default()].join(" ");
                    command.env(format!("{flags}_{target}"), value.trim_end());
                }
            }
        }
    }
}

/// Returns the folder with the C library's headers for `target`, if a distribution's package is installed.
pub(crate) fn headers(target: &str) -> Option<String> {
    // Newer packages have one folder for each target.
    let of_target = target.replace('_', "-");
    let places = HEADERS.iter().flat_map(|place| {
        [
            place.replace("wasm32-wasi", &of_target),
            format!("{place}/{of_target}"),
            (*place).to_owned(),
        ]
    });
    places.into_iter().find(|place| Path::new(place).join("stdlib.h").is_file())
}

/// Returns the user's choice for this very target.
fn chosen_for(variable: &str, target: &str) -> Option<OsString> {
    let spellings = [target.to_owned(), target.replace('_', "-"), target.replace('-', "_")];
    let named =
        spellings.into_iter().find_map(|target| env::var_os(format!("{variable}_{target}")));
    named.filter(|value| !value.is_empty())
}

/// Returns whether the user has chosen a compiler or archiver (`CC`, `AR`) for `target`.
pub(crate) fn is_chosen(tool: &str, target: &str) -> bool {
    let general = [format!("TARGET_{tool}"), "WASI_SDK_PATH".to_owned()];
    chosen_for(tool, target).is_some()
        || general.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn can_compile(program: &str) -> bool {
    let listed = Command::new(program).arg("--print-targets").stdin(Stdio::null()).output();
    listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains("wasm32"))
}

fn starts(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    version.is_ok_and(|version| version.status.success())
}
