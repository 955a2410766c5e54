//! What cargo calls to run a guest: `cargo-wasio wasio __runner FILE ARGS`.
//!
//! cargo gives a runner the program, its arguments, a folder and an environment.
//! This turns them into what a WebAssembly engine has to be told so that the
//! guest finds what a native program would find there: the network, the
//! environment, and the files
//!
//! - of the current folder, under its relative and its absolute name,
//! - of the package, under the absolute name that `env!("CARGO_MANIFEST_DIR")`
//!   compiled into tests gives,
//! - of the folders of arguments that lead elsewhere (`/etc/hosts`, `../data`).
//!
//! In a sandbox, it finds only what was granted by name.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::args::{Engine, GuestArgs};
use super::shell::Shell;
use super::sources;

/// The variable that carries the [`Plan`] through cargo.
const PLAN: &str = "WASIO_RUNNER_PLAN";

/// How guests are to be run.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Plan {
    wasmedge: bool,
    program: PathBuf,
    sandbox: bool,
    net: Vec<String>,
    dirs: Vec<String>,
    env: Vec<String>,
    quiet: bool,
    /// The guest is shown the certificates that the environment names.
    certificates: bool,
    /// The user's own values of variables that this command sets for cargo.
    restore: BTreeMap<String, Option<String>>,
}

