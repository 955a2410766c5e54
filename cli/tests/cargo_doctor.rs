//! `cargo wasio doctor`: its findings, its JSON and its exit code.
#![cfg(unix)]

mod cargo_support;

use cargo_support::{HELLO, Output, Project, finish};
use serde_json::Value;

const FULL: &str = "tokio = { version = \"1\", features = [\"full\"] }";

fn json(out: &Output) -> Value {
    serde_json::from_str(&out.stdout).unwrap_or_else(|e| panic!("{e}:\n{}", out.stdout))
}

/// Gives the package in `folder` another version than its first one.
fn set_version(project: &Project, folder: &str, version: &str) {
    let manifest = format!("{folder}/Cargo.toml");
    let text = project.read(&manifest).unwrap().replace("0.1.0", version);
    project.write(&manifest, &text);
}

fn finding<'r>(report: &'r Value, text: &str) -> &'r Value {
    let mut findings = report["findings"].as_array().unwrap().iter();
    let found = findings.find(|finding| {
        let said = |key: &str| finding[key].as_str().is_some_and(|said| said.contains(text));
        said("what") || said("package")
    });
    found.unwrap_or_else(|| panic!("no finding about {text}: {report:#}"))
}

#[test]
fn a_healthy_project_is_called_so() {
    let project = Project::new("healthy", FULL, HELLO);
    let out = project.wasio(&["doctor", "--json"]).ok();
    let report = json(&out);
    assert_eq!(report["ok"], true);
    assert_eq!(report["target"], "wasm32-wasip1");
    assert_eq!(report["patch"]["state"], "in-use");
    assert_eq!(report["patch"]["tokio"], "1.999.0");
    assert_eq!(report["patch"]["locked"], Value::Null);
    let tokio = &report["packages"].as_array().unwrap()[0];
    assert_eq!((&tokio["name"], &tokio["source"]), (&"tokio".into(), &"wasio".into()));
    assert_eq!(finding(&report, "one thread")["level"], "note");
    let text = project.wasio(&["doctor"]).ok().stdout;
    assert!(text.contains("wasio, as tokio 1.999.0: the patch is in use"), "{text}");
}

/// Crates that start threads, and those that want a time zone, each with its way out.
#[test]
fn threads_and_time_zones_are_known() {
    let names = [
        "indicatif",
        "wiremock",
        "moka",
        "actix-rt",
        "lapin",
        "tracing-appender",
        "chrono",
        "time",
    ];
    let mut dependencies = String::new();
    for name in names {
        dependencies += &format!("{name} = {{ path = \"{name}\" }}\n");
    }
    dependencies = dependencies.replace("\"chrono\" }", "\"chrono\", features = [\"clock\"] }");
    dependencies = dependencies.replace("\"time\" }", "\"time\", features = [\"local-offset\"] }");
    let project = Project::new("threads", &dependencies, "fn main() {}");
    for name in names {
        let feature = match name {
            "chrono" => "[features]\nclock = []",
            "time" => "[features]\nlocal-offset = []",
            _ => "",
        };
        project.package(name, name, feature, "src/lib.rs", "");
    }
    let report = json(&project.wasio(&["doctor", "--json"]));
    for name in &names[..6] {
        let found = finding(&report, &format!("{name} 0.1.0"));
        assert_eq!(found["level"], if name == &"moka" { "error" } else { "warning" }, "{found}");
        assert!(found["what"].as_str().unwrap().contains("thread"), "{found}");
    }
    assert!(finding(&report, "chrono 0.1.0")["what"].as_str().unwrap().contains("TZ"));
    assert!(finding(&report, "time 0.1.0")["instead"].as_str().unwrap().contains("TZ"));
}

#[test]
fn what_does_not_compile_is_found_with_its_chain_and_a_way_out() {
    let project = Project::new("troubled", "middle = { path = \"middle\" }", "fn main() {}");
    project.package("middle", "middle", "openssl-sys = { path = \"../ssl\" }", "src/lib.rs", "");
    project.package("ssl", "openssl-sys", FULL, "src/lib.rs", "");
    project.write(".cargo/config.toml", "[build]\ntarget = \"wasm32-wasi\"\n");
    let out = project.wasio(&["doctor", "--json"]);
    assert_eq!(out.code, Some(1), "{}", out.stderr);
    let report = json(&out);
    assert_eq!(report["ok"], false);
    let found = finding(&report, "openssl-sys 0.1.0");
    assert_eq!(found["level"], "error");
    let chain = ["troubled 0.1.0", "middle 0.1.0", "openssl-sys 0.1.0"];
    assert_eq!(found["chain"], Value::from(chain.to_vec()));
    assert!(found["instead"].as_str().unwrap().contains("rustls"));
    assert_eq!(finding(&report, "wasm32-wasi")["level"], "warning");
    let text = project.wasio(&["doctor"]).stdout;
    assert!(text.contains("troubled 0.1.0 -> middle 0.1.0 -> openssl-sys 0.1.0"), "{text}");
    assert!(text.contains("this will not work: 1 error"), "{text}");
}

