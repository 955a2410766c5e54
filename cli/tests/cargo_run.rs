//! `cargo wasio run`: what cargo and the runner are given, and what the project
//! is left as.
#![cfg(unix)]

mod cargo_support;

use cargo_support::{HELLO, Project, finish, target};

const TOKIO: &str = "tokio = { version = \"1\", features = [\"full\"] }";

#[test]
fn a_program_is_built_and_run_and_its_project_left_alone() {
    let project = Project::new("hello", TOKIO, HELLO);
    // A runner of the user's own, in a form that cargo refuses to merge with a
    // list: it is not used, and no obstacle.
    project.write(
        ".cargo/config.toml",
        "[target.wasm32-wasip1]\nrunner = \"no-such-runner --flag\"\n",
    );
    let manifest = project.read("Cargo.toml");
    let out = project.wasio(&["run", "--", "one", "two words"]).ok();
    let out = out.says("Patching tokio -> wasio's tokio 1.999.0 (wasm32-wasip1)");
    assert!(!out.stderr.contains("warning"), "{}", out.stderr);

    let lines: Vec<&str> = out.stdout.lines().collect();
    assert_eq!(lines[..3], ["run", "--net", "all"]);
    let here = project.path().canonicalize().unwrap();
    let here = here.display();
    assert!(lines.contains(&format!("{here}::.").as_str()), "{}", out.stdout);
    assert!(lines.contains(&format!("{here}::{here}").as_str()), "{}", out.stdout);
    let guest = target().join("wasio/wasm32-wasip1/debug/hello.wasm");
    let end = ["--", guest.to_str().unwrap(), "one", "two words"];
    assert_eq!(lines[lines.len() - 4..], end);

    assert_eq!(project.read("Cargo.toml"), manifest);
    assert_eq!(project.read("Cargo.lock"), None, "there was no lock before");
}

#[test]
fn cargos_flags_pass_through() {
    let project = Project::new(
        "flags",
        "tokio = { version = \"1\", features = [\"rt\"], optional = true }\n\n\
         [features]\nextra = [\"dep:tokio\"]",
        "fn main() {}",
    );
    project.write(
        "src/bin/second.rs",
        "#[cfg(not(feature = \"extra\"))] compile_error!(\"extra is off\");\nfn main() {}",
    );
    let out = project.wasio(&["run", "--bin", "second"]);
    out.fails_with(101, "extra is off");
    let with_extra = ["run", "--quiet", "--features", "extra", "--bin=second", "--sandbox"];
    let out = project.wasio(&with_extra).ok();
    assert!(out.stdout.trim_end().ends_with("/second.wasm"), "{}", out.stdout);
    assert!(!out.stdout.contains("--net"), "a sandbox has no network: {}", out.stdout);
    assert!(!out.stdout.contains("--dir"), "a sandbox has no files: {}", out.stdout);
    assert!(!out.stdout.contains("--env"), "a sandbox has no environment: {}", out.stdout);
    assert_eq!(out.stderr, "", "--quiet says nothing");
}

#[test]
fn the_guest_gets_the_users_environment_and_not_ours() {
    let project = Project::new("environment", "", "fn main() {}");
    let mut command = project.command();
    command.args(["run", "--env", "ADDED=yes"]).env("SAMPLE", "a value");
    let out = finish(&mut command).ok();
    let has = |wanted: &str| out.stdout.lines().any(|line| line == wanted);
    assert!(has("SAMPLE") && has("ADDED=yes"), "{}", out.stdout);
    for ours in ["WASIO_RUNNER_PLAN", "RUSTC_BOOTSTRAP", "WASIP1_RUNNER"] {
        assert!(!out.stdout.contains(ours), "{ours} reached the guest");
    }
}

#[test]
fn arguments_outside_the_folder_can_be_opened() {
    let project = Project::new("outside", "", "fn main() {}");
    let out = project.wasio(&["run", "--", "/etc/hostname", "--file=../no-such-file"]).ok();
    assert!(out.stdout.lines().any(|line| line == "/etc::/etc"), "{}", out.stdout);
    assert!(out.stdout.lines().any(|line| line == "..::.."), "{}", out.stdout);
}

