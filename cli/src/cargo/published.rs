//! `cargo wasio try`: a published crate, downloaded and treated as a project.
//!
//! cargo downloads it: a small project that depends on the crate is resolved, and `cargo metadata` reports the folder
//! of its sources. They are copied, because the registry's copy is cargo's own. Files that belong to the authors' own
//! machines are left out: Cargo.lock, toolchain file, cargo configuration. The small project's lock remembers the
//! version, so that a second run needs no network.
//!
//! The output of a build there becomes code that runs natively (build scripts, procedural macros), so only the user may
//! be able to change it, and no guest: guests get a copy of the sources. A copy that differs from cargo's download is
//! replaced.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use anyhow::{Context, Result, bail};
use semver::{Version, VersionReq};

use wasio_host::folder::Folder;

use super::args::TryArgs;
use super::copies::{BUILT, PROJECTS, copy_tree};
use super::flags::CargoFlags;
use super::metadata::{Metadata, Package};
use super::run::Job;
use super::shell::Shell;
use super::sources::{self, Sources};
use super::toolchain::{Cargo, Failure, captured, toml_text};

/// How long the newest known version is taken to be the newest.
const NEWEST_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The files of a package that are not copied.
const LEFT_OUT: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml.orig",
    ".cargo",
    ".cargo-ok",
    ".cargo_vcs_info.json",
    ".git",
    "rust-toolchain",
    "rust-toolchain.toml",
    "target",
];

/// Appended to a manifest, because the cache may lie inside a workspace.
const WORKSPACE: &str = "\n[workspace]\n";

pub(crate) fn start(args: TryArgs, program: Vec<OsString>) -> Result<ExitCode> {
    let shell = Shell::new(args.quiet, None);
    let cargo = Cargo::find()?.with_flags(&args.general());
    let wanted = Wanted::parse(&args.krate)?;
    let found = wanted.download(&cargo, &shell, args.offline)?;
    let verb = if args.test {
        "test"
    } else if args.check {
        "check"
    } else {
        "run"
    };
    if !program.is_empty() && verb == "check" {
        bail!("--check runs no program: leave out the arguments after `--`");
    }
    if verb == "run" {
        found.check_binary(&args)?;
    }
    let manifest = found.copy()?;
    shell.status("Trying", format_args!("{} {}", found.name, found.version));
    let flags = CargoFlags::new(args.cargo_flags(&manifest));
    Job { verb, guest: args.guest, flags, args: program, wasm_opt: None }.start(cargo, shell)
}

impl TryArgs {
    /// The flags for every call of cargo.
    fn general(&self) -> Vec<OsString> {
        let config = self.config.iter().flat_map(|value| ["--config".into(), value.clone()]);
        config.chain(self.unstable.iter().flat_map(|flag| ["-Z".into(), flag.clone()])).collect()
    }

    fn cargo_flags(&self, manifest: &Path) -> Vec<OsString> {
        let mut flags: Vec<OsString> = vec!["--manifest-path".into(), manifest.into()];
        let named = [("--bin", &self.bin), ("--example", &self.example)];
        for (flag, value) in named {
            flags.extend(value.iter().flat_map(|value| [flag.into(), value.into()]));
        }
        for features in &self.features {
            flags.extend(["--features".into(), features.into()]);
        }
        let switches = [
            ("--no-default-features", self.no_default_features),
            ("--all-features", self.all_features),
            ("--release", self.release),
            ("--offline", self.offline),
            ("--quiet", self.quiet),
        ];
        flags.extend(switches.iter().filter(|(_, on)| *on).map(|(flag, _)| OsString::from(flag)));
        flags.extend(self.general());
        flags.extend((0..self.verbose).map(|_| OsString::from("-v")));
        flags
    }
}

/// `CRATE[@VERSION]`.
struct Wanted {
    name: String,
    /// The version as written by the user. `None` means the newest.
    version: Option<String>,
}

/// A downloaded crate.
struct Found {
    name: String,
    version: Version,
    /// cargo's copy of its sources.
    folder: PathBuf,
    binaries: Vec<String>,
}

