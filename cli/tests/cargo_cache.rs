//! The carried drop-ins: unpacked whole, repaired when damaged, usable offline.
#![cfg(unix)]

mod cargo_support;

use std::fs;

use cargo_support::{HELLO, Project, finish, shared};

const TOKIO: &str = "tokio = { version = \"1\", features = [\"full\"] }";

#[test]
fn a_damaged_cache_is_repaired_and_a_second_run_needs_no_network() {
    let project = Project::new("cached", TOKIO, HELLO);
    let cache = project.path().join("a cache");
    let wasio = |args: &[&str]| finish(project.command().env("WASIO_CACHE", &cache).args(args));
    let out = wasio(&["doctor"]);
    assert!(out.stdout.contains("the patch is in use"), "{}\n{}", out.stdout, out.stderr);

    let entries = fs::read_dir(cache.join("drop-ins")).unwrap();
    let mut folders = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let folder = folders.next().unwrap();
    assert!(folders.next().is_none(), "one version, one folder");
    fs::write(folder.join("drop-in/tokio/Cargo.toml"), "damaged").unwrap();
    wasio(&["doctor", "--offline"]).says("Repaired");
    let manifest = fs::read_to_string(folder.join("drop-in/tokio/Cargo.toml")).unwrap();
    assert!(manifest.contains("1.999.0"));
    let out = wasio(&["doctor", "--offline"]);
    assert!(!out.stderr.contains("Repaired"), "{}", out.stderr);
}

#[test]
fn carried_packages_stand_alone() {
    let project = Project::new("alone", TOKIO, HELLO);
    project.wasio(&["check"]).ok();
    let mut manifests = Vec::new();
    let mut open = vec![shared("cache/drop-ins")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else if entry.file_name() == "Cargo.toml" {
                manifests.push(fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    assert!(manifests.len() >= 6, "tokio and what it is made of, and their workspace");
    for manifest in manifests {
        assert!(!manifest.contains("workspace = true"), "{manifest}");
        assert!(!manifest.contains("dev-dependencies"), "{manifest}");
    }
}
