//! Packs the sources of the drop-ins into the binary `cargo-wasio`.
//!
//! Every package under `drop-in/` and every package of this repository below it
//! is packed: its sources, its build script and a manifest of its own. The
//! manifests are rewritten so that they stand alone: what they inherit from the
//! workspace is written out, what only tests and benchmarks need is left out,
//! and lints are silenced, since these packages are compiled in users' builds
//! as path dependencies, where cargo shows warnings.
//!
//! The result is `$OUT_DIR/drop_ins.rs`, included by `src/cargo/sources.rs`.
//! `WASIO_SOURCES` names the repository when it is not the folder above this
//! package.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use toml::{Table, Value};

/// What of a package is not packed: its manifest is rewritten, the rest is for
/// its own tests.
const LEFT_OUT: &[&str] =
    &["Cargo.toml", "Cargo.lock", "tests", "benches", "examples", "fuzz", "target"];

fn main() {
    if let Err(why) = pack() {
        eprintln!("error: the sources of the drop-ins cannot be packed: {why}");
        process::exit(1);
    }
}

fn pack() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=WASIO_SOURCES");
    println!("cargo::rerun-if-changed=build.rs");
    let root = repository()?;
    println!("cargo::rerun-if-changed={}", root.join("Cargo.toml").display());
    let workspace = read_manifest(&root)?;
    let workspace = table(&workspace, "workspace")?.clone();

    let drop_ins = drop_in_folders(&root)?;
    let mut packages: BTreeMap<String, Table> = BTreeMap::new();
    let mut open = drop_ins.clone();
    while let Some(folder) = open.pop() {
        if packages.contains_key(&folder) {
            continue;
        }
        let manifest = read_manifest(&root.join(&folder))?;
        let (manifest, below) = stand_alone(manifest, &folder, &workspace)
            .map_err(|why| format!("{folder}/Cargo.toml: {why}"))?;
        packages.insert(folder, manifest);
        open.extend(below);
    }

    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let mut files = BTreeMap::new();
    files.insert("Cargo.toml".to_owned(), root_manifest(&packages).into_bytes());
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        if let Ok(text) = fs::read(root.join(licence)) {
            files.insert(licence.to_owned(), text);
        }
    }
    let mut listed = String::new();
    for (folder, manifest) in &packages {
        let text = toml::to_string(manifest).map_err(|e| e.to_string())?;
        files.insert(format!("{folder}/Cargo.toml"), text.into_bytes());
        for path in list(&root.join(folder))? {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or(".");
            if !name.starts_with('.') && !LEFT_OUT.contains(&name) {
                collect(&path, &format!("{folder}/{name}"), &mut files)?;
            }
        }
        if drop_ins.contains(folder) {
            let package = table(manifest, "package")?;
            let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or("");
            listed += &format!(
                "    DropIn {{ name: {:?}, version: {:?}, folder: {folder:?} }},\n",
                text("name"),
                text("version"),
            );
        }
    }
    write_generated(&out, &files, &listed, &requirements(&packages))
}

/// What the packed packages require of published ones, as Rust tuples: folder, name, requirement.
fn requirements(packages: &BTreeMap<String, Table>) -> String {
    let mut found = BTreeSet::new();
    for (folder, manifest) in packages {
        let targets = manifest.get("target").and_then(Value::as_table);
        let tables = targets.into_iter().flat_map(|all| all.values().filter_map(Value::as_table));
        for table in tables.chain([manifest]) {
            for kind in ["dependencies", "build-dependencies"] {
                let Some(dependencies) = table.get(kind).and_then(Value::as_table) else {
                    continue;
                };
                for (name, dependency) in dependencies {
                    let text = |key| dependency.get(key).and_then(Value::as_str);
                    let version = dependency.as_str().or(text("version"));
                    if let (Some(version), None) = (version, text("path")) {
                        found.insert((folder, text("package").unwrap_or(name), version));
                    }
                }
            }
        }
    }
    found.iter().map(|found| format!("    {found:?},\n")).collect()
}

