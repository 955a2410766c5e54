//! The program that cargo calls to run a guest: `cargo-wasio wasio __runner FILE ARGS`.
//!
//! cargo gives a runner the program, its arguments, a folder and an environment. The runner translates them to options
//! of a WebAssembly engine, so that the guest finds what a native program would find there: the network, the
//! environment, and the files
//!
//! - of the current folder, under its relative and its absolute name,
//! - of the package, under the absolute name that `env!("CARGO_MANIFEST_DIR")` compiled into tests gives,
//! - of the folders of arguments that lead elsewhere (`/etc/hosts`, `../data`).
//!
//! A folder is left out, and the user told, if its files become code or if it is above such a folder. The sources of a
//! published crate (`cargo wasio try`) are in such a folder: the guest gets a copy under their name.
//!
//! In a sandbox, the guest finds only what was granted by name.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use wasio_host::code_folders::{CodeFolders, Key, TAG_LEN};
use wasio_host::folder::Folder;

use super::args::GuestArgs;
use super::exec::become_command;
use super::harness::{self, Options};
use super::rustc;
use super::shell::Shell;
use super::toolchain;
use super::{copies, exit_codes, sources};
use crate::dirs;
use crate::targets::Engine;

/// The variable that carries the [`Plan`] through cargo.
const PLAN: &str = "WASIO_RUNNER_PLAN";
/// The maximum size of the code compiled by WasmEdge that is kept, in bytes.
const COMPILED_SIZE: u64 = 1 << 30;

/// How guests are to be run.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Plan {
    wasmedge: bool,
    program: PathBuf,
    sandbox: bool,
    net: Vec<String>,
    dirs: Vec<OsString>,
    env: Vec<OsString>,
    /// Whether test harnesses get a guest for each test.
    tests: bool,
    quiet: bool,
    /// Whether the guest may read the certificates that the environment names.
    certificates: bool,
    /// The user's own values of the variables that this command sets for cargo.
    restore: BTreeMap<String, Option<OsString>>,
}

type Environment = BTreeMap<OsString, OsString>;

impl Plan {
    /// Creates a plan. If `certificates`, the guest may read the certificates that the environment names.
    pub(crate) fn new(
        guest: &GuestArgs,
        program: PathBuf,
        tests: bool,
        quiet: bool,
        certificates: bool,
    ) -> Self {
        Plan {
            certificates,
            wasmedge: guest.engine == Engine::Wasmedge,
            program,
            sandbox: guest.sandbox,
            net: guest.net.clone(),
            dirs: guest.dir.clone(),
            env: guest.env.clone(),
            tests,
            quiet,
            restore: BTreeMap::new(),
        }
    }

    /// Makes cargo, about to be started by `command`, run guests of `target` through this program.
    ///
    /// A variable is used, not `--config`: the user's configuration may name a runner as text or as a list, and cargo
    /// refuses to merge the two. cargo splits the variable at spaces, so a program whose path contains one is found
    /// through the PATH.
    pub(crate) fn install(mut self, command: &mut Command, target: &str) -> Result<()> {
        let own = env::current_exe().context("the path of this program")?;
        let text = toolchain::utf8(&own)?.to_owned();
        let (wrapper, own_wrapper) = rustc::own_wrapper();
        self.restore.insert(wrapper.to_owned(), own_wrapper);
        let mut save = |name: &str| {
            self.restore.insert(name.to_owned(), env::var_os(name));
        };
        save("RUSTC_BOOTSTRAP");
        let runner = if text.contains(char::is_whitespace) {
            save("PATH");
            let path = env::var_os("PATH").unwrap_or_default();
            let folder = own.parent().map(Path::to_owned);
            let folders = folder.into_iter().chain(env::split_paths(&path));
            command.env("PATH", env::join_paths(folders)?);
            toolchain::utf8(Path::new(own.file_name().unwrap_or_default()))?.to_owned()
        } else {
            text
        };
        let variable =
            format!("CARGO_TARGET_{}_RUNNER", target.to_uppercase().replace(['-', '.'], "_"));
        command.env(variable, format!("{runner} wasio __runner"));
        command.env(PLAN, serde_json::to_string(&self)?);
        Ok(())
    }
}

