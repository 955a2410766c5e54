//! Build scripts and procedural macros run natively: their tokio is the published one.
#![cfg(unix)]

mod cargo_support;

use cargo_support::{Project, target};

const MANIFEST: &str = r#"[package]
name = "host-code"
version = "0.1.0"
edition = "2021"

[dependencies]
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
macros = { path = "macros" }

[build-dependencies]
tokio = { version = "1.40", features = ["macros", "net", "rt-multi-thread", "time"] }
"#;

/// The drop-in has one worker natively, whatever number is asked for.
const BUILD: &str = r#"
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut buffer = [0];
    tokio::select! {
        () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
        _ = socket.recv(&mut buffer) => panic!("nobody sent anything"),
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_workers(), 2);
}
"#;

const MACROS: &str = r#"
#[proc_macro]
pub fn workers(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).build().unwrap();
    runtime.metrics().num_workers().to_string().parse().unwrap()
}
"#;

const MAIN: &str = r#"
const _: () = assert!(macros::workers!() == 2);

#[tokio::main]
async fn main() {
    println!("{}", tokio::runtime::Handle::current().metrics().num_workers());
}
"#;

#[test]
fn it_has_the_published_tokio() {
    let project = Project::empty();
    project.write("Cargo.toml", MANIFEST);
    project.write("build.rs", BUILD);
    project.write("src/main.rs", MAIN);
    project.package("macros", "macros", "", "src/lib.rs", MACROS);
    let manifest = project.read("macros/Cargo.toml").unwrap();
    let tokio =
        "tokio = { version = \"1\", features = [\"rt-multi-thread\"] }\n[lib]\nproc-macro = true\n";
    project.write("macros/Cargo.toml", &(manifest + tokio));
    // Its version is that of the project's lock.
    project.cargo(&["generate-lockfile"]).ok();
    project.cargo(&["update", "tokio", "--precise", "1.40.0"]).ok();
    let own_lock = project.read("Cargo.lock");

    let out = project.wasio(&["check"]).ok().says("Patching tokio");
    assert!(!out.stderr.contains("warning"), "{}", out.stderr);
    let lock = project.private_lock(&target());
    assert!(lock.contains("name = \"tokio\"\nversion = \"1.40.0\"\ndependencies"), "{lock}");
    assert_eq!(project.read("Cargo.lock"), own_lock);

    // Nothing is chosen or compiled anew.
    let out = project.wasio(&["check", "--offline", "--locked"]).ok();
    assert!(!out.stderr.contains("Checking"), "{}", out.stderr);
    assert_eq!(project.private_lock(&target()), lock);

    let out = project.wasio(&["doctor"]).ok();
    assert!(out.stdout.contains("as tokio 1.999.0: the patch is in use"), "{}", out.stdout);
    assert!(!out.stdout.contains("note: tokio 1.999.1"), "{}", out.stdout);
    assert!(!out.stdout.contains("package  tokio 1.999.1"), "{}", out.stdout);
}

/// A tree that is resolved for WASI does not have the package through which this macro has its tokio.
#[test]
fn it_has_the_published_tokio_behind_a_package_under_a_condition() {
    let project = Project::empty();
    let manifest = MANIFEST.split("[build-dependencies]").next().unwrap();
    project.write("Cargo.toml", manifest);
    project.write("src/main.rs", MAIN);
    project.package("macros", "macros", "", "src/lib.rs", "");
    let tokio = "tokio = { version = \"1\", features = [\"rt-multi-thread\"] }";
    project.package("helper", "helper", tokio, "src/lib.rs", "pub use tokio;");
    let helper = "[lib]\nproc-macro = true\n[target.'cfg(unix)'.dependencies]\nhelper = { path = \"../helper\" }\n";
    let manifest = project.read("macros/Cargo.toml").unwrap();
    project.write("macros/Cargo.toml", &(manifest + helper));
    project.write("macros/src/lib.rs", &MACROS.replace("tokio::", "helper::tokio::"));
    project.wasio(&["check"]).ok();
}
