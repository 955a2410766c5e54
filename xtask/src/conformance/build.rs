//! Makes the scratch package and builds the tests in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use xtask::targets::Target;

use super::reasons::Reasons;
use super::scan::TestFile;

/// Every feature that upstream's tests ask for; none of the unstable ones.
const FEATURES: &[&str] = &[
    "fs",
    "full",
    "io-std",
    "io-util",
    "macros",
    "net",
    "process",
    "rt",
    "rt-multi-thread",
    "signal",
    "sync",
    "test-util",
    "time",
];

/// WASI has no folder for temporary files: the tests get one, before `main`.
const TEMP_DIR: &str = r#"
#[used]
#[link_section = ".init_array"]
static SET_TEMP_DIR: extern "C" fn() = {
    extern "C" fn set() {
        let _ = tempfile::env::override_temp_dir(std::path::Path::new("/tmp"));
    }
    set
};
"#;

/// The folder of the published package, which cargo downloads.
pub(crate) fn package(root: &Path, name: &str, version: &str) -> Result<PathBuf> {
    let scratch = root.join("target/conformance/package").join(name);
    fs::create_dir_all(scratch.join("src"))?;
    fs::write(scratch.join("src/lib.rs"), "")?;
    fs::write(
        scratch.join("Cargo.toml"),
        format!(
            "[package]\nname = \"fetch\"\nedition = \"2021\"\n[dependencies]\n{name} = \"={version}\"\n[workspace]\n"
        ),
    )?;
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1"])
        .current_dir(&scratch)
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo metadata")?;
    if !output.status.success() {
        bail!("cargo could not fetch {name} {version}: see above");
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let found = packages.iter().find(|p| p["name"] == name && p["version"] == version);
    let found = found.with_context(|| format!("{name} is not in the tree"))?;
    let manifest = PathBuf::from(found["manifest_path"].as_str().context("no manifest path")?);
    Ok(manifest.parent().context("no package folder")?.to_owned())
}

/// Returns the binary that a test file belongs to. Few binaries keep the build short.
fn group(file: &str) -> &str {
    match file.split('_').next().unwrap_or(file) {
        group @ ("sync" | "io" | "rt" | "time" | "macros" | "task" | "fs" | "process"
        | "signal") => group,
        "tcp" | "udp" | "net" | "uds" | "unix" => "net",
        _ => "other",
    }
}

/// Writes the scratch package: sources with their gates lifted, and a manifest that patches tokio.
pub(crate) fn prepare(
    root: &Path,
    package: &Path,
    scratch: &Path,
    target: Option<Target>,
    files: &BTreeMap<String, TestFile>,
    reasons: &Reasons,
) -> Result<()> {
    let tests = scratch.join("tests");
    let _ = fs::remove_dir_all(&tests);
    fs::create_dir_all(tests.join("files"))?;
    fs::create_dir_all(scratch.join("src"))?;
    fs::write(scratch.join("src/lib.rs"), "")?;
    copy_folder(&package.join("tests/support"), &tests.join("files/support"))?;
    let mut groups: BTreeMap<&str, String> = BTreeMap::new();
    for (name, file) in files {
        if name.starts_with('_') || reasons.leaves_out(name) {
            continue;
        }
        // As modules, files are not the root of their crate.
        let mut source = file.source.replace("crate::time::", "tokio::time::");
        for test in reasons.left_out_tests(name) {
            source = source
                .replace(&format!("async fn {test}("), &format!("#[cfg(any())]\nasync fn {test}("));
        }
        let source = match target {
            None => source,
            _ => adapt(&source, !reasons.keeps_gates(name), true),
        };
        fs::write(tests.join("files").join(format!("{name}.rs")), source)?;
        let list = groups.entry(group(name)).or_default();
        writeln!(list, "#[path = \"files/{name}.rs\"]\nmod {name};")?;
    }
    let mut manifest = manifest(root, target);
    let setup = if target.is_none() { "" } else { TEMP_DIR };
    for (group, list) in &groups {
        let source = format!("#![allow(warnings)]\n{list}{setup}");
        fs::write(tests.join(format!("{group}.rs")), source)?;
        write!(manifest, "\n[[test]]\nname = \"{group}\"\npath = \"tests/{group}.rs\"\n")?;
    }
    let path = scratch.join("Cargo.toml");
    if fs::read_to_string(&path).ok().as_deref() != Some(&manifest) {
        // A lock file made before a patch was added keeps the published package.
        let _ = fs::remove_file(scratch.join("Cargo.lock"));
        fs::write(path, manifest)?;
    }
    // Where the tests run: some read the package's manifest.
    let cwd = scratch.join("cwd");
    let _ = fs::remove_dir_all(&cwd);
    fs::create_dir_all(cwd.join("tmp"))?;
    fs::copy(package.join("Cargo.toml"), cwd.join("Cargo.toml"))?;
    Ok(())
}

/// The source for a WASI target: if `lift`, without what hides it from WASI, and if `may_panic`, without
/// `should_panic`, which the test harness cannot judge where a panic ends the program (`run.rs` does).
pub(crate) fn adapt(source: &str, lift: bool, may_panic: bool) -> String {
    let mut source = without_attributes(source, "#[should_panic", |_| may_panic);
    if lift {
        for gate in [
            "not(target_os = \"wasi\")",
            "not(target_os=\"wasi\")",
            "not(target_family = \"wasm\")",
            "not(all(target_os = \"wasi\", target_env = \"p1\"))",
        ] {
            source = source.replace(gate, "all()");
        }
        source = without_attributes(&source, "#[cfg_attr(", |attribute| {
            let condition = attribute["#[cfg_attr(".len()..].trim_start();
            condition.starts_with("target_os = \"wasi\",")
                || condition.starts_with("target_family = \"wasm\",")
        });
    }
    source
}

/// The source without attributes that start with `start` and that `remove` chooses.
fn without_attributes(source: &str, start: &str, remove: impl Fn(&str) -> bool) -> String {
    let mut adapted = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find(start) {
        let end = at + rest[at..].find(']').map_or(0, |i| i + 1);
        adapted.push_str(if remove(&rest[at..end]) { &rest[..at] } else { &rest[..end] });
        rest = &rest[end..];
    }
    adapted.push_str(rest);
    adapted
}

fn manifest(root: &Path, target: Option<Target>) -> String {
    let drop_in = root.join("drop-in/tokio");
    let features = FEATURES.iter().map(|f| format!("{f} = []\n")).collect::<String>();
    let all = FEATURES.iter().map(|f| format!("\"{f}\"")).collect::<Vec<_>>().join(", ");
    let own = if target.is_none() {
        "proptest = \"1\"\nmockall = \"0.13\"\nsocket2 = \"0.6\"\nlibc = \"0.2\"\n\
         nix = { version = \"0.31\", default-features = false, features = [\"aio\", \"fs\", \"socket\"] }\n"
    } else {
        "socket2 = \"0.6\"\n"
    };
    // The published socket2 has no sockets on wasip1, and cannot use wasio's on wasip2. The published
    // futures-executor cannot wait on either.
    let patch = match target {
        None => String::new(),
        _ => ["socket2", "futures-executor"]
            .map(|name| format!("{name} = {{ path = {:?} }}\n", root.join("drop-in").join(name)))
            .concat(),
    };
    format!(
        "[package]\nname = \"conformance\"\nversion = \"0.0.0\"\nedition = \"2021\"\nautotests = false\n\
         [features]\ndefault = [{all}]\n{features}\
         [dev-dependencies]\n\
         tokio = {{ version = \"1\", features = [\"full\", \"test-util\"] }}\n\
         tokio-test = \"0.4\"\ntokio-stream = {{ version = \"0.1\", features = [\"full\"] }}\n\
         tokio-util = {{ version = \"0.7\", features = [\"rt\"] }}\n\
         async-stream = \"0.3\"\nbytes = \"1\"\npin-project-lite = \"0.2\"\nfutures = {{ version = \"0.3\", features = [\"async-await\"] }}\n\
         futures-test = \"0.3.31\"\nfutures-concurrency = \"7.6.3\"\nrand = \"0.9\"\ntempfile = \"3\"\n{own}\
         [patch.crates-io]\ntokio = {{ path = {drop_in:?} }}\n{patch}\
         [profile.dev]\ndebug = false\nincremental = false\n\
         [workspace]\n"
    )
}

/// Builds all groups; returns the binaries by group.
pub(crate) fn build(scratch: &Path, target: Option<Target>) -> Result<BTreeMap<String, PathBuf>> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["test", "--no-run", "--message-format=json-render-diagnostics"])
        // One for all targets: macros and build scripts are compiled once.
        .env("CARGO_TARGET_DIR", scratch.with_file_name("target"))
        // The manifest's profile has none.
        .env_remove("CARGO_PROFILE_DEV_DEBUG")
        .current_dir(scratch);
    if let Some(triple) = target.map(Target::triple) {
        command.args(["--target", triple]);
    }
    let output = command.stderr(Stdio::inherit()).output().context("running cargo")?;
    if !output.status.success() {
        bail!("tokio's tests do not compile against the drop-in: see above");
    }
    let mut binaries = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let is_test = message["target"]["kind"][0] == "test";
        if let (true, Some(name), Some(path)) =
            (is_test, message["target"]["name"].as_str(), message["executable"].as_str())
        {
            binaries.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    Ok(binaries)
}

pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