/// Runs the guest. Returns only after tests, if the guest could not be started, or on systems where a process cannot
/// become another one.
pub(crate) fn run(guest: &[OsString]) -> Result<ExitCode> {
    let plan = env::var(PLAN).context("this is for cargo to call: use `cargo wasio run`")?;
    let plan: Plan = serde_json::from_str(&plan).context(PLAN)?;
    let (file, args) = guest.split_first().context("no guest was named")?;
    // The guest's first argument is its name, which must not look like an option of the engine.
    let file = std::path::absolute(file)?;
    if plan.tests
        && let Some(kind) = harness::of(&file)?
        && let Some(options) = Options::parse(args)?
    {
        return harness::run(&options, kind, &|args, test| plan.command(&file, args, test), args);
    }
    become_command(plan.command(&file, args, None)?)
}

impl Plan {
    /// Returns the command that calls the engine. `test` is the only test that a harness is to run.
    fn command(&self, file: &Path, args: &[OsString], test: Option<&str>) -> Result<Command> {
        let environment = self.environment(test)?;
        match self.wasmedge {
            true => self.wasmedge_command(file, args, environment),
            false => self.wasio_command(file, args, environment),
        }
    }

    fn wasio_command(
        &self,
        file: &Path,
        args: &[OsString],
        environment: Environment,
    ) -> Result<Command> {
        let mut command = Command::new(&self.program);
        command.arg("run");
        if !self.sandbox && self.net.is_empty() {
            command.args(["--net", "all"]);
        }
        for grant in &self.net {
            command.arg("--net").arg(grant);
        }
        for (host, guest) in self.folders(args)? {
            let mut grant = host.into_os_string();
            grant.push("::");
            grant.push(guest);
            command.arg("--dir").arg(grant);
        }
        for grant in &self.dirs {
            command.arg("--dir").arg(grant);
        }
        self.reset(&mut command);
        // Passed by name if possible, because other users can read a command line.
        for (name, value) in environment {
            let mut grant = name.clone();
            if self.env_of_engine(&name).as_ref() != Some(&value) {
                grant.push("=");
                grant.push(value);
            }
            command.arg("--env").arg(grant);
        }
        command.arg("--").arg(file).args(args);
        Ok(command)
    }

    fn wasmedge_command(
        &self,
        file: &Path,
        args: &[OsString],
        environment: Environment,
    ) -> Result<Command> {
        let mut command = Command::new(&self.program);
        // Starting a dev build takes less time than compiling it.
        let is_dev = file.components().any(|part| part.as_os_str() == "debug");
        let compiled =
            if is_dev { None } else { compiled_for_wasmedge(&self.program, file, self.quiet)? };
        if compiled.is_some() && offers_run_mode(&self.program) {
            command.arg("--run-mode=aot");
        }
        if !self.sandbox {
            command.arg("--allow-af-unix");
        }
        for (host, guest) in self.folders(args)? {
            if has_colon(&host, &guest) {
                let why = "WasmEdge separates names at colons";
                self.shell().note(format_args!("the guest does not get {}: {why}", host.display()));
                continue;
            }
            let mut grant = OsString::from(guest);
            grant.push(":");
            grant.push(host);
            command.arg("--dir").arg(grant);
        }
        let code_folders = CodeFolders::new(None);
        for grant in &self.dirs {
            let (host, guest) = dirs::parse(grant).context("--dir")?;
            if let Some(own) = code_folders.overlapping(&host) {
                bail!(
                    "cannot give the guest the folder {}: it overlaps {}, whose files wasio runs or builds. Grant \
                     another folder, or set WASIO_CACHE so that wasio keeps them elsewhere",
                    host.display(),
                    own.display()
                );
            }
            if has_colon(&host, &guest) {
                bail!(
                    "WasmEdge cannot be given the folder {grant:?}: it separates names at colons"
                );
            }
            let mut grant = OsString::from(guest);
            grant.push(":");
            grant.push(host);
            command.arg("--dir").arg(grant);
        }
        self.reset(&mut command);
        for (mut pair, value) in environment {
            pair.push("=");
            pair.push(value);
            command.arg("--env").arg(pair);
        }
        command.arg(compiled.as_deref().unwrap_or(file)).args(args);
        Ok(command)
    }

