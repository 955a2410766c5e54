//! A user's project, resolved with the drop-ins in a lock of its own.
//!
//! The private lock is derived from the project's: entries that must change for the drop-ins are removed, cargo chooses
//! them anew, everything else keeps its version. If that is not enough, the dependencies of the drop-ins are removed
//! too, and at last everything. The user is told. Afterwards the tree is examined: it must have exactly one tokio 1.x,
//! which is wasio's.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use semver::Version;
use wasio_host::folder::Folder;

use super::config::Config;
use super::flags::CargoFlags;
use super::host_tokio;
use super::lock::{Entry, Lock, compatible};
use super::metadata::Metadata;
use super::patch::{self, State};
use super::shell::Shell;
use super::sources::{self, DropIn, Sources};
use super::toolchain::{self, Cargo, Failure, captured, toml_text, utf8};

/// A project that cargo was pointed at, not yet resolved.
pub(crate) struct Project {
    pub(crate) cargo: Cargo,
    pub(crate) shell: Shell,
    pub(crate) flags: CargoFlags,
    /// The user's configuration of cargo.
    pub(crate) config: Config,
    pub(crate) sources: Sources,
    /// The workspace's root folder.
    pub(crate) root: PathBuf,
    /// The target folder of WASI builds. It is separate from that of native builds, so that neither makes the other
    /// compile again.
    pub(crate) target_dir: PathBuf,
    /// The private lock.
    pub(crate) lock: PathBuf,
    /// The package that is patched in for tokio if host code needs the published one.
    host_tokio: RefCell<Option<PathBuf>>,
}

/// A resolved project.
pub(crate) struct Resolved {
    pub(crate) metadata: Metadata,
    pub(crate) state: State,
    /// Values for `--config` that patch the drop-ins in.
    pub(crate) config: Vec<String>,
}

const WASIOS_ON_HOST: &str = "build scripts and procedural macros get wasio's tokio, since the published one could not be put beside it";

/// How much of the project's lock is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Keep {
    /// Everything that does not concern the drop-ins.
    Rest,
    /// Everything except the packages that the drop-ins need.
    Unrelated,
    /// Nothing.
    Nothing,
}

impl Project {
    /// Asks cargo for the project that is named by `flags`, or is in the current folder.
    pub(crate) fn open(cargo: Cargo, flags: CargoFlags, shell: Shell) -> Result<Self> {
        if let Some(flag) = flags.refused {
            bail!("{flag} cannot be used here: `cargo wasio` chooses it itself (see --wasi)");
        }
        let cargo = cargo.with_flags(&flags.general);
        let mut command = cargo.plain();
        command.arg("metadata").arg("--no-deps");
        command.args(flags.manifest_path());
        let metadata = toolchain::metadata(command, &shell, false)?;
        let config = Config::read(&cargo, &flags.general);
        if let Some(origin) = &config.lockfile_path {
            bail!(
                "{origin} names a resolver.lockfile-path: `cargo wasio` keeps a lock of its own, leave it out"
            );
        }
        let (sources, repaired) = Sources::unpacked()?;
        if repaired {
            shell.status("Repaired", format_args!("the drop-ins in {}", sources.root().display()));
        }
        let target = match &flags.target_dir {
            Some(named) => std::path::absolute(named)?,
            None => metadata.target_directory.join("wasio"),
        };
        // One target folder may serve several workspaces.
        let lock = target.join("locks").join(name_of(&metadata.workspace_root)).join("Cargo.lock");
        let root = metadata.workspace_root;
        Ok(Project {
            cargo,
            shell,
            flags,
            config,
            sources,
            root,
            target_dir: target,
            lock,
            host_tokio: RefCell::default(),
        })
    }

    /// Resolves the project with the drop-ins patched in.
    pub(crate) fn resolve(&self, target: &str) -> Result<Resolved> {
        let own_lock = self.root.join("Cargo.lock");
        let before = read(&own_lock)?;
        if self.flags.locked {
            self.check_own_lock(before.is_some())?;
        }
        let resolved = self.resolve_with(before.as_deref(), target);
        if read(&own_lock)? != before {
            self.restore(&own_lock, before.as_deref())?;
            bail!(
                "cargo {} wrote to {} although it was told to keep its lock elsewhere; \
                 it was put back.\nPlease report this, and try a newer toolchain.",
                self.cargo.version(),
                own_lock.display()
            );
        }
        resolved
    }