/// The repository this package belongs to, recognised by its drop-ins.
fn repository() -> Result<PathBuf, String> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("no CARGO_MANIFEST_DIR")?);
    let root = match env::var_os("WASIO_SOURCES") {
        Some(named) => PathBuf::from(named),
        None => here.join(".."),
    };
    if !root.join("drop-in/tokio/Cargo.toml").is_file() {
        return Err(format!(
            "no drop-in/tokio/Cargo.toml in {}.\n\
             This package is built inside its repository: clone it and run \
             `cargo install --path cli` there,\nor name a checkout in WASIO_SOURCES.",
            root.display()
        ));
    }
    root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))
}

fn drop_in_folders(root: &Path) -> Result<Vec<String>, String> {
    let name = |path: &PathBuf| path.file_name()?.to_str().map(|name| format!("drop-in/{name}"));
    let mut found = list(&root.join("drop-in"))?;
    found.retain(|path| path.join("Cargo.toml").is_file());
    Ok(found.iter().filter_map(name).collect())
}

/// What is in `folder`, in order. Cargo does not watch the folder: that would watch everything below it, and tests write
/// files beside the sources.
fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let say = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(say)? {
        found.push(entry.map_err(say)?.path());
    }
    found.sort();
    Ok(found)
}

fn read_manifest(folder: &Path) -> Result<Table, String> {
    let path = folder.join("Cargo.toml");
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    text.parse::<Table>().map_err(|e| format!("{}: {e}", path.display()))
}

fn table<'t>(of: &'t Table, key: &str) -> Result<&'t Table, String> {
    of.get(key).and_then(Value::as_table).ok_or(format!("no table `{key}`"))
}

/// Writes out what `manifest` inherits, and names the packages of this
/// repository it depends on, as folders seen from the root.
fn stand_alone(
    mut manifest: Table,
    folder: &str,
    workspace: &Table,
) -> Result<(Table, Vec<String>), String> {
    for key in ["lints", "dev-dependencies", "test", "bench", "example", "bin", "profile"] {
        manifest.remove(key);
    }
    let shared = table(workspace, "package")?;
    if let Some(package) = manifest.get_mut("package").and_then(Value::as_table_mut) {
        for (key, value) in package.iter_mut() {
            if value.get("workspace").is_some() {
                let inherited = shared.get(key).ok_or(format!("nothing to inherit for `{key}`"))?;
                *value = inherited.clone();
            }
        }
        package.remove("readme");
    }
    let mut below = Vec::new();
    for kind in ["dependencies", "build-dependencies"] {
        if let Some(found) = manifest.get_mut(kind).and_then(Value::as_table_mut) {
            resolve_dependencies(found, folder, workspace, &mut below)?;
        }
    }
    if let Some(targets) = manifest.get_mut("target").and_then(Value::as_table_mut) {
        for (_, target) in targets.iter_mut() {
            let Some(target) = target.as_table_mut() else { continue };
            target.remove("dev-dependencies");
            for kind in ["dependencies", "build-dependencies"] {
                if let Some(found) = target.get_mut(kind).and_then(Value::as_table_mut) {
                    resolve_dependencies(found, folder, workspace, &mut below)?;
                }
            }
        }
    }
    let silent: Table = "rust.warnings = \"allow\"".parse().map_err(|e| format!("{e}"))?;
    manifest.insert("lints".to_owned(), Value::Table(silent));
    Ok((manifest, below))
}