/// A package that links a library which nobody has tried is not called healthy.
#[test]
fn unknown_native_libraries_are_found() {
    let dependencies = "odd-sys = { path = \"odd\" }\njust-sys = { path = \"just\" }";
    let project = Project::new("native", dependencies, "fn main() {}");
    for name in ["odd", "just"] {
        project.package(name, &format!("{name}-sys"), "", "src/lib.rs", "");
    }
    let manifest = project.read("odd/Cargo.toml").unwrap();
    let manifest = manifest.replace("[dependencies]", "links = \"odd\"\n\n[dependencies]");
    project.write("odd/Cargo.toml", &manifest);
    project.write("odd/build.rs", "fn main() {}");
    let out = project.wasio(&["doctor", "--json"]).ok();
    let found = json(&out);
    let found = finding(&found, "odd-sys 0.1.0");
    assert_eq!(found["level"], "warning");
    assert!(found["what"].as_str().unwrap().contains("the native library `odd`"), "{found}");
    assert!(!out.stdout.contains("just-sys 0.1.0"), "{}", out.stdout);
}

#[test]
fn a_resolver_of_the_standard_library_is_found_unless_ours_is_there() {
    let project = Project::new("fetching", "reqwest = { path = \"reqwest\" }", "fn main() {}");
    project.package("reqwest", "reqwest", "", "src/lib.rs", "");
    set_version(&project, "reqwest", "0.13.1");
    let report = json(&project.wasio(&["doctor", "--json"]).ok());
    let found = finding(&report, "default resolver");
    assert_eq!(found["level"], "warning");
    assert!(found["instead"].as_str().unwrap().contains("wasio_resolve::Resolver"));

    let dependencies = "reqwest = { path = \"reqwest\" }\nwasio-resolve = { path = \"resolve\" }";
    let solved = Project::new("solved", dependencies, "fn main() {}");
    solved.package("reqwest", "reqwest", "", "src/lib.rs", "");
    set_version(&solved, "reqwest", "0.13.1");
    solved.package("resolve", "wasio-resolve", "", "src/lib.rs", "");
    let text = solved.wasio(&["doctor"]).ok().stdout;
    assert!(!text.contains("default resolver"), "{text}");
}

#[test]
fn packages_of_build_scripts_are_not_in_the_guest() {
    let project = Project::empty();
    project.package(".", "scripted", "", "src/main.rs", "fn main() {}");
    let manifest = project.read("Cargo.toml").unwrap();
    let build = "[build-dependencies]\nopenssl-sys = { path = \"ssl\" }\n";
    project.write("Cargo.toml", &format!("{manifest}{build}"));
    project.package("ssl", "openssl-sys", "", "src/lib.rs", "");
    project.wasio(&["doctor"]).ok();
}

/// `cargo metadata` lists them, and `cargo tree` does not.
#[test]
fn optional_packages_that_nothing_switches_on_are_not_in_the_guest() {
    let project = Project::new("weak", "client = { path = \"client\" }", "fn main() {}");
    let ssl = "openssl-sys = { path = \"../ssl\", optional = true }\n\n[features]\n\
               default = [\"tls\"]\ntls = [\"openssl-sys?/vendored\"]\non = [\"dep:openssl-sys\"]\n";
    project.package("client", "client", ssl, "src/lib.rs", "");
    let features = "\n[features]\nvendored = []\n";
    project.package("ssl", "openssl-sys", features, "src/lib.rs", "");
    project.wasio(&["doctor"]).ok();
    project.wasio(&["doctor", "--features", "client/on"]).fails_with(1, "");
}