#[test]
fn certificates_that_the_environment_names_can_be_read_by_those_who_do() {
    let elsewhere = Project::empty();
    elsewhere.write("certs/roots.pem", "");
    let folder = elsewhere.path().join("certs").display().to_string();
    let grant = format!("{folder}::{folder}");
    let shown = |dependencies: &str, args: &[&str]| {
        let project = Project::new("certificates", dependencies, "fn main() {}");
        project.package("dep", "rustls-native-certs", "", "src/lib.rs", "");
        // cargo itself trusts what is in such a file: it is told to ask nobody.
        let mut command = project.command();
        command.args(["run", "--offline"]).args(args);
        command.env("SSL_CERT_FILE", format!("{folder}/roots.pem"));
        finish(&mut command).ok().stdout.lines().any(|line| line == grant)
    };
    let reads = "rustls-native-certs = { path = \"dep\" }";
    assert!(shown(reads, &[]));
    assert!(!shown("", &[]), "a guest that reads none is granted nothing for it");
    assert!(!shown(reads, &["--sandbox"]), "a sandbox has no files");
}

#[test]
fn the_compiler_and_build_scripts_are_not_told_that_they_are_nightly() {
    let project = Project::new("stable", "", "fn main() {}");
    project.write(
        "build.rs",
        "fn main() { let b = std::env::var(\"RUSTC_BOOTSTRAP\"); \
         assert!(b.is_err() || b.as_deref() == Ok(\"-1\"), \"{b:?}\"); }",
    );
    project.write("src/main.rs", "#![feature(never_type)]\nfn main() {}");
    let out = project.wasio(&["check"]);
    if out.code != Some(0) {
        out.fails_with(101, "E0554");
    } else {
        // A nightly toolchain runs these tests.
        assert!(project.cargo(&["-V"]).stdout.contains("nightly"));
    }
}

#[test]
fn mistakes_are_named() {
    let project = Project::new("mistakes", "", "fn main() {}");
    project.wasio(&["run", "--target", "wasm32-wasip1"]).fails_with(101, "--target cannot be used");
    project.wasio(&["build", "--", "x"]).fails_with(101, "runs nothing");
    project.wasio(&["run", "--engine", "none"]).fails_with(2, "possible values: wasio, wasmedge");
    project.wasio(&["frobnicate"]).fails_with(2, "frobnicate");
    let out = finish(project.command().arg("run").env("WASIO_BIN", "/no/such/runner"));
    out.fails_with(101, "WASIO_BIN names /no/such/runner, which is not a program");
    let mut command = project.command();
    command.args(["run", "--engine=wasmedge"]).env("WASIO_WASMEDGE", "/no/such/engine");
    finish(&mut command).fails_with(101, "WASIO_WASMEDGE names /no/such/engine");
    let nowhere = Project::empty();
    nowhere.wasio(&["build"]).fails_with(101, "could not find `Cargo.toml`");
}

#[test]
fn help_is_there_for_every_subcommand() {
    let project = Project::empty();
    for subcommand in ["run", "build", "check", "test", "try", "doctor"] {
        let out = project.wasio(&[subcommand, "--help"]).ok();
        assert!(out.stdout.contains(&format!("Usage: cargo wasio {subcommand}")), "{}", out.stdout);
    }
    let out = project.wasio(&["--help"]).ok();
    assert!(!out.stdout.contains("__runner"), "{}", out.stdout);
}

/// With the real runner, where it is built beside this command.
#[test]
fn a_guest_answers() {
    let Some(runner) = option_env!("CARGO_BIN_EXE_wasio") else { return };
    let project = Project::new("answers", TOKIO, HELLO);
    let mut command = project.command();
    command.args(["run", "--quiet"]).env("WASIO_BIN", runner);
    assert_eq!(finish(&mut command).ok().stdout, "answer 42\n");
}