impl Plan {
    /// A guest that reads them is shown the certificates that the environment names, if `certificates`.
    pub(crate) fn new(
        guest: &GuestArgs,
        program: PathBuf,
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
            quiet,
            restore: BTreeMap::new(),
        }
    }

    /// Makes cargo, about to be started by `command`, run guests of `target`
    /// through this program.
    ///
    /// A variable is used, not `--config`: the user's configuration may name a
    /// runner as text or as a list, and cargo refuses to merge the two. cargo
    /// splits the variable at spaces, so a program whose path has one is found
    /// through the PATH.
    pub(crate) fn install(mut self, command: &mut Command, target: &str) -> Result<()> {
        let own = env::current_exe().context("the path of this program")?;
        let text = own.to_string_lossy().into_owned();
        let mut save = |name: &str| {
            self.restore.insert(name.to_owned(), env::var(name).ok());
        };
        save("RUSTC_BOOTSTRAP");
        let runner = if text.contains(char::is_whitespace) {
            save("PATH");
            let path = env::var_os("PATH").unwrap_or_default();
            let folder = own.parent().map(Path::to_owned);
            let folders = folder.into_iter().chain(env::split_paths(&path));
            command.env("PATH", env::join_paths(folders)?);
            own.file_name().unwrap_or_default().to_string_lossy().into_owned()
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

/// Runs the guest; returns only if it could not be started, or on systems where
/// a process cannot become another one.
pub(crate) fn run(guest: &[OsString]) -> Result<ExitCode> {
    let plan = env::var(PLAN).context("this is for cargo to call: use `cargo wasio run`")?;
    let plan: Plan = serde_json::from_str(&plan).context(PLAN)?;
    let (file, args) = guest.split_first().context("no guest was named")?;
    // The guest's first argument is its name; an engine's option it must not be.
    let file = std::path::absolute(file)?;
    let command = if plan.wasmedge {
        plan.wasmedge_command(&file, args)?
    } else {
        plan.wasio_command(&file, args)?
    };
    become_command(command)
}

impl Plan {
    fn wasio_command(&self, file: &Path, args: &[OsString]) -> Result<Command> {
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
        // By name where possible: other users can read a command line.
        for (name, value) in self.environment() {
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

    fn wasmedge_command(&self, file: &Path, args: &[OsString]) -> Result<Command> {
        let mut command = Command::new(&self.program);
        // A dev build is started sooner than it is compiled.
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
            let mut grant = OsString::from(guest);
            grant.push(":");
            grant.push(host);
            command.arg("--dir").arg(grant);
        }
        for grant in &self.dirs {
            let (host, guest) = grant.split_once("::").unwrap_or((grant, grant));
            command.arg("--dir").arg(format!("{guest}:{host}"));
        }
        self.reset(&mut command);
        for (mut pair, value) in self.environment() {
            pair.push("=");
            pair.push(value);
            command.arg("--env").arg(pair);
        }
        command.arg(compiled.as_deref().unwrap_or(file)).args(args);
        Ok(command)
    }

    /// The folders to show to the guest: where they are, and their names there.
    fn folders(&self, args: &[OsString]) -> Result<Vec<(PathBuf, String)>> {
        if self.sandbox {
            return Ok(Vec::new());
        }
        let here = env::current_dir()?;
        let mut folders = vec![(here.clone(), ".".to_owned())];
        let mut add = |host: PathBuf| {
            if let Some(name) = host.to_str().filter(|name| *name != "/") {
                let grant = (host.clone(), name.to_owned());
                if !folders.contains(&grant) && host.is_dir() {
                    folders.push(grant);
                }
            }
        };
        add(here);
        if let Some(package) = env::var_os("CARGO_MANIFEST_DIR") {
            add(package.into());
        }
        let certificates = CERTIFICATES.iter().filter(|_| self.certificates);
        let certificates = certificates.filter_map(env::var_os);
        for folder in args.iter().filter_map(|arg| named_elsewhere(arg)) {
            add(folder);
        }
        for folder in certificates.flat_map(|list| env::split_paths(&list).collect::<Vec<_>>()) {
            named_elsewhere(folder.as_os_str()).into_iter().for_each(&mut add);
        }
        Ok(folders)
    }

    /// The guest's environment.
    fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut all: BTreeMap<OsString, OsString> = BTreeMap::new();
        if !self.sandbox {
            all.extend(env::vars_os().filter(|(name, _)| !is_ours(name)));
            for (name, value) in &self.restore {
                match value {
                    Some(value) => drop(all.insert(name.into(), value.into())),
                    None => drop(all.remove(OsStr::new(name))),
                }
            }
        }
        for grant in &self.env {
            let (name, value) = match grant.split_once('=') {
                Some((name, value)) => (name, Some(value.into())),
                None => (grant.as_str(), env::var_os(grant)),
            };
            all.extend(value.map(|value| (name.into(), value)));
        }
        all.into_iter().collect()
    }

    /// A variable as [`Plan::reset`] leaves it for the engine.
    fn env_of_engine(&self, name: &OsStr) -> Option<OsString> {
        match name.to_str().and_then(|name| self.restore.get(name)) {
            Some(value) => value.as_ref().map(OsString::from),
            None => env::var_os(name),
        }
    }

    /// Gives the engine itself the user's values back.
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

/// Variables that lead to the certificates to trust. cargo sets them for what it runs, where it finds a system's.
const CERTIFICATES: &[&str] = &["SSL_CERT_FILE", "SSL_CERT_DIR"];

fn is_ours(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name == PLAN || (name.starts_with("CARGO_TARGET_WASM32_") && name.ends_with("_RUNNER"))
}

/// The folder that an argument leads to, if it is not below the current one:
/// under the name that the guest will use.
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

/// WasmEdge interprets what was not compiled before, some sixty times slower;
/// compiling takes longer than the build did.
/// `None` if this WasmEdge has no compiler.
fn compiled_for_wasmedge(program: &Path, file: &Path, quiet: bool) -> Result<Option<PathBuf>> {
    let shell = Shell::new(quiet, None);
    let folder = sources::cache_folder()?.join("wasmedge");
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let compiled = folder.join(format!("{:016x}.wasm", fingerprint(program, &bytes)));
    if compiled.exists() {
        return Ok(Some(compiled));
    }
    fs::create_dir_all(&folder)?;
    shell.status("Compiling", format_args!("{} for WasmEdge (once per build)", file.display()));
    let fresh = sources::beside(&compiled, "new.wasm").with_extension("wasm");
    let output = Command::new(program)
        .arg("compile")
        .arg(file)
        .arg(&fresh)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    if output.status.success() && fresh.is_file() {
        fs::rename(&fresh, &compiled)?;
        return Ok(Some(compiled));
    }
    let _ = fs::remove_file(&fresh);
    shell.note("this WasmEdge has no compiler: the guest is interpreted, which is slow");
    Ok(None)
}

fn fingerprint(program: &Path, bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (program, program.metadata().and_then(|found| found.modified()).ok(), bytes).hash(&mut hasher);
    hasher.finish()
}

/// Older releases run compiled code without being told.
fn offers_run_mode(program: &Path) -> bool {
    let help = Command::new(program).arg("--help").stdin(Stdio::null()).output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("run-mode"))
}

/// Replaces this process by `command`, so that signals and exit codes are the
/// engine's own; elsewhere waits for it.
pub(crate) fn become_command(mut command: Command) -> Result<ExitCode> {
    let name = command.get_program().to_string_lossy().into_owned();
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let error = command.exec();
        Err(error).with_context(|| format!("cannot start {name}"))
    }
    #[cfg(not(unix))]
    {
        let status = command.status().with_context(|| format!("cannot start {name}"))?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }
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