    /// Returns the folders for the guest, each with its name there.
    fn folders(&self, args: &[OsString]) -> Result<Vec<(PathBuf, String)>> {
        if self.sandbox {
            return Ok(Vec::new());
        }
        let here = env::current_dir()?;
        let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let elsewhere = args.iter().filter_map(|arg| named_elsewhere(arg));
        let certificates = CERTIFICATES.iter().filter(|_| self.certificates);
        let certificates = certificates
            .filter_map(env::var_os)
            .flat_map(|list| env::split_paths(&list).collect::<Vec<_>>())
            .filter_map(|path| named_elsewhere(path.as_os_str()));
        let all = [here.clone()].into_iter().chain(package).chain(elsewhere).chain(certificates);
        let named = all.filter(|host| host != Path::new("/") && host.is_dir());
        let mut folders: Vec<(PathBuf, String)> = Vec::new();
        let mut left_out: Vec<PathBuf> = Vec::new();
        let code_folders = CodeFolders::new(None);
        let mut leave_out = |host: &Path, why: std::fmt::Arguments<'_>| {
            if !left_out.iter().any(|left| left == host) {
                left_out.push(host.to_owned());
                let host = host.display();
                self.shell().note(format_args!("the guest does not get the folder {host}: {why}"));
            }
        };
        let as_itself = [(here, Some(".".to_owned()))].into_iter();
        for (name, guest) in as_itself.chain(named.map(|host| (host, None))) {
            let host = copies::for_guest(&name)?.unwrap_or_else(|| name.clone());
            if let Some(own) = code_folders.overlapping(&host) {
                let own = own.display();
                leave_out(
                    &host,
                    format_args!("it overlaps {own}, whose files wasio runs or builds"),
                );
                continue;
            }
            let Some(guest) = guest.or_else(|| Some(name.to_str()?.to_owned())) else {
                leave_out(&host, format_args!("the name is not UTF-8"));
                continue;
            };
            if guest.contains("::") {
                leave_out(&host, format_args!("a name with `::` cannot be granted"));
                continue;
            }
            if !folders.iter().any(|(_, known)| *known == guest) {
                folders.push((host, guest));
            }
        }
        Ok(folders)
    }

    /// Returns the guest's environment.
    fn environment(&self, test: Option<&str>) -> Result<Environment> {
        let mut all = Environment::new();
        if !self.sandbox {
            let (text, other): (Vec<_>, Vec<_>) = env::vars_os()
                .filter(|(name, _)| !is_own_variable(name))
                .partition(|(name, value)| name.to_str().is_some() && value.to_str().is_some());
            all.extend(text);
            for (name, _) in other {
                let why = "it is not UTF-8";
                self.shell()
                    .note(format_args!("the guest does not get the variable {name:?}: {why}"));
            }
            for (name, value) in &self.restore {
                match value {
                    Some(value) => drop(all.insert(name.into(), value.into())),
                    None => drop(all.remove(OsStr::new(name))),
                }
            }
        }
        for grant in &self.env {
            let text = grant.to_str();
            let text = text.with_context(|| format!("the variable {grant:?} is not UTF-8"))?;
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value.into())),
                None => (text, env::var_os(text)),
            };
            all.extend(value.map(|value| (name.into(), value)));
        }
        all.extend(test.map(|test| (harness::INVOKE.into(), test.into())));
        Ok(all)
    }

    /// Returns a variable as [`Plan::reset`] leaves it for the engine.
    fn env_of_engine(&self, name: &OsStr) -> Option<OsString> {
        match name.to_str().and_then(|name| self.restore.get(name)) {
            Some(value) => value.clone(),
            None => env::var_os(name),
        }
    }

    fn shell(&self) -> Shell {
        Shell::new(self.quiet, None)
    }

    /// Restores the user's values for the engine itself.
    fn reset(&self, command: &mut Command) {
        command.env_remove(PLAN);
        for (name, value) in &self.restore {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }
}

