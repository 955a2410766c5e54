//! `cargo wasio test`: each test has a guest of its own, and the result is what a native run's would be.
#![cfg(unix)]

mod cargo_support;

use cargo_support::{Output, Project, finish};

const TESTS: &str = "\
pub fn answer() -> u8 { 42 }

#[cfg(test)]
mod tests {
    use super::*;
    #[test] fn a_passes() { println!(\"said by a\"); assert_eq!(answer(), 42); }
    #[test] fn b_fails() { println!(\"said by b\"); assert_eq!(answer(), 41, \"why b failed\"); }
    #[test] #[should_panic] fn c_panics() { panic!(\"expected\") }
    #[test] #[should_panic(expected = \"this\")] fn d_panics_otherwise() { panic!(\"that\") }
    #[test] #[should_panic] fn e_does_not_panic() {}
    #[test] #[ignore = \"slow\"] fn f_is_ignored() { panic!(\"was run\") }
    #[test] fn g_returns() -> Result<(), String> { Err(\"the error of g\".into()) }
    #[test] fn h_exits() { std::process::exit(7) }
    #[tokio::test] async fn i_runs_tokio() { tokio::task::yield_now().await; }
    #[tokio::test] async fn j_fails_in_a_task() {
        tokio::spawn(async { panic!(\"in a task\") }).await.unwrap();
    }
    #[test] fn k_has_a_state_of_its_own() { std::env::set_var(\"K\", \"1\"); }
    #[test] fn l_has_a_state_of_its_own() { assert!(std::env::var(\"K\").is_err()); }
    #[test] fn m_exits_as_if_by_panic() { std::process::exit(1) }
}
";

fn project(name: &str) -> Project {
    let project = Project::empty();
    let tokio = "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }";
    project.package(".", name, tokio, "src/lib.rs", TESTS);
    project
}

fn with_runner(project: &Project, args: &[&str]) -> Output {
    let mut command = project.command();
    command.arg("test").args(args).env("WASIO_BIN", env!("CARGO_BIN_EXE_wasio"));
    finish(command.env_remove("RUST_BACKTRACE"))
}

#[test]
fn a_failing_test_hides_nothing() {
    let project = project("failing");
    for wasi in ["p1", "p2"] {
        let out = with_runner(&project, &["--wasi", wasi, "--lib"]);
        assert_eq!(out.code, Some(101), "{}\n{}", out.stdout, out.stderr);
        for said in [
            "running 13 tests\n",
            "test tests::a_passes ... ok\n",
            "test tests::b_fails ... FAILED\n",
            "test tests::c_panics - should panic ... ok\n",
            "test tests::d_panics_otherwise - should panic ... FAILED\n",
            "test tests::e_does_not_panic - should panic ... FAILED\n",
            "test tests::f_is_ignored ... ignored, slow\n",
            "test tests::h_exits ... FAILED\n",
            "test tests::i_runs_tokio ... ok\n",
            "test tests::l_has_a_state_of_its_own ... ok\n",
            "test tests::m_exits_as_if_by_panic ... FAILED\n",
            "---- tests::b_fails stdout ----\nsaid by b\n",
            "why b failed",
            "panic did not contain expected string",
            "test did not panic as expected",
            "the error of g",
            "---- tests::j_fails_in_a_task stdout ----",
            "in a task",
            "\nfailures:\n    tests::b_fails\n    tests::d_panics_otherwise\n    tests::e_does_not_panic\n",
            "test result: FAILED. 5 passed; 7 failed; 1 ignored; 0 measured; 0 filtered out; finished in ",
        ] {
            assert!(out.stdout.contains(said), "{wasi}: no {said:?} in\n{}", out.stdout);
        }
        assert!(!out.stdout.contains("said by a"), "{}", out.stdout);
        assert!(out.stderr.contains("to rerun pass `--lib`"), "{}", out.stderr);
    }
}

/// WasmEdge passes exit codes on, and interprets dev builds.
#[test]
fn wasmedge_runs_each_test_alone_too() {
    let Some(engine) = std::env::var_os("WASIO_WASMEDGE") else {
        return println!("skipped: WASIO_WASMEDGE names no engine");
    };
    let project = project("on-wasmedge");
    let mut command = project.command();
    command.args(["test", "--engine", "wasmedge", "--lib"]).env("WASIO_WASMEDGE", engine);
    let out = finish(command.env_remove("RUST_BACKTRACE")).fails_with(101, "");
    let sum = "test result: FAILED. 5 passed; 7 failed; 1 ignored";
    assert!(out.stdout.contains(sum), "{}\n{}", out.stdout, out.stderr);
    assert!(out.stdout.contains("why b failed"), "{}", out.stdout);
}

#[test]
fn options_of_the_harness_do_what_they_do_natively() {
    let project = project("options");
    let run = |args: &[&str]| with_runner(&project, &[&["--lib", "--"][..], args].concat());
    let out = run(&["a_passes", "--nocapture"]).ok();
    assert!(out.stdout.contains("test tests::a_passes ... said by a\nok\n"), "{}", out.stdout);
    assert!(
        out.stdout.contains("1 passed; 0 failed; 0 ignored; 0 measured; 12 filtered out"),
        "{}",
        out.stdout
    );
    let out = run(&[
        "--exact",
        "tests::c_panics",
        "tests::a_passes",
        "--test-threads=2",
        "--show-output",
    ])
    .ok();
    assert!(out.stdout.contains("2 passed"), "{}", out.stdout);
    assert!(
        out.stdout.contains("successes:\n\n---- tests::a_passes stdout ----\nsaid by a\n"),
        "{}",
        out.stdout
    );
    let out = run(&["--ignored"]).fails_with(101, "");
    assert!(out.stdout.contains("was run"), "{}", out.stdout);
    let out = run(&["--skip", "_", "--color=always"]).ok();
    assert!(out.stdout.contains("running 0 tests"), "{}", out.stdout);
    assert!(out.stdout.contains("\u{1b}[32mok\u{1b}[0m. 0 passed"), "{}", out.stdout);
    let out = run(&["tests::a", "tests::b", "--format", "terse"]).fails_with(101, "");
    assert!(out.stdout.contains("running 2 tests\n.F\n"), "{}", out.stdout);
    let out = run(&["--list"]).ok();
    assert!(out.stdout.contains("tests::c_panics: test\n"), "{}", out.stdout);
    run(&["--format=json"]).fails_with(101, "each test runs in its own guest");
    run(&["--no-such-option"]).fails_with(101, "no-such-option");
}

#[test]
fn other_harnesses_and_doc_tests_run_as_they_are() {
    let project = project("others");
    let manifest = project.read("Cargo.toml").unwrap();
    project.write(
        "Cargo.toml",
        &format!("{manifest}\n[[test]]\nname = \"custom\"\nharness = false\n"),
    );
    project.write("tests/custom.rs", "fn main() { println!(\"custom {}\", others::answer()); }");
    project.write(
        "src/lib.rs",
        "/// ```\n/// assert_eq!(others::answer(), 42);\n/// ```\npub fn answer() -> u8 { 42 }\n",
    );
    let out = with_runner(&project, &["--test", "custom", "--", "--nocapture"]).ok();
    assert_eq!(out.stdout, "custom 42\n");
    let out = with_runner(&project, &["--doc"]);
    let out = out.ok();
    assert!(out.stdout.contains("1 passed; 0 failed"), "{}\n{}", out.stdout, out.stderr);
}

#[test]
fn the_compilers_wrapper_of_the_user_is_kept() {
    let project = project("wrapped");
    project.write("wrap.sh", "#!/bin/sh\necho wrapped >> \"$WRAPPED_LOG\"\nexec \"$@\"\n");
    use std::os::unix::fs::PermissionsExt;
    let script = project.path().join("wrap.sh");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    project.write(".cargo/config.toml", "[build]\nrustc-wrapper = \"./wrap.sh\"\n");
    let log = project.path().join("log");
    let mut command = project.command();
    command.args(["test", "--lib", "--", "a_passes"]).env("WRAPPED_LOG", &log);
    let out = finish(command.env("WASIO_BIN", env!("CARGO_BIN_EXE_wasio"))).ok();
    assert!(out.stdout.contains("1 passed"), "{}", out.stdout);
    assert!(project.read("log").is_some(), "the wrapper was not called");
    // The program itself sees the user's environment.
    let lib = "#[test] fn a_passes() { assert_eq!(std::env::var_os(\"RUSTC_WRAPPER\"), None); \
               assert!(std::env::vars().all(|(name, _)| !name.starts_with(\"WASIO_RUSTC\"))); }";
    project.write("src/lib.rs", lib);
    with_runner(&project, &["--lib"]).ok();
}