#[test]
fn a_pin_and_an_excluding_requirement_are_told_apart() {
    let project = Project::new(
        "pinned",
        "tokio = { version = \"1.8\", features = [\"sync\"] }\n\
         bytes = \"1\"\nitoa = \"1\"\nlibc = \"0.2\"",
        "fn main() {}",
    );
    project.write("Cargo.lock", include_str!("cargo_support/pinned.lock"));
    let report = json(&project.wasio(&["doctor", "--json"]).ok());
    assert_eq!(report["patch"]["locked"], "1.8.1");
    assert_eq!(finding(&report, "pins tokio 1.8.1")["level"], "note");

    let excluding = Project::new("excluding", "tokio = \"=1.40.0\"", "fn main() {}");
    let out = excluding.wasio(&["doctor", "--json"]);
    assert_eq!(out.code, Some(1), "{}", out.stderr);
    let report = json(&out);
    assert_eq!(report["patch"]["state"], "not-in-use");
    assert_eq!(finding(&report, "requires tokio `=1.40.0`")["level"], "error");
}

#[test]
fn a_project_that_cannot_be_examined_is_2() {
    let broken = Project::empty();
    broken.write("Cargo.toml", "[package\n");
    assert_eq!(broken.wasio(&["doctor"]).code, Some(2));
}

#[test]
fn a_missing_runner_is_found() {
    let project = Project::new("runnerless", "", "fn main() {}");
    let out = finish(project.command().arg("doctor").env("WASIO_BIN", "/no/such/runner"));
    assert_eq!(out.code, Some(1), "{}", out.stderr);
    assert!(out.stdout.contains("error: WASIO_BIN names /no/such/runner"), "{}", out.stdout);
}

#[test]
fn what_compiles_c_code_is_looked_for() {
    use std::os::unix::fs::PermissionsExt;

    let crypto = "rustls-rustcrypto = { path = \"crypto\" }\nring = { path = \"ring\" }";
    let project = Project::new("encrypted", crypto, "fn main() {}");
    project.package("ring", "ring", "", "src/lib.rs", "");
    project.package("crypto", "rustls-rustcrypto", "", "src/lib.rs", "");
    let manifest = project.read("crypto/Cargo.toml").unwrap().replace("0.1.0", "0.0.2-alpha");
    project.write("crypto/Cargo.toml", &manifest);
    // Nothing but the toolchain: no clang.
    let toolchain = std::path::Path::new(env!("CARGO")).parent().unwrap().to_str().unwrap();
    let doctor = |path: &str| {
        let mut command = project.command();
        command.args(["doctor", "--json"]).env("PATH", path).env_remove("CC");
        json(&finish(&mut command))
    };
    let report = doctor(toolchain);
    assert_eq!(finding(&report, "ring 0.1.0")["level"], "error");
    assert_eq!(report["ok"], false);
    // A preview is known, too.
    assert_eq!(finding(&report, "rustls-rustcrypto 0.0.2-alpha")["level"], "warning");
    // One that can, as far as it says.
    project.write("bin/clang-19", "#!/bin/sh\necho '    wasm32 - WebAssembly 32-bit'\n");
    let clang = project.path().join("bin/clang-19");
    std::fs::set_permissions(&clang, PermissionsExt::from_mode(0o755)).unwrap();
    let report = doctor(&format!("{}:{toolchain}", project.path().join("bin").display()));
    let found = finding(&report, "ring 0.1.0");
    assert_eq!(found["level"], "note");
    assert!(found["what"].as_str().unwrap().contains("clang-19"));
}

#[test]
fn what_builds_fail_with_is_never_nothing_found() {
    let all =
        ["reqwest", "russh", "actix-server", "openssl-sys", "signal-hook", "sqlx-sqlite", "moka"];
    for name in all {
        let project =
            Project::new("failing", &format!("{name} = {{ path = \"dep\" }}"), "fn main() {}");
        project.package("dep", name, "", "src/lib.rs", "");
        let out = project.wasio(&["doctor", "--json"]);
        assert_eq!(out.code, Some(1), "{name}: {}", out.stdout);
        assert_eq!(finding(&json(&out), name)["level"], "error", "{name}");
    }
    for name in ["indicatif", "wiremock", "lapin", "tracing-appender"] {
        let project =
            Project::new("threads", &format!("{name} = {{ path = \"dep\" }}"), "fn main() {}");
        project.package("dep", name, "", "src/lib.rs", "");
        let report = json(&project.wasio(&["doctor", "--json"]).ok());
        let found = finding(&report, name);
        assert_eq!(found["level"], "warning", "{name}");
        assert!(found["what"].as_str().unwrap().contains("thread"), "{name}");
    }
}
