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
    project.wasio(&["build", "--", "x"]).fails_with(101, "runs no program");
    project.wasio(&["run", "--engine", "none"]).fails_with(2, "possible values: wasio, wasmedge");
    let refused = "the engine `wasmedge` does not run guests for wasm32-wasip2: use --wasi p1, or another --engine";
    project.wasio(&["run", "--engine", "wasmedge", "--wasi", "p2"]).fails_with(101, refused);
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

#[test]
fn folders_with_code_of_ours_are_left_out() {
    let project = Project::new("grants", "", "fn main() {}");
    let here = project.path().canonicalize().unwrap();
    let mut command = project.command();
    let out = finish(command.args(["run"]).env("WASIO_CACHE", here.join("cache"))).ok();
    let out = out.says("the guest does not get the folder").says("cache/compiled");
    assert!(
        !out.stdout
            .lines()
            .any(|line| line.starts_with(here.to_str().unwrap()) && line.contains("::"))
    );
    // One that is named is an error of the engine's, or, for an engine that does not know, of ours.
    let mut command = project.command();
    command.args(["run", "--engine=wasmedge", "--dir=cache"]).env("WASIO_WASMEDGE", "/bin/true");
    let out = finish(command.env("WASIO_CACHE", here.join("cache")));
    assert_ne!(out.code, Some(0), "{}", out.stdout);
    out.says("cannot give the guest the folder cache");
}

#[test]
fn what_is_not_text_is_left_out_with_a_note() {
    use std::os::unix::ffi::OsStringExt as _;
    let project = Project::new("text", "", "fn main() {}");
    let odd = std::ffi::OsString::from_vec(b"odd\xff".to_vec());
    let out = finish(project.command().args(["run"]).env("ODD", &odd).env("EVEN", "x")).ok();
    let out = out.says("the guest does not get the variable \"ODD\"");
    let has = |name: &str| out.stdout.lines().any(|line| line == name);
    assert!(has("EVEN") && !has("ODD"), "{}", out.stdout);
    // A folder that is named goes to the engine as it is.
    let mut command = project.command();
    let out = finish(command.args(["run", "--dir=a,b", "--dir"]).arg(&odd)).ok();
    assert!(
        out.stdout.contains("\na,b\n") && out.stdout.contains("\nodd\u{fffd}\n"),
        "{}",
        out.stdout
    );
    let out = finish(project.command().args(["run", "--env"]).arg(&odd));
    assert_ne!(out.code, Some(0));
    out.says(r"odd\xFF");
}

#[test]
fn what_wasmedge_compiled_is_ours_or_compiled_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::new("compiled", "", "fn main() {}");
    project.write(
        "wasmedge",
        "#!/bin/sh\n[ \"$1\" = compile ] && exec cp \"$2\" \"$3\"\nprintf '%s\\n' \"$@\"\n",
    );
    let engine = project.path().join("wasmedge");
    std::fs::set_permissions(&engine, std::fs::Permissions::from_mode(0o755)).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let run = || {
        let mut command = project.command();
        command.args(["run", "--release", "--engine=wasmedge"]);
        let out =
            finish(command.env("WASIO_WASMEDGE", &engine).env("WASIO_CACHE", cache.path())).ok();
        assert!(
            out.stdout.lines().any(|line| line.ends_with(".wasm") && line.contains("/wasmedge/"))
        );
        out.stderr.contains("for WasmEdge (once per build)")
    };
    assert!(run() && !run());
    let folder = cache.path().join("wasmedge");
    let files = || std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let compiled = files().find(|path| path.extension().unwrap() == "wasm").unwrap();
    let whole = std::fs::read(&compiled).unwrap();
    std::fs::write(&compiled, b"\0asm\x01\0\0\0").unwrap();
    assert!(run() && !run(), "another program");
    assert_eq!(std::fs::read(&compiled).unwrap(), whole);
    std::fs::set_permissions(&compiled, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(run() && !run(), "others can write to it");
    std::fs::remove_file(&compiled).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&compiled).status().unwrap().success());
    assert!(run() && !run(), "a FIFO");
    assert_eq!(files().count(), 2, "the program and its tag");
}
