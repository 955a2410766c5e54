//! `cargo wasio try`: a published crate as a project.
#![cfg(unix)]

mod cargo_support;

use cargo_support::Project;

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
