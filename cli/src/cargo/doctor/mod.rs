//! `cargo wasio doctor`: will this project run, and if not, why?
//!
//! It resolves the project as a WASI build would, then examines the packages in the guest. Nothing is compiled: whether
//! a package works without an interface that WASI lacks is known from a table (`known`), not found out.

mod known;
mod report;
mod tree;

use std::process::ExitCode;
use std::{env, fs};

use anyhow::Result;
use semver::VersionReq;
use serde::Serialize;

use super::args::DoctorArgs;
use super::clang::{self, Clang};
use super::engine;
use super::flags::CargoFlags;
use super::host_tokio;
use super::lock::Lock;
use super::metadata::Package;
use super::patch::{self, State};
use super::program;
use super::project::{Project, Resolved};
use super::shell::Shell;
use super::sources;
use super::toolchain::{self, Cargo};
use crate::targets::{Engine, Target};
use tree::Tree;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Prevents the build or every run.
    Error,
    /// Fails when it is used, or needs something installed.
    Warning,
    /// For information only.
    Note,
}

#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    /// `name version` of the package, if the finding is about one.
    package: Option<String>,
    what: String,
    instead: String,
    /// The chain from the project to the package.
    chain: Vec<String>,
}

/// The output of `--json`.
#[derive(Debug, Serialize)]
struct Report {
    /// Whether no finding is an error.
    ok: bool,
    project: String,
    target: &'static str,
    cargo: String,
    patch: PatchReport,
    targets: Vec<TargetReport>,
    engines: Vec<EngineReport>,
    packages: Vec<PackageReport>,
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct PatchReport {
    /// `in-use`, `own-drop-in`, `no-tokio` or `not-in-use`.
    state: &'static str,
    tokio: Option<String>,
    /// The folder of the unpacked drop-ins.
    sources: String,
    /// The version of tokio that the project's own Cargo.lock pins.
    locked: Option<String>,
}

#[derive(Debug, Serialize)]
struct TargetReport {
    name: &'static str,
    installed: bool,
}

#[derive(Debug, Serialize)]
struct EngineReport {
    name: String,
    path: Option<String>,
    version: Option<String>,
}

#[derive(Debug, Serialize)]
struct PackageReport {
    name: String,
    version: String,
    /// `wasio`, `path`, `registry` or `git`.
    source: &'static str,
}

/// Packages whose versions are shown if they are in the guest.
const SHOWN: &[&str] = &[
    "tokio",
    "tokio-util",
    "tokio-stream",
    "tokio-rustls",
    "tokio-tungstenite",
    "mio",
    "socket2",
    "hyper",
    "hyper-util",
    "h2",
    "reqwest",
    "axum",
    "tonic",
    "tower",
    "redis",
    "tokio-postgres",
    "sqlx",
    "rustls",
    "ring",
    "rustls-rustcrypto",
    "tracing",
    "tracing-subscriber",
    "futures-util",
];

pub(crate) fn start(args: DoctorArgs) -> Result<ExitCode> {
    let flags = CargoFlags::new(args.cargo);
    let shell = Shell::new(args.json || flags.quiet, flags.colour.as_deref());
    let project = Project::open(Cargo::find()?, flags, shell)?;
    let resolved = project.resolve(args.wasi.triple())?;
    let report = examine(&project, &resolved, args.wasi)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report::print(&report);
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn examine(project: &Project, resolved: &Resolved, wasi: Target) -> Result<Report> {
    let mut findings = Vec::new();
    let locked = own_lock_pin(project);
    let (state, tokio) = match &resolved.state {
        State::InUse(version) => ("in-use", Some(version)),
        State::OwnDropIn(version) => ("own-drop-in", Some(version)),
        State::NoTokio => ("no-tokio", None),
        State::NotInUse(found) => ("not-in-use", found.first().map(|found| &found.version)),
    };
    let stopping = match &resolved.state {
        State::NotInUse(found) => found.as_slice(),
        _ => &[],
    };
    let stopping = stopping.iter().map(|obstacle| (Level::Error, obstacle));
    let left_out = patch::left_out(&resolved.metadata);
    for (level, obstacle) in stopping.chain(left_out.iter().map(|one| (Level::Warning, one))) {
        let explanation = obstacle.explanation();
        let (what, instead) = explanation.rsplit_once("\n  ").unwrap_or((&explanation, ""));
        let chain = obstacle.demands.first().map(|demand| demand.chain.clone());
        findings.push(Finding {
            level,
            package: Some(format!("{} {}", obstacle.name, obstacle.version)),
            what: what.to_owned(),
            instead: instead.to_owned(),
            chain: chain.unwrap_or_default(),
        });
    }
    if let (Some(pinned), "in-use") = (&locked, state) {
        findings.push(note(
            format!("Cargo.lock pins tokio {pinned}"),
            "nothing has to be done: WASI builds have a lock of their own. By hand, with \
             [patch.crates-io], run `cargo update tokio`",
        ));
    }
    findings.extend(old_target_name(project));
    let engines = engines(&mut findings);
    let targets = targets(&mut findings, wasi);
    let mut guest = resolved.metadata.in_guest(false);
    // This package wraps the drop-in, which is in the guest as well.
    guest.retain(|p| p.name != "tokio" || p.version.to_string() != host_tokio::VERSION);
    let tree = match &resolved.state {
        State::NotInUse(_) => None,
        _ => Tree::of(project, resolved, wasi.triple())?,
    };
    guest.retain(|package| tree.as_ref().is_none_or(|tree| tree.features(package).is_some()));
    findings.extend(known_of(&guest, tree.as_ref(), resolved, wasi));
    findings.extend(c_code(&guest, resolved, wasi));
    findings.extend(native_libraries(&guest, resolved));
    findings.sort_by_key(|finding| finding.level);

    let source = |package: &Package| match package.source.as_deref() {
        None if package.manifest_path.starts_with(project.sources.root()) => "wasio",
        None => "path",
        Some(source) if source.starts_with("git+") => "git",
        Some(_) => "registry",
    };
    let shown = guest.iter().filter(|package| SHOWN.contains(&package.name.as_str()));
    let packages = shown
        .map(|package| PackageReport {
            name: package.name.clone(),
            version: package.version.to_string(),
            source: source(package),
        })
        .collect();
    Ok(Report {
        ok: findings.iter().all(|finding| finding.level != Level::Error),
        project: project.root.display().to_string(),
        target: wasi.triple(),
        cargo: project.cargo.version().to_string(),
        patch: PatchReport {
            state,
            tokio: tokio.map(ToString::to_string),
            sources: project.sources.root().display().to_string(),
            locked,
        },
        targets,
        engines,
        packages,
        findings,
    })
}

fn note(what: String, instead: &str) -> Finding {
    let instead = instead.to_owned();
    Finding { level: Level::Note, package: None, what, instead, chain: Vec::new() }
}

/// Returns the published tokio 1.x that the project's own lock pins.
fn own_lock_pin(project: &Project) -> Option<String> {
    let text = fs::read_to_string(project.root.join("Cargo.lock")).ok()?;
    let lock = Lock::parse(&text);
    let pinned = lock.entries.iter().find(|entry| {
        let stood_for = sources::drop_in(entry.name, &entry.version).is_some();
        entry.name == "tokio" && entry.has_source && stood_for
    });
    pinned.map(|entry| entry.version.to_string())
}

/// Returns the findings from the table.
fn known_of(
    guest: &[&Package],
    tree: Option<&Tree>,
    resolved: &Resolved,
    wasi: Target,
) -> Vec<Finding> {
    let features = resolved.metadata.features();
    let mut findings = Vec::new();
    for package in guest {
        let listed = features.get(package.id.as_str()).copied().unwrap_or_default();
        let on = tree.and_then(|tree| tree.features(package)).unwrap_or(listed);
        for known in known::table().filter(|known| known.package == package.name) {
            let stands_in = sources::is_drop_in(known.package, &package.version);
            let about_published = known.level != Level::Note;
            // semver's own `*` does not match previews, such as 0.0.2-alpha.
            let version = known.versions == "*"
                || VersionReq::parse(known.versions)
                    .is_ok_and(|versions| versions.matches(&package.version));
            let feature = known.features.is_empty()
                || known.features.iter().any(|feature| on.iter().any(|on| on == feature));
            let here = known.only.is_none_or(|only| only == wasi);
            let solved = known.unless.is_some_and(|name| guest.iter().any(|p| p.name == name));
            if (stands_in && about_published) || !version || !feature || !here || solved {
                continue;
            }
            let chain = resolved.metadata.chain_to(&package.id);
            findings.push(Finding {
                level: known.level,
                package: Some(format!("{} {}", package.name, package.version)),
                what: known.what.to_owned(),
                instead: known.instead.to_owned(),
                chain: chain.iter().map(|p| format!("{} {}", p.name, p.version)).collect(),
            });
        }
    }
    findings
}

/// Returns a finding for each package with C code: the compiler, or what is missing.
fn c_code(guest: &[&Package], resolved: &Resolved, wasi: Target) -> Vec<Finding> {
    let with = |package: &&&Package| known::C_CODE.iter().find(|c| c.package == package.name);
    let found: Vec<_> = guest.iter().filter_map(|p| with(&p).map(|c| (*p, c))).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let chosen = clang::is_chosen("CC", wasi.triple());
    let clang = if chosen { None } else { Clang::find() };
    let headers = clang::headers(wasi.triple());
    let finding = |(package, c): (&Package, &known::CCode)| {
        let nothing = "nothing has to be done";
        let (level, what, instead) = match (&clang, &headers) {
            _ if chosen => (
                Level::Note,
                "the compiler that the environment names".to_owned(),
                nothing.to_owned(),
            ),
            (Some(clang), _) if !c.needs_headers => {
                (Level::Note, clang.program.clone(), nothing.to_owned())
            }
            (Some(clang), Some(headers)) => {
                let what = format!("{} with the headers in {headers}", clang.program);
                (Level::Note, what, nothing.to_owned())
            }
            (Some(clang), None) => {
                let what =
                    format!("{}, but there are no headers of a C library for WASI", clang.program);
                let instead = format!(
                    "install them (Debian: `apt-get install wasi-libc`), or name a WASI SDK in WASI_SDK_PATH{}",
                    c.or
                );
                (Level::Error, what, instead)
            }
            (None, _) => {
                let packages = if c.needs_headers { "clang llvm wasi-libc" } else { "clang llvm" };
                let instead = format!(
                    "install clang 11 or newer with its llvm-ar (Debian: `apt-get install {packages}`; the one that \
                     macOS brings cannot), or name a WASI SDK in WASI_SDK_PATH{}",
                    c.or
                );
                (Level::Error, "no compiler that is here".to_owned(), instead)
            }
        };
        let chain = resolved.metadata.chain_to(&package.id);
        Finding {
            level,
            package: Some(format!("{} {}", package.name, package.version)),
            what: format!("has C code: for wasm32 it is compiled by {what}"),
            instead,
            chain: chain.iter().map(|p| format!("{} {}", p.name, p.version)).collect(),
        }
    };
    found.into_iter().map(finding).collect()
}

/// Returns a finding for each package that links a native library of which nothing is known. By convention the names of
/// such packages end in `-sys`.
fn native_libraries(guest: &[&Package], resolved: &Resolved) -> Vec<Finding> {
    let is_known = |name: &str| {
        known::table().any(|known| known.package == name)
            || known::C_CODE.iter().any(|c| c.package == name)
    };
    let unknown = |package: &&&Package| package.name.ends_with("-sys") && !is_known(&package.name);
    let finding = |package: &&Package| {
        let library = package.links.as_deref()?;
        let chain = resolved.metadata.chain_to(&package.id);
        Some(Finding {
            level: Level::Warning,
            package: Some(format!("{} {}", package.name, package.version)),
            what: format!(
                "links the native library `{library}`, and whether that can be built for WASI is not known"
            ),
            instead: "if the build fails, switch off the feature that pulls it in".to_owned(),
            chain: chain.iter().map(|p| format!("{} {}", p.name, p.version)).collect(),
        })
    };
    guest.iter().filter(unknown).filter_map(finding).collect()
}

/// Finds configuration that still uses the name `wasm32-wasi`.
fn old_target_name(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    let here = env::current_dir().unwrap_or_else(|_| project.root.clone());
    let names = [".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain"];
    let mut files: Vec<_> = [here.as_path(), project.root.as_path()]
        .into_iter()
        .flat_map(|folder| folder.ancestors())
        .flat_map(|folder| names.iter().map(|name| folder.join(name)))
        .collect();
    files.sort();
    files.dedup();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        if words.any(|word| word == "wasm32-wasi") {
            findings.push(Finding {
                level: Level::Warning,
                package: None,
                what: format!("{} names the target wasm32-wasi", file.display()),
                instead: "write wasm32-wasip1: Rust 1.78 renamed it, 1.84 removed the old name"
                    .to_owned(),
                chain: Vec::new(),
            });
        }
    }
    findings
}

fn engines(findings: &mut Vec<Finding>) -> Vec<EngineReport> {
    let look = |engine: Engine| {
        let found = engine::find(engine);
        if let (Err(why), Engine::Wasio) = (&found, engine) {
            let text = why.to_string();
            let (what, instead) = text.split_once('\n').unwrap_or((&text, ""));
            findings.push(Finding {
                level: Level::Error,
                package: None,
                what: what.to_owned(),
                instead: instead.to_owned(),
                chain: Vec::new(),
            });
        }
        let path = found.ok();
        EngineReport {
            name: engine.to_string(),
            version: path.as_deref().and_then(program::version),
            path: path.map(|path| path.display().to_string()),
        }
    };
    Engine::ALL.iter().copied().map(look).collect()
}

fn targets(findings: &mut Vec<Finding>, wasi: Target) -> Vec<TargetReport> {
    let report = |target: &Target| TargetReport {
        name: target.triple(),
        installed: toolchain::target_installed(target.triple()).unwrap_or(false),
    };
    let all: Vec<_> = Target::ALL.iter().map(report).collect();
    for target in all.iter().filter(|target| target.name == wasi.triple() && !target.installed) {
        findings.push(note(
            format!("the Rust target {} is not installed", target.name),
            "the first build installs it through rustup",
        ));
    }
    all
}
