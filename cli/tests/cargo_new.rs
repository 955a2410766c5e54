//! `cargo wasio new`: what it makes is compiled, and its test passes natively and as a guest.
#![cfg(unix)]

mod cargo_support;

use cargo_support::{Project, finish};

/// In the folder `name` of `project`.
fn tested(project: &Project, name: &str, args: &[&str]) -> String {
    let mut command = project.command();
    command.current_dir(project.path().join(name)).args(args);
    let out = finish(command.env("WASIO_BIN", env!("CARGO_BIN_EXE_wasio"))).ok();
    assert!(!out.stderr.contains("warning"), "{}", out.stderr);
    out.stdout
}

fn natively(project: &Project, name: &str) -> String {
    let manifest = format!("{name}/Cargo.toml");
    project.cargo(&["test", "--manifest-path", &manifest]).ok().stdout
}

#[test]
fn the_default_is_an_echo_server() {
    let project = Project::empty();
    project.wasio(&["new", "hello"]).ok().says("cargo wasio run");
    assert!(natively(&project, "hello").contains("1 passed"));
    for wasi in ["p1", "p2"] {
        let said = tested(&project, "hello", &["test", "--wasi", wasi]);
        assert!(said.contains("it_sends_back_what_it_receives ... ok"), "{said}");
    }
}

#[test]
fn every_template_runs_natively_and_as_a_guest() {
    let project = Project::empty();
    for template in ["axum", "redis", "http-client"] {
        project.wasio(&["new", template, "--template", template, "--name", "own-name"]).ok();
        assert!(
            project
                .read(&format!("{template}/Cargo.toml"))
                .unwrap()
                .contains("name = \"own-name\"")
        );
        assert!(natively(&project, template).contains("1 passed"), "{template}");
        let said = tested(&project, template, &["test"]);
        assert!(said.contains("1 passed"), "{template}: {said}");
    }
}

#[test]
fn nothing_is_overwritten_and_mistakes_are_named() {
    let project = Project::new("here", "", "fn main() {}");
    let path = project.path().to_str().unwrap().to_owned();
    project.wasio(&["new", &path]).fails_with(101, "cargo new");
    assert_eq!(project.read("src/main.rs").as_deref(), Some("fn main() {}"));
    project.wasio(&["new", "9lives"]).fails_with(101, "9lives");
    let templates = "possible values: echo, axum, redis, http-client";
    project.wasio(&["new", "x", "--template", "none"]).fails_with(2, templates);
}
