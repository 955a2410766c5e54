//! `--config` and `-Z`: the user's and ours are merged, and neither overrides the other in silence.
#![cfg(unix)]

mod cargo_support;

use cargo_support::{HELLO, Project, finish, target};

const TOKIO: &str = "tokio = { version = \"1\", features = [\"full\"] }";
const PATCHING: &str = "Patching tokio -> wasio's tokio 1.999.0 (wasm32-wasip1)";
const KEY: &str = "env.SAMPLE=\"from-config\"";

/// Compiles only with what `KEY` sets.
const ASKS: &str = "\
#[tokio::main]
async fn main() {
    assert_eq!(env!(\"SAMPLE\"), \"from-config\");
}
";

#[test]
fn every_way_to_write_config_reaches_cargo_beside_ours() {
    let project = Project::new("configured", TOKIO, ASKS);
    project.write("more.toml", &format!("{KEY}\n"));
    let inline = format!("--config={KEY}");
    for line in [
        &["check", "--config", KEY][..],
        &["check", &inline],
        &["check", "--config", "more.toml"],
        &["check", "--config=more.toml", "-Zunstable-options", "--config", "env.OTHER=\"x\""],
        &["--config", KEY, "check"],
        &["-q", &inline, "--wasi", "p1", "check"],
        &["run", "--config", KEY],
        &["build", "-Z", "unstable-options", "--config", KEY],
        &["test", "--config", KEY, "--no-run"],
    ] {
        // A stable cargo takes `-Z` from those who say that they know.
        let out = finish(project.command().args(line).env("RUSTC_BOOTSTRAP", "1")).ok();
        assert!(line.contains(&"-q") || out.stderr.contains(PATCHING), "{line:?}: {}", out.stderr);
        assert_eq!(project.read("Cargo.lock"), None, "{line:?}");
    }
    project.wasio(&["check"]).fails_with(101, "SAMPLE");
    let doctor = ["doctor", "--json", "--config", KEY, "-Zunstable-options"];
    let doctor = finish(project.command().args(doctor).env("RUSTC_BOOTSTRAP", "1"));
    assert!(doctor.stdout.contains("\"state\": \"in-use\""), "{}{}", doctor.stdout, doctor.stderr);
    project.wasio(&["check", "--config", "no such thing"]).fails_with(101, "--config");
    project
        .wasio(&["check", "--config", "resolver.lockfile-path=\"x/Cargo.lock\""])
        .fails_with(101, "leave it out");
}

#[test]
fn a_runner_on_the_command_line_is_used_and_others_are_named() {
    let project = Project::new("runners", "", "fn main() {}");
    let runner = "target.wasm32-wasip1.runner=\"echo mine\"";
    for line in [&["run", "--config", runner][..], &["--config", runner, "run"]] {
        let out = project.wasio(line).ok().says("--config names");
        assert!(out.stdout.starts_with("mine "), "{}", out.stdout);
    }
    project.write("runner.toml", &format!("{runner}\n"));
    let out = project.wasio(&["run", "--config", "runner.toml"]).ok().says("--config names");
    assert!(out.stdout.starts_with("mine "), "{}", out.stdout);

    for key in ["wasm32-wasip1", "'cfg(target_family = \"wasm\")'"] {
        project.write(
            ".cargo/config.toml",
            &format!("[target.{key}]\nrunner = [\"echo\", \"theirs\"]\n"),
        );
        let out = project.wasio(&["run"]).ok().says("not the target.").says(".cargo/config.toml");
        assert!(out.stdout.starts_with("run\n--net\n"), "{}", out.stdout);
    }
    let list = "target.wasm32-wasip1.runner=[\"echo\", \"mine\"]";
    let out = project.wasio(&["run", "--config", list]).ok();
    assert!(out.stdout.starts_with("mine "), "{}", out.stdout);
}

#[test]
fn a_patch_of_the_users_own_is_kept_and_said() {
    let project = Project::new("patched", "tokio = \"1\"", "fn main() { tokio::mine(); }");
    project.package("own", "tokio", "", "src/lib.rs", "pub fn mine() {}");
    let manifest = project.read("own/Cargo.toml").unwrap().replace("0.1.0", "1.900.0");
    project.write("own/Cargo.toml", &manifest);
    let inline = "patch.crates-io.tokio.path=\"own\"";
    let out = project.wasio(&["check", "--config", inline]).ok();
    let out = out.says("Keeping tokio 1.900.0, which --config names itself");
    assert!(!out.stderr.contains("Patching"), "{}", out.stderr);
    // In a file, beside a source that cargo would not merge with ours.
    project.write(
        ".cargo/patch.toml",
        "[patch.\"https://github.com/rust-lang/crates.io-index\"]\nown = { package = \"tokio\", path = \"own\" }\n",
    );
    project.wasio(&["check", "--config", ".cargo/patch.toml"]).ok().says("Keeping tokio 1.900.0");
    // The next build is as if it had not been there.
    project.write("src/main.rs", HELLO);
    project.wasio(&["check"]).fails_with(101, "").says(PATCHING);
    let unused = manifest.replace("1.900.0", "2.0.0");
    project.write("own/Cargo.toml", &unused);
    project
        .wasio(&["check", "--config", inline])
        .fails_with(101, "cargo does not use the patch of tokio");
}

#[test]
fn a_crate_that_is_tried_gets_them_too() {
    let folder = Project::empty();
    let mut command = folder.command();
    command.args(["--config", "build.rustc=\"/no/such/rustc\"", "try", "--check", "itoa@1.0.15"]);
    finish(&mut command).fails_with(101, "/no/such/rustc");
}

#[test]
fn guests_are_made_smaller_beside_the_users_own_flags() {
    const MINE: &str = "#[cfg(not(mine))] compile_error!(\"the flags are lost\"); fn main() {}";
    let project = Project::new("smaller", "\n[profile.release]\nstrip = true", "fn main() {}");
    for (wasi, folder) in [("p1", "wasm32-wasip1"), ("p2", "wasm32-wasip2")] {
        let length = |folder: &str| {
            let built = target().join(folder).join("release/smaller.wasm");
            built.metadata().unwrap().len()
        };
        project.cargo(&["build", "--release", "--target", folder]).ok();
        project.wasio(&["build", "--release", "--wasi", wasi]).ok();
        let (plain, ours) = (length(folder), length(&format!("wasio/{folder}")));
        assert!(ours * 100 < plain * 97, "{folder}: {ours} bytes, and without us {plain}");
    }
    project.write("src/main.rs", MINE);
    let build = ["build", "--release", "--wasi", "p2"];
    for config in [
        "build.rustflags = \"--cfg mine\"",
        "build.rustflags = [\"--cfg\", \"mine\", \"-Cstrip=none\"]",
        "target.wasm32-wasip2.rustflags = \"--cfg mine -Crelocation-model=pic\"",
        "target.'cfg(target_family = \"wasm\")'.rustflags = [\"--cfg\", \"mine\"]",
    ] {
        project.write(".cargo/config.toml", config);
        project.wasio(&build).ok();
    }
    project.write(".cargo/config.toml", "");
    finish(project.command().args(build).env("RUSTFLAGS", "--cfg mine")).ok();
    let inline = "build.rustflags=\"--cfg mine\"";
    project.wasio(&[&build[..], &["--config", inline]].concat()).ok();
    project.wasio(&build).fails_with(101, "the flags are lost");
}