impl Wanted {
    fn parse(text: &str) -> Result<Self> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (text, None),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            bail!("`{name}` is not a crate's name; write CRATE or CRATE@VERSION");
        }
        let wanted = Wanted { name: name.to_owned(), version };
        wanted.requirement()?;
        Ok(wanted)
    }

    /// Returns the requirement: a full version means exactly that one, a shorter one is a requirement itself.
    fn requirement(&self) -> Result<String> {
        let Some(version) = &self.version else { return Ok("*".to_owned()) };
        if Version::parse(version).is_ok() {
            return Ok(format!("={version}"));
        }
        if VersionReq::parse(version).is_err() {
            bail!("`{version}` is neither a version nor a requirement; write 1.2.3 or 1.2");
        }
        Ok(version.clone())
    }

    /// Lets cargo fetch the crate.
    fn download(&self, cargo: &Cargo, shell: &Shell, offline: bool) -> Result<Found> {
        let key: String = self
            .version
            .as_deref()
            .unwrap_or("newest")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || ".-+".contains(c) { c } else { '_' })
            .collect();
        let parent = sources::cache_folder()?.join(PROJECTS);
        let folder = parent.join(format!("{}@{key}", self.name));
        for folder in [&parent, &folder] {
            Folder::private(folder).with_context(|| format!("cannot use {}", folder.display()))?;
        }
        let lock = folder.join("Cargo.lock");
        let previous = folder.join("Cargo.lock.previous");
        let look_for_newer = self.version.is_none() && !offline && is_old(&lock);
        let kept = look_for_newer && fs::rename(&lock, &previous).is_ok();
        Folder::private(&folder.join("src"))?.replace("lib.rs".as_ref(), &[])?;
        let requirement = toml_text(&self.requirement()?);
        let manifest = format!(
            "[package]\nname = \"wasio-try\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
             [workspace]\n\n[dependencies.wanted]\npackage = {}\nversion = {requirement}\n\
             default-features = false\n",
            toml_text(&self.name)
        );
        Folder::private(&folder)?.replace("Cargo.toml".as_ref(), &[manifest.as_bytes()])?;

        let (unpacked, _) = Sources::unpacked()?;
        let mut config = Vec::new();
        for (drop_in, folder) in unpacked.drop_ins() {
            config.extend(drop_in.patch(&folder)?);
        }
        let ask =
            |config: &[String], offline: bool| -> Result<std::result::Result<Metadata, Failure>> {
                let mut command = cargo.at(&folder).plain();
                for value in config {
                    command.arg("--config").arg(value);
                }
                command.args(["metadata", "--format-version", "1"]);
                // Only the crate itself is wanted, and as few of its dependencies as possible.
                command.args(["--filter-platform", "wasm32-wasip1"]);
                if offline {
                    command.arg("--offline");
                }
                Ok(match captured(command, shell, false)? {
                    Ok(json) => Ok(serde_json::from_slice(&json)?),
                    Err(failure) => Err(failure),
                })
            };
        // A request for tokio itself means the published one.
        let patched = !sources::has_drop_in(&self.name);
        let config = if patched { config.as_slice() } else { &[] };
        let mut answer = ask(config, offline)?;
        if answer.is_err() && kept {
            fs::rename(&previous, &lock)?;
            if let Ok(metadata) = ask(config, true)? {
                shell.note("cannot look for a newer version: taking the one tried before");
                answer = Ok(metadata);
            }
        }
        let metadata = match answer {
            Ok(metadata) => metadata,
            Err(first) => match ask(&[], offline)? {
                Ok(metadata) => metadata,
                Err(_) => bail!("cannot get {}: {}", self.name, first.0.trim_end()),
            },
        };
        let chosen = metadata.named(&self.name).find(|package| package.is_published());
        Found::new(chosen.with_context(|| format!("cargo did not find {}", self.name))?)
    }
}

impl Found {
    fn new(package: &Package) -> Result<Self> {
        let folder = package.manifest_path.parent().context("a manifest without a folder")?;
        Ok(Found {
            name: package.name.clone(),
            version: package.version.clone(),
            folder: folder.to_owned(),
            binaries: package.binaries().into_iter().map(str::to_owned).collect(),
        })
    }

