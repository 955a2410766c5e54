//! The features: every name of tokio's is there and compiles alone, and the compiler names the one that a
//! missing item is behind. It compiles a small package that depends on this one, in a target folder of
//! its own.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Every feature of tokio 1.54.1, explicit and implied.
const FEATURES: &[&str] = &[
    "bytes",
    "default",
    "fs",
    "full",
    "io-std",
    "io-uring",
    "io-util",
    "libc",
    "macros",
    "mio",
    "net",
    "parking_lot",
    "process",
    "rt",
    "rt-multi-thread",
    "schedule-latency",
    "signal",
    "signal-hook-registry",
    "socket2",
    "sync",
    "taskdump",
    "test-util",
    "time",
    "tokio-macros",
    "tracing",
    "windows-sys",
];

/// Writes the package `name` with these features of tokio, and returns what `cargo check` says.
fn check(name: &str, features: &[&str], source: &str) -> (bool, String) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(dir.join("src")).unwrap();
    fs::copy(here.join("../../Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    fs::write(dir.join("src/main.rs"), source).unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n\
         tokio = {{ path = {here:?}, default-features = false, features = {features:?} }}\n"
    );
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--color=never"])
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("features-target"))
        .env_remove("RUSTFLAGS")
        .current_dir(&dir)
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn each_compiles_alone() {
    for feature in FEATURES {
        let (good, said) = check("alone", &[feature], "use tokio as _; fn main() {}");
        assert!(good, "{feature}: {said}");
    }
    let (good, _) = check("alone", &["no-such-feature"], "fn main() {}");
    assert!(!good, "cargo accepts a feature that does not exist: the test tests nothing");
}

#[test]
fn a_missing_one_is_named() {
    for (path, feature) in [
        ("fs::File", "fs"),
        ("io::stdin", "io-std"),
        ("io::AsyncReadExt", "io-util"),
        ("net::TcpStream", "net"),
        ("runtime::Runtime", "rt"),
        ("task::block_in_place", "rt-multi-thread"),
        ("task::JoinSet", "rt"),
        ("signal::ctrl_c", "signal"),
        ("sync::mpsc", "sync"),
        ("time::sleep", "time"),
        ("select", "macros"),
        ("main", "macros"),
    ] {
        let (good, said) = check("gated", &[], &format!("use tokio::{path}; fn main() {{}}"));
        assert!(!good, "{path} needs no feature");
        let hint = format!("the item is gated behind the `{feature}` feature");
        assert!(said.contains(&hint), "{path}: expected `{hint}` in\n{said}");
    }
    let (_, said) =
        check("gated", &["sync"], "use tokio::sync::mpsc::error::SendTimeoutError; fn main() {}");
    assert!(said.contains("the item is gated behind the `time` feature"), "{said}");
    let (_, said) = check("gated", &["macros"], "#[tokio::main] async fn main() {}");
    assert!(said.contains("The #[tokio::main] macro requires rt or rt-multi-thread."), "{said}");
    let (_, said) = check("gated", &["macros", "rt"], "#[tokio::main] async fn main() {}");
    assert!(said.contains("but the `rt-multi-thread` feature is disabled."), "{said}");
}