    fn resolve_with(&self, own: Option<&str>, target: &str) -> Result<Resolved> {
        let stamp_path = self.lock.with_file_name("derived-from");
        let patches = self.patches(|_| true)?.join("\n");
        let stamp = format!("{}\n{patches}\n{}", self.sources.hash(), own.unwrap_or("no lock"));
        let current = self.lock.exists() && read(&stamp_path)?.as_deref() == Some(&stamp);
        if current {
            let text = read(&self.lock)?.unwrap_or_default();
            let is_listed = |entry: &Entry<'_>| {
                entry.name == "tokio" && entry.version.to_string() == host_tokio::VERSION
            };
            if Lock::parse(&text).entries.iter().any(is_listed) {
                self.set_host_tokio(own);
            }
        }
        let mut first_complaint = None;
        let mut outcome = None;
        for keep in [None, Some(Keep::Rest), Some(Keep::Unrelated), Some(Keep::Nothing)] {
            match keep {
                None if !current => continue,
                None => {}
                Some(Keep::Nothing) if own.is_none() && outcome.is_some() => break,
                Some(keep) => {
                    let text = self.derive(own, keep)?;
                    self.restore(&self.lock, text.as_deref())?;
                }
            }
            match self.attempt(target)? {
                Ok(resolved) => {
                    let retry = resolved.state.could_be_the_lock();
                    let gave_up_all = keep == Some(Keep::Nothing) && !retry && own.is_some();
                    outcome = Some(resolved);
                    if retry {
                        continue;
                    }
                    if gave_up_all {
                        self.shell.note(
                            "no versions of this project's Cargo.lock could be kept for the WASI \
                             build: with them, cargo does not accept wasio's tokio",
                        );
                    }
                    break;
                }
                Err(Failure(why)) => {
                    let about_versions = why.contains("failed to select a version")
                        || why.contains("no matching package");
                    first_complaint.get_or_insert(why);
                    if !about_versions {
                        break;
                    }
                }
            }
        }
        let Some(mut resolved) = outcome else {
            let why = first_complaint.unwrap_or_default();
            bail!("{}", why.trim_start_matches("error: ").trim_end());
        };
        // If another member needed the package, it stays in the lock.
        if matches!(resolved.state, State::InUse(_))
            && self.host_tokio.borrow().is_none()
            && self.needs_host_tokio(&resolved)?
        {
            self.set_host_tokio(own);
            match self.attempt(target)? {
                Ok(other) => resolved = other,
                Err(Failure(why)) => {
                    let why = why.trim_start_matches("error: ").trim_end();
                    self.shell.note(format_args!("{WASIOS_ON_HOST}: {why}"));
                    self.host_tokio.take();
                }
            }
        }
        self.restore(&stamp_path, Some(&stamp))?;
        self.drop_unused(resolved, target)
    }

    /// Runs `cargo metadata` with every drop-in patched in.
    fn attempt(&self, target: &str) -> Result<Result<Resolved, Failure>> {
        let config = self.patches(|_| true)?;
        Ok(match self.ask(&config, target)? {
            Err(failure) => Err(failure),
            Ok(mut metadata) => {
                metadata.select(&self.flags.packages, self.flags.workspace);
                let lock = read(&self.lock)?.unwrap_or_default();
                let state = patch::examine(&metadata, &Lock::parse(&lock), &self.sources);
                Ok(Resolved { metadata, state, config })
            }
        })
    }

    fn needs_host_tokio(&self, resolved: &Resolved) -> Result<bool> {
        let text = read(&self.lock)?.unwrap_or_default();
        host_tokio::is_needed(&resolved.metadata, &Lock::parse(&text), || {
            let answer = self.ask(&resolved.config, &toolchain::host()?)?;
            answer.map_err(|Failure(why)| anyhow!("{}", why.trim_start_matches("error: ")))
        })
    }

    /// Keeps only the patches that the tree needs, because cargo warns of an unused patch.
    fn drop_unused(&self, mut resolved: Resolved, target: &str) -> Result<Resolved> {
        let text = read(&self.lock)?.unwrap_or_default();
        let lock = Lock::parse(&text);
        let used = |own: &DropIn| {
            lock.entries.iter().any(|entry| {
                entry.name == own.name
                    && !entry.has_source
                    && entry.version.to_string() == own.version
            })
        };
        let config = self.patches(used)?;
        if config.len() < resolved.config.len() && self.flags.locked {
            // The lock still lists the unused patches, and cargo may not change it later. The answer would be the same.
            if let Err(Failure(why)) = self.ask(&config, target)? {
                bail!("{}", why.trim_start_matches("error: ").trim_end());
            }
        }
        resolved.config = config;
        Ok(resolved)
    }

    fn patches(&self, wanted: impl Fn(&DropIn) -> bool) -> Result<Vec<String>> {
        let mut config = Vec::new();
        // A user's patch is kept: cargo would merge it with wasio's into a dependency with two sources.
        let kept = |own: &DropIn| self.config.patch(own.name).is_some();
        for (drop_in, folder) in self.drop_ins().filter(|(own, _)| wanted(own) && !kept(own)) {
            config.extend(drop_in.patch(&folder)?);
        }
        Ok(config)
    }

    /// Returns the drop-ins, each with the folder that is patched in for it.
    pub(crate) fn drop_ins(&self) -> impl Iterator<Item = (DropIn, PathBuf)> + '_ {
        self.sources.drop_ins().map(|(drop_in, folder)| match &*self.host_tokio.borrow() {
            Some(in_front) if drop_in.name == "tokio" => (drop_in, in_front.clone()),
            _ => (drop_in, folder),
        })
    }

    /// Gives host code the published tokio from now on, if it is available. `own` is the project's lock.
    fn set_host_tokio(&self, own: Option<&str>) {
        let lock = Lock::parse(own.unwrap_or_default());
        let is_tokio = |e: &&Entry<'_>| e.name == "tokio" && e.has_source && e.version.major == 1;
        let locked = lock.entries.iter().find(is_tokio).map(|entry| &entry.version);
        let (cargo, offline) = (&self.cargo, self.flags.offline);
        match host_tokio::package(cargo, &self.sources, locked, offline, &self.shell) {
            Ok(folder) => *self.host_tokio.borrow_mut() = Some(folder),
            Err(why) => self.shell.note(format_args!("{WASIOS_ON_HOST}: {why:#}")),
        }
    }

    fn ask(&self, config: &[String], target: &str) -> Result<Result<Metadata, Failure>> {
        let mut command = self.cargo.with_lock(&self.lock, config, "metadata")?;
        command.args(["--format-version", "1", "--filter-platform", target]);
        command.args(&self.flags.selection);
        if self.flags.offline {
            command.arg("--offline");
        }
        Ok(match captured(command, &self.shell, self.flags.verbose)? {
            Ok(json) => Ok(serde_json::from_slice(&json).context("cargo metadata's answer")?),
            Err(failure) => Err(failure),
        })
    }

    /// Returns the initial text of a private lock.
    fn derive(&self, own: Option<&str>, keep: Keep) -> Result<Option<String>> {
        let previous = read(&self.lock)?.unwrap_or_default();
        let previous = Lock::parse(&previous);
        if keep == Keep::Nothing {
            return Ok(None);
        }
        let own = Lock::parse(own.unwrap_or_default());
        let needed = match keep {
            Keep::Unrelated => self.closure()?,
            _ => direct_needs(&own),
        };
        let in_the_way = |name: &str, version: &Version| {
            sources::drop_in(name, version).is_some()
                || needed.iter().any(|need| need.is_missed_by(name, version))
        };
        Ok(Some(own.without(|e| e.has_source && in_the_way(e.name, &e.version), &previous)))
    }

    /// Returns every published package below the drop-ins, in the version that cargo would choose for them alone.
    fn closure(&self) -> Result<Vec<Need>> {
        let folder = tempfile::tempdir()?;
        let folder = folder.path();
        fs::create_dir(folder.join("src"))?;
        let mut manifest = "[package]\nname = \"probe\"\nedition = \"2021\"\n\n[workspace]\n\n\
                            [dependencies]\n"
            .to_owned();
        for (index, (drop_in, path)) in self.sources.drop_ins().enumerate() {
            let (name, path) = (drop_in.name, toml_text(utf8(&path)?));
            manifest += &format!("own{index} = {{ package = {name:?}, path = {path} }}\n");
        }
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/lib.rs"), "")?;
        let mut command = self.cargo.plain();
        command.arg("generate-lockfile").arg("--manifest-path").arg(folder.join("Cargo.toml"));
        if self.flags.offline {
            command.arg("--offline");
        }
        let made = captured(command, &self.shell, self.flags.verbose)?;
        let text = read(&folder.join("Cargo.lock"))?.unwrap_or_default();
        if let Err(Failure(why)) = made {
            bail!("{}", why.trim_start_matches("error: ").trim_end());
        }
        let lock = Lock::parse(&text);
        let published = lock.entries.iter().filter(|entry| entry.has_source);
        Ok(published
            .map(|entry| Need::Newest {
                name: entry.name.to_owned(),
                version: entry.version.clone(),
            })
            .collect())
    }

    /// Replaces the content of `path` with `text` atomically. `None` removes the file. Guests may have been given the
    /// folder, so links in it are not followed.
    fn restore(&self, path: &Path, text: Option<&str>) -> Result<()> {
        let write = || match text {
            Some(text) => {
                let granted = [self.root.clone(), self.target_dir.clone()];
                let folder = path.parent().unwrap_or(path);
                let existing = folder.ancestors().find(|above| above.symlink_metadata().is_ok());
                Folder::outside(existing.unwrap_or(folder), &granted)?;
                fs::create_dir_all(folder)?;
                let folder = Folder::outside(folder, &granted)?;
                folder.replace(path.file_name().unwrap_or_default(), &[text.as_bytes()])
            }
            None => match fs::remove_file(path) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
                done => done,
            },
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Checks that the project's own lock is complete, to which `--locked` refers.
    fn check_own_lock(&self, exists: bool) -> Result<()> {
        if !exists {
            bail!("--locked was given, but there is no {}", self.root.join("Cargo.lock").display());
        }
        let mut command = self.cargo.plain();
        command.args(["update", "--workspace", "--locked"]);
        command.args(self.flags.manifest_path());
        if self.flags.offline {
            command.arg("--offline");
        }
        match captured(command, &self.shell, false)? {
            Ok(_) => Ok(()),
            Err(Failure(why)) => bail!("{}", why.trim_start_matches("error: ").trim_end()),
        }
    }
}

