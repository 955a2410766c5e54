//! `cargo wasio build --wasm-opt`: smaller, and still the same program.
#![cfg(unix)]

mod cargo_support;

use std::process::{Command, ExitCode};

use cargo_support::{HELLO, Project, finish, target};
use libtest_mimic::{Arguments, Trial};

const DEPENDENCIES: &str = "tokio = { version = \"1\", features = [\"full\"] }\n\n\
                            [profile.release]\nstrip = true";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let is_there = Command::new("wasm-opt").arg("--version").output().is_ok();
    if !is_there {
        eprintln!("skipped: wasm-opt not found (ci/packages.sh)");
    }
    let trial = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let trials = vec![
        trial("a_module_is_made_smaller", a_module_is_made_smaller).with_ignored_flag(!is_there),
        trial("a_component_is_made_smaller", a_component_is_made_smaller)
            .with_ignored_flag(!is_there),
        trial("names_are_kept_where_they_are", names_are_kept_where_they_are)
            .with_ignored_flag(!is_there),
        trial("what_does_not_go_is_said", what_does_not_go_is_said),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Builds for `wasi`, without and with `--wasm-opt`, and runs it; returns both lengths.
fn lengths(wasi: &str, name: &str) -> [u64; 2] {
    let project = Project::new(name, DEPENDENCIES, HELLO);
    let built = target().join(format!("wasio/wasm32-wasi{wasi}/release/{name}.wasm"));
    let length = || built.metadata().unwrap().len();
    let plain = ["build", "--release", "--wasi", wasi];
    project.wasio(&plain).ok();
    let before = length();
    let out = project.wasio(&["build", "--wasm-opt", "--release", "--wasi", wasi]).ok();
    let after = length();
    let out = out.says(&format!("Optimized {}", built.display()));
    out.says(&format!("(-O3: {before} -> {after} bytes)"));
    let mut run = Command::new(env!("CARGO_BIN_EXE_wasio"));
    assert_eq!(finish(run.arg("run").arg(&built)).ok().stdout, "answer 42\n");
    // The other link is as cargo made it.
    project.wasio(&plain).ok();
    assert_eq!(length(), before);
    [before, after]
}

fn a_module_is_made_smaller() {
    let [before, after] = lengths("p1", "smaller-module");
    assert!(after * 100 < before * 94, "{before} -> {after}");
}

fn a_component_is_made_smaller() {
    let [before, after] = lengths("p2", "smaller-component");
    // Without the names that the linker adds, too.
    assert!(after * 100 < before * 88, "{before} -> {after}");
}

fn names_are_kept_where_they_are() {
    let project = Project::new("named", "", "fn main() { println!(\"named\"); }");
    project.wasio(&["build", "--wasm-opt=s"]).ok().says("(-Os: ");
    let built = std::fs::read(target().join("wasio/wasm32-wasip1/debug/named.wasm")).unwrap();
    assert!(String::from_utf8_lossy(&built).contains("std::rt::lang_start"), "no function's name");
}

fn what_does_not_go_is_said() {
    let project = Project::new("not-optimized", "", "fn main() {}");
    let mut command = project.command();
    command.args(["build", "--wasm-opt"]).env("PATH", "/no/such/folder");
    finish(&mut command).fails_with(101, "apt-get install binaryen");
    let mut command = project.command();
    command.args(["build", "--wasm-opt"]).env("WASIO_WASM_OPT", "/no/such/program");
    finish(&mut command).fails_with(101, "WASIO_WASM_OPT names /no/such/program, which is not");
    project.wasio(&["build", "--wasm-opt=9"]).fails_with(2, "possible values: 0, 1, 2, 3, 4, s, z");
    let both = ["build", "--wasm-opt", "--message-format=json"];
    project.wasio(&both).fails_with(101, "--message-format");
    project.write("src/main.rs", "fn main() { nothing }");
    let mut command = project.command();
    command.args(["build", "--wasm-opt"]).env("WASIO_WASM_OPT", env!("CARGO_BIN_EXE_wasio"));
    finish(&mut command).fails_with(101, "cannot find value `nothing`");
    project.write("src/main.rs", "fn main() {}");
    let mut command = project.command();
    command.args(["build", "--wasm-opt"]).env("WASIO_WASM_OPT", env!("CARGO_BIN_EXE_wasio"));
    let out = finish(&mut command).fails_with(101, "cannot optimize");
    // That program takes no -O3.
    let built = target().join("wasio/wasm32-wasip1/debug/not-optimized.wasm");
    assert!(out.stderr.contains("'-O'") && built.is_file(), "{}", out.stderr);
}