/// Variables that name the trusted certificates. cargo sets them for the programs it runs, if it finds the system's.
const CERTIFICATES: &[&str] = &["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Returns whether a variable is this command's own or, on Windows, a shell's current folder on a drive.
fn is_own_variable(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name == PLAN
        || name.starts_with('=')
        || name == rustc::WRAPPED
        || name == exit_codes::SOURCE
        || (name.starts_with("CARGO_TARGET_WASM32_") && name.ends_with("_RUNNER"))
}

/// Returns the folder that an argument leads to, under the name that the guest will use, if it is not below the current
/// folder.
fn named_elsewhere(arg: &OsStr) -> Option<PathBuf> {
    let text = arg.to_str()?;
    // `--file=/path` and `/path`
    let text = match text.split_once('=') {
        Some((flag, value)) if flag.starts_with('-') => value,
        _ => text,
    };
    let path = Path::new(text);
    let elsewhere = path.is_absolute() || path.components().next() == Some(Component::ParentDir);
    if !elsewhere {
        return None;
    }
    if path.is_dir() {
        return Some(path.to_owned());
    }
    path.parent().filter(|parent| parent.is_dir()).map(Path::to_owned)
}

/// Returns whether one of the names contains the character that ends a name for WasmEdge.
fn has_colon(host: &Path, guest: &str) -> bool {
    guest.contains(':') || host.as_os_str().as_encoded_bytes().contains(&b':')
}

/// Compiles the guest. WasmEdge interprets a guest that was not compiled before, some sixty times slower. Compiling
/// takes longer than the build did. Returns `None` if this WasmEdge has no compiler.
fn compiled_for_wasmedge(program: &Path, file: &Path, quiet: bool) -> Result<Option<PathBuf>> {
    let shell = Shell::new(quiet, None);
    let path = sources::cache_folder()?.join("wasmedge");
    let folder =
        Folder::private(&path).with_context(|| format!("cannot use {}", path.display()))?;
    let key = Key::open(&folder).context("the key of what wasio keeps")?;
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let print = fingerprint(program, &bytes);
    let [name, tag_name] = ["wasm", "tag"].map(|kind| format!("{print:016x}.{kind}"));
    let compiled = path.join(&name);
    let tag = folder.read(&tag_name, TAG_LEN as u64).unwrap_or_default();
    if folder.read_used(&name, COMPILED_SIZE).is_ok_and(|content| key.verify(&name, &content, &tag))
    {
        return Ok(Some(compiled));
    }
    shell.status("Compiling", format_args!("{} for WasmEdge (once per build)", file.display()));
    let temporary = tempfile::tempdir_in(&path)?;
    let fresh = temporary.path().join(&name);
    let output = Command::new(program)
        .arg("compile")
        .arg(file)
        .arg(&fresh)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    if output.status.success() && fresh.is_file() {
        let content = fs::read(&fresh)?;
        folder.replace(name.as_ref(), &[&content])?;
        folder.replace(tag_name.as_ref(), &[&key.authenticate(&name, &content)])?;
        evict(&folder, print)?;
        return Ok(Some(compiled));
    }
    shell.note("this WasmEdge has no compiler: the guest is interpreted, which is slow");
    Ok(None)
}

/// Removes the files that have not been used for the longest time, until the rest fits.
fn evict(folder: &Folder, kept: u64) -> Result<()> {
    let kept = format!("{kept:016x}.");
    let mut entries = folder.entries()?;
    entries.sort_unstable_by_key(|entry| entry.used);
    let mut left: u64 = entries.iter().map(|entry| entry.len).sum();
    for entry in entries.iter().filter(|entry| !entry.name.starts_with(&kept)) {
        if left > COMPILED_SIZE && folder.remove(&entry.name).is_ok() {
            left -= entry.len;
        }
    }
    Ok(())
}

fn fingerprint(program: &Path, bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (program, program.metadata().and_then(|found| found.modified()).ok(), bytes).hash(&mut hasher);
    hasher.finish()
}

/// Returns whether WasmEdge has the option. Older releases run compiled code without it.
fn offers_run_mode(program: &Path) -> bool {
    let help = Command::new(program).arg("--help").stdin(Stdio::null()).output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("run-mode"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_lead_elsewhere_are_noticed() {
        let folder = |arg: &str| named_elsewhere(OsStr::new(arg));
        assert_eq!(folder("/"), Some("/".into()));
        assert_eq!(folder("/etc/no-such-file"), Some("/etc".into()));
        assert_eq!(folder("--file=/etc/hosts"), Some("/etc".into()));
        assert_eq!(folder(".."), Some("..".into()));
        assert_eq!(folder("../no-such-file"), Some("..".into()));
        assert_eq!(folder("Cargo.toml"), None);
        assert_eq!(folder("/no-such-folder/x"), None);
        assert_eq!(folder("redis://host/0"), None);
    }
}