    /// Checks the binary here, because cargo's message would name files that are unknown to the user.
    fn check_binary(&self, args: &TryArgs) -> Result<()> {
        let list = self.binaries.join(", ");
        match &args.bin {
            _ if args.example.is_some() => Ok(()),
            None if self.binaries.is_empty() => bail!(
                "{} {} has no program to run: it is a library.\n\
                 See whether it compiles with --check, or run its tests with --test.",
                self.name,
                self.version
            ),
            Some(name) if !self.binaries.contains(name) => bail!(
                "{} {} has no binary `{name}`; it has: {}",
                self.name,
                self.version,
                if list.is_empty() { "none" } else { &list }
            ),
            _ => Ok(()),
        }
    }

    /// Copies the sources to the cache. Returns the path of the manifest there.
    fn copy(&self) -> Result<PathBuf> {
        let parent = sources::cache_folder()?.join(PROJECTS);
        let project = parent.join(format!("{}-{}", self.name, self.version));
        let manifest = project.join("Cargo.toml");
        if self.is_whole(&project) {
            return Ok(manifest);
        }
        let temporary = tempfile::Builder::new().prefix(".new.").tempdir_in(&parent)?;
        let fresh = temporary.path().join("fresh");
        copy_tree(&self.folder, &fresh, LEFT_OUT)
            .with_context(|| format!("cannot copy {}", self.folder.display()))?;
        let mut text = fs::read_to_string(fresh.join("Cargo.toml"))?;
        if !has_workspace(&text) {
            text.push_str(WORKSPACE);
            Folder::private(&fresh)?.replace("Cargo.toml".as_ref(), &[text.as_bytes()])?;
        }
        let _ = fs::rename(&project, temporary.path().join("old"));
        let renamed = fs::rename(&fresh, &project);
        if !manifest.is_file() {
            renamed.with_context(|| format!("cannot write {}", project.display()))?;
        }
        Ok(manifest)
    }

    /// Returns whether a project consists of the files that [`Found::copy`] makes, and of cargo's output.
    fn is_whole(&self, project: &Path) -> bool {
        let mut there = BTreeSet::new();
        let mut wanted = BTreeSet::new();
        if project.symlink_metadata().is_err() || list(&self.folder, "", &mut wanted).is_err() {
            return false;
        }
        let is_right = |name: &str, content: &[u8]| {
            let Ok(original) = fs::read(self.folder.join(name)) else { return false };
            let added = content.strip_prefix(original.as_slice());
            let is_manifest = name == "Cargo.toml";
            added.is_some_and(|added| {
                added.is_empty() || (is_manifest && added == WORKSPACE.as_bytes())
            })
        };
        let compared = sources::compare(project, "", &BUILT, &is_right, &mut there);
        compared.is_ok_and(|same| same) && there == wanted
    }
}

fn has_workspace(manifest: &str) -> bool {
    manifest.lines().any(|line| line.trim_start().starts_with("[workspace"))
}

/// Lists the files that are copied.
fn list(folder: &Path, name: &str, into: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let own = entry.file_name();
        if name.is_empty() && LEFT_OUT.iter().any(|left| own == **left) {
            continue;
        }
        let name = format!("{name}{}", own.to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), into)?;
        } else {
            into.insert(name);
        }
    }
    Ok(())
}

fn is_old(lock: &Path) -> bool {
    let age = fs::metadata(lock).and_then(|found| found.modified()).ok();
    let age = age.and_then(|written| SystemTime::now().duration_since(written).ok());
    age.is_none_or(|age| age > NEWEST_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_version_is_exact() {
        let requirement = |text| Wanted::parse(text).and_then(|wanted| wanted.requirement());
        assert_eq!(requirement("mini-redis@0.4.1").unwrap(), "=0.4.1");
        assert_eq!(requirement("mini-redis@0.4").unwrap(), "0.4");
        assert_eq!(requirement("mini-redis").unwrap(), "*");
        assert!(requirement("mini-redis@newest").is_err());
        assert!(requirement("a/b").is_err() && requirement("@1").is_err());
    }
}