fn resolve_dependencies(
    found: &mut Table,
    folder: &str,
    workspace: &Table,
    below: &mut Vec<String>,
) -> Result<(), String> {
    let shared = table(workspace, "dependencies")?;
    let up = "../".repeat(folder.split('/').count());
    for (name, dependency) in found.iter_mut() {
        let Some(own) = dependency.as_table_mut() else { continue };
        let inherits = own.remove("workspace").is_some();
        if inherits {
            let mut whole = match shared.get(name) {
                Some(Value::Table(table)) => table.clone(),
                Some(version) => Table::from_iter([("version".to_owned(), version.clone())]),
                None => return Err(format!("`{name}` is not in workspace.dependencies")),
            };
            for (key, value) in std::mem::take(own) {
                match (whole.get_mut(&key), value) {
                    (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
                    (_, value) => drop(whole.insert(key, value)),
                }
            }
            *own = whole;
        }
        if let Some(Value::String(path)) = own.get_mut("path") {
            let from_root = if inherits { path.clone() } else { normal(folder, path) };
            *path = format!("{up}{from_root}");
            below.push(from_root);
        }
    }
    Ok(())
}

/// `path` as written in the manifest of `folder`, seen from the root.
fn normal(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A workspace root keeps cargo from looking for one above the cache folder.
fn root_manifest(packages: &BTreeMap<String, Table>) -> String {
    // A workspace has one package of a name.
    let mut names = BTreeSet::new();
    let name = |manifest: &Table| Some(table(manifest, "package").ok()?.get("name")?.to_string());
    let (members, others): (Vec<_>, Vec<_>) =
        packages.iter().partition(|(_, manifest)| names.insert(name(manifest)));
    let list = |of: Vec<(&String, &Table)>| {
        of.iter().map(|(folder, _)| format!("{folder:?}")).collect::<Vec<_>>().join(", ")
    };
    let (members, others) = (list(members), list(others));
    format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\nexclude = [{others}]\n")
}

fn collect(path: &Path, name: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", path.display());
    if path.is_dir() {
        for entry in list(path)? {
            let Some(last) = entry.file_name().and_then(OsStr::to_str) else { continue };
            collect(&entry, &format!("{name}/{last}"), files)?;
        }
    } else {
        let content = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
        files.insert(name.to_owned(), content);
    }
    Ok(())
}

/// One blob with every file, and the Rust source that indexes it.
fn write_generated(
    out: &Path,
    files: &BTreeMap<String, Vec<u8>>,
    listed: &str,
    required: &str,
) -> Result<(), String> {
    let mut blob = Vec::new();
    let mut index = String::new();
    let mut hash = Fnv::default();
    for (name, content) in files {
        let start = blob.len();
        blob.extend_from_slice(content);
        index += &format!("    ({name:?}, {start}, {}),\n", blob.len());
        hash.add(name.as_bytes());
        hash.add(content);
    }
    let text = format!(
        "/// Names the unpacked folder: it changes with any packed byte.\n\
         const HASH: &str = \"{:016x}\";\n\
         /// The packages that take the place of published ones.\n\
         const DROP_INS: &[DropIn] = &[\n{listed}];\n\
         /// What the packed packages require of published ones: folder, name, requirement.\n\
         const REQUIREMENTS: &[(&str, &str, &str)] = &[\n{required}];\n\
         /// Every packed file: name, start and end in [`BLOB`].\n\
         const FILES: &[(&str, usize, usize)] = &[\n{index}];\n\
         static BLOB: &[u8] = include_bytes!(concat!(env!(\"OUT_DIR\"), \"/drop_ins.bin\"));\n",
        hash.0
    );
    replace(&out.join("drop_ins.bin"), &blob)?;
    replace(&out.join("drop_ins.rs"), text.as_bytes())
}

/// Writes a new file, where another target folder may have a hard link to the old one.
fn replace(path: &Path, content: &[u8]) -> Result<(), String> {
    let _ = fs::remove_file(path);
    fs::write(path, content).map_err(|e| format!("{}: {e}", path.display()))
}

/// FNV-1a: the hash only names a folder, its content is compared byte by byte.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for part in [&(bytes.len() as u64).to_le_bytes()[..], bytes] {
            for byte in part {
                self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
}