/// Returns the requirements of the drop-ins that apply to `own`, the project's lock.
fn direct_needs(own: &Lock<'_>) -> Vec<Need> {
    let stands_for = |drop_in: &DropIn| {
        own.entries.iter().any(|e| e.name == drop_in.name && drop_in.replaces(&e.version))
    };
    sources::requirements(stands_for).map(|(name, req)| Need::AtLeast { name, req }).collect()
}

/// A package below the drop-ins.
enum Need {
    AtLeast { name: &'static str, req: semver::VersionReq },
    Newest { name: String, version: Version },
}

impl Need {
    /// Returns whether a locked version prevents the drop-ins from getting theirs.
    fn is_missed_by(&self, locked: &str, version: &Version) -> bool {
        match self {
            Need::AtLeast { name, req } => {
                // Another major version is no obstacle: both can be in a tree.
                let major = req.comparators.first().is_some_and(|first| {
                    let least = Version::new(
                        first.major,
                        first.minor.unwrap_or(0),
                        first.patch.unwrap_or(0),
                    );
                    compatible(&least, version)
                });
                *name == locked && major && !req.matches(version)
            }
            Need::Newest { name, version: newest } => {
                name == locked && compatible(newest, version) && version < newest
            }
        }
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Returns a folder name for a path: its last part, and a hash of the whole.
fn name_of(path: &Path) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    let last = path.file_name().unwrap_or_default().to_string_lossy();
    let plain: String = last.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    format!("{plain}-{:016x}", hasher.finish())
}
