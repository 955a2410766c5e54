//! Workspaces: members, packages outside the folder, and a member that excludes
//! the drop-in.
#![cfg(unix)]

mod cargo_support;

use cargo_support::{HELLO, Project};

fn workspace() -> Project {
    let project = Project::empty();
    let full = "tokio = { version = \"1\", features = [\"full\"] }\n\
                outside = { path = \"../../outside\" }";
    project.write("ws/Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"guest\"]\n");
    project.package("ws/guest", "guest", full, "src/main.rs", HELLO);
    project.package("ws/native", "native", "tokio = \"=1.40.0\"", "src/main.rs", "fn main() {}");
    project.package("outside", "outside", "tokio = \"1\"", "src/lib.rs", "");
    project
}

#[test]
fn a_member_is_built_from_its_folder_and_by_name() {
    let project = workspace();
    let out = project.wasio(&["check", "--manifest-path=ws/Cargo.toml", "-p", "guest"]).ok();
    out.says("Patching tokio");
    let mut command = project.command();
    command.arg("check").current_dir(project.path().join("ws/guest"));
    cargo_support::finish(&mut command).ok();
    assert_eq!(project.read("ws/Cargo.lock"), None);
}

/// A patch is for the whole workspace: cargo chooses the excluded version for
/// every member then.
#[test]
fn a_member_whose_requirement_excludes_the_drop_in_is_named() {
    let project = workspace();
    let root = project.read("ws/Cargo.toml").unwrap();
    project.write("ws/Cargo.toml", &root.replace("\"guest\"", "\"guest\", \"native\""));
    let out = project.wasio(&["check", "--manifest-path=ws/Cargo.toml", "-p", "guest"]);
    out.fails_with(101, "native 0.1.0 requires tokio `=1.40.0`");
}

#[test]
fn tests_run_in_their_packages_folder() {
    let project = workspace();
    project.write("ws/guest/tests/one.rs", "#[tokio::test] async fn one() {}");
    let manifest = "--manifest-path=ws/Cargo.toml";
    let out = project.wasio(&["test", manifest, "-p", "guest", "--test", "one", "--", "--exact"]);
    let out = out.ok();
    let folder = project.path().canonicalize().unwrap().join("ws/guest");
    let grant = format!("{}::.", folder.display());
    assert!(out.stdout.lines().any(|line| line == grant), "{}", out.stdout);
    assert!(out.stdout.lines().any(|line| line == "--exact"), "{}", out.stdout);
}
