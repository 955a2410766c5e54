//! `cargo wasio try`: a published crate as a project.
#![cfg(unix)]

mod cargo_support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use cargo_support::{Project, shared};

#[test]
fn a_published_crate_is_checked_and_tried_again_offline() {
    let nowhere = Project::empty();
    let crate_ = "tokio-stream@0.1.17";
    let out = nowhere.wasio(&["try", crate_, "--check", "--features", "sync"]).ok();
    let out = out.says("Trying tokio-stream 0.1.17");
    out.says("Patching tokio -> wasio's tokio 1.999.0");
    nowhere.wasio(&["try", crate_, "--check", "--features", "sync", "--offline"]).ok();
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0, "nothing is left here");
}

#[test]
fn mistakes_are_named() {
    let nowhere = Project::empty();
    let out = nowhere.wasio(&["try", "tokio-stream@0.1.17"]);
    out.fails_with(101, "has no program to run: it is a library");
    let out = nowhere.wasio(&["try", "tokio-stream@0.1.17", "--bin", "x"]);
    out.fails_with(101, "has no binary `x`; it has: none");
    nowhere.wasio(&["try", "tokio-stream@77.0.0", "--check"]).fails_with(101, "77.0.0");
    nowhere.wasio(&["try", "a b"]).fails_with(101, "is not a crate's name");
    nowhere.wasio(&["try", "x", "--test", "--check"]).fails_with(2, "cannot be used with");
}

#[test]
fn guests_get_a_copy_and_what_is_built_is_what_was_published() {
    let nowhere = Project::empty();
    let test = || nowhere.wasio(&["try", "cfg-if@1.0.4", "--test"]).ok();
    let out = test();
    let project = shared("cache/try/cfg-if-1.0.4").canonicalize().unwrap();
    let copy = shared("cache/guests/cfg-if-1.0.4").canonicalize().unwrap();
    let granted = |host: &std::path::Path, guest: &std::path::Path| {
        let grant = format!("{}::{}", host.display(), guest.display());
        out.stdout.lines().any(|line| line == grant)
    };
    assert!(granted(&copy, &project) && granted(&copy, ".".as_ref()), "{}", out.stdout);
    assert!(!out.stdout.contains("/cache/try/cfg-if-1.0.4::"), "{}", out.stdout);
    assert!(copy.join("tests/xcrate.rs").is_file() && !copy.join("target").exists());

    let source = project.join("src/lib.rs");
    let published = fs::read(&source).unwrap();
    for (what, spoiled) in
        [("src/lib.rs", "compile_error!(\"edited\");"), ("build.rs", "fn main() { panic!() }")]
    {
        fs::write(project.join(what), spoiled).unwrap();
        test();
        assert_eq!(fs::read(&source).unwrap(), published, "{what}");
        assert!(!project.join("build.rs").exists());
    }
    fs::set_permissions(&source, fs::Permissions::from_mode(0o666)).unwrap();
    test();
    assert_eq!(source.metadata().unwrap().permissions().mode() & 0o022, 0);
}
