//! The C compiler for crates with C code, such as ring: found, and named to their build scripts.
//!
//! Those ask the crate `cc`, which takes `clang` and `llvm-ar` for WASI unless the environment names others. Where
//! they have a number in their names only, or `CC` names a compiler that knows nothing of WebAssembly, that fails
//! with messages that do not say why. What the user has chosen for the target itself is left alone. ring needs
//! neither headers nor a C library; a crate that does needs `WASI_SDK_PATH` or `CFLAGS_wasm32_wasip1` as well.

use std::env;
use std::process::{Command, Stdio};

/// Versions that Debian's packages put behind the name, newest first. From 11 on clang compiles ring.
const VERSIONS: std::ops::RangeInclusive<u32> = 11..=30;

/// A clang that can compile for wasm32.
#[derive(Debug)]
pub(crate) struct Clang {
    /// What starts it.
    pub(crate) program: String,
    /// Its archiver, if it is there.
    archiver: Option<String>,
}

impl Clang {
    /// The first that can: what `CC` names, `clang`, then the newest with a number in its name.
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

    /// Names it to the build scripts that `command` will run for `target`.
    pub(crate) fn install(&self, command: &mut Command, target: &str) {
        if is_chosen("CC", target) {
            return;
        }
        let target = target.replace('-', "_");
        command.env(format!("CC_{target}"), &self.program);
        if let (Some(archiver), false) = (&self.archiver, is_chosen("AR", &target)) {
            command.env(format!("AR_{target}"), archiver);
        }
    }
}

/// Whether the user has named a compiler or archiver (`CC`, `AR`) for `target`.
pub(crate) fn is_chosen(tool: &str, target: &str) -> bool {
    let named = [
        format!("{tool}_{target}"),
        format!("{tool}_{}", target.replace('-', "_")),
        format!("TARGET_{tool}"),
        "WASI_SDK_PATH".to_owned(),
    ];
    named.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn can_compile(program: &str) -> bool {
    let listed = Command::new(program).arg("--print-targets").stdin(Stdio::null()).output();
    listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains("wasm32"))
}

fn starts(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    version.is_ok_and(|version| version.status.success())
}
