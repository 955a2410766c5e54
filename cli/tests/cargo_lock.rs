//! The project's lock stays as it is, whatever happens, and its versions are
//! kept as far as they can be.
#![cfg(unix)]

mod cargo_support;

use std::time::{Duration, Instant};

use cargo_support::{Project, kill_group, target};

const PINNED: &str = include_str!("cargo_support/pinned.lock");

/// Its lock pins tokio 1.8.1, a libc too old for the drop-in, and others.
fn pinned() -> Project {
    let project = Project::new(
        "pinned",
        "tokio = { version = \"1.8\", features = [\"sync\"] }\n\
         bytes = \"1\"\nitoa = \"1\"\nlibc = \"0.2\"",
        "fn main() { let _ = tokio::sync::Notify::new(); }",
    );
    project.write("Cargo.lock", PINNED);
    project
}

fn version_in<'l>(lock: &'l str, name: &str) -> &'l str {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).unwrap();
    rest.split_once('"').unwrap().0
}

#[test]
fn an_old_tokio_in_the_lock_is_no_obstacle() {
    let project = pinned();
    let out = project.wasio(&["check"]).ok();
    assert!(!out.stderr.contains("was not used"), "{}", out.stderr);
    assert_eq!(project.read("Cargo.lock").as_deref(), Some(PINNED));

    let private = project.private_lock(&target());
    assert_eq!(version_in(&private, "tokio"), "1.999.0");
    assert_eq!(version_in(&private, "itoa"), "1.0.1", "has nothing to do with the drop-in");

    // Upstream's tokio is what native builds get, before and after.
    let tree = project.cargo(&["tree", "--locked", "--invert", "tokio"]).ok();
    assert!(tree.stdout.contains("tokio v1.8.1"), "{}", tree.stdout);
    // A second time, nothing is resolved anew: no network is needed.
    project.wasio(&["check", "--frozen"]).ok();
    assert_eq!(project.private_lock(&target()), private);
}

#[test]
fn a_drop_in_that_the_tree_has_no_use_for_changes_no_version() {
    // The drop-in for rustls-native-certs needs 1.10.
    let dependencies =
        "tokio = { version = \"1\", features = [\"sync\"] }\nrustls-pki-types = \"1.7\"";
    let project = Project::new("unrelated", dependencies, "fn main() {}");
    project.cargo(&["update", "rustls-pki-types", "--precise", "1.7.0"]).ok();
    project.wasio(&["doctor"]).ok();
    let private = project.private_lock(&target());
    assert_eq!(version_in(&private, "rustls-pki-types"), "1.7.0");
    assert_eq!(version_in(&private, "tokio"), "1.999.0");
}

#[test]
fn locked_speaks_of_the_projects_own_lock() {
    let project = pinned();
    project.wasio(&["check", "--locked"]).ok();
    let manifest = project.read("Cargo.toml").unwrap();
    project.write("Cargo.toml", &format!("{manifest}\nslab = \"0.4\"\n"));
    project.wasio(&["check", "--locked"]).fails_with(101, "because --locked was passed");
    // Without it the private lock follows, the project's does not.
    project.wasio(&["check"]).ok();
    assert_eq!(project.read("Cargo.lock").as_deref(), Some(PINNED));
    let without = Project::new("without", "", "fn main() {}");
    without.wasio(&["check", "--locked"]).fails_with(101, "there is no");
}

/// From here on what this process starts ends on SIGINT. A shell that starts us in the background has it ignored,
/// which children inherit; a signal that is caught has its default again in theirs.
fn let_children_be_interrupted() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _inside = runtime.enter();
    let _ = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).unwrap();
}

#[test]
fn a_kill_in_the_middle_leaves_no_trace() {
    let_children_be_interrupted();
    for signal in ["INT", "KILL"] {
        let project = pinned();
        project.write(
            "build.rs",
            "fn main() { std::fs::write(\"started\", \"\").unwrap(); \
             std::thread::sleep(std::time::Duration::from_secs(60)); }",
        );
        let mut command = project.command();
        use std::os::unix::process::CommandExt;
        let mut child = command.args(["build", "--quiet"]).process_group(0).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(300);
        while project.read("started").is_none() {
            assert!(Instant::now() < end, "the build script was not reached");
            assert!(child.try_wait().unwrap().is_none(), "the build ended early");
            std::thread::sleep(Duration::from_millis(50));
        }
        kill_group(child.id(), signal);
        assert!(!child.wait().unwrap().success(), "SIG{signal} did not end it");
        assert_eq!(project.read("Cargo.lock").as_deref(), Some(PINNED), "after SIG{signal}");
    }
}

#[test]
fn a_requirement_that_excludes_the_drop_in_is_named() {
    let tokio = "tokio = { version = \"=1.40.0\", features = [\"sync\"] }";
    let direct = Project::new("direct", tokio, "fn main() {}");
    let out = direct.wasio(&["check"]);
    let out = out.fails_with(101, "direct 0.1.0 requires tokio `=1.40.0`");
    out.says("In Cargo.toml, write the requirement as");

    let deep = Project::new("deep", "inner = { path = \"inner\" }", "fn main() {}");
    deep.package("inner", "inner", "tokio = \"~1.40\"", "src/lib.rs", "");
    let out = deep.wasio(&["check"]);
    let out = out.fails_with(101, "deep 0.1.0 -> inner 0.1.0 requires tokio `~1.40`");
    out.says("Look for a release of that package without this requirement");
    assert_eq!(deep.read("Cargo.lock"), None);
}

#[test]
fn a_project_without_tokio_is_just_built() {
    let project = Project::new("plain", "", "fn main() {}");
    for _ in 0..2 {
        let out = project.wasio(&["check"]).ok();
        assert!(!out.stderr.contains("atch"), "{}", out.stderr);
    }
    // tokio may come later.
    let manifest = project.read("Cargo.toml").unwrap();
    project.write("Cargo.toml", &format!("{manifest}tokio = {{ version = \"1\" }}\n"));
    project.wasio(&["check"]).ok().says("Patching tokio");
}
