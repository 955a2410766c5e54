//! Starting guests: under `wasio run`, WasmEdge, a stock WASI 0.2 host, or natively.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::platform::{Host, Platform};
use crate::process::{Failure, Running};
use crate::targets::Engine;
use crate::{cargo, workspace};

/// A program of this repository that runs guests, and how it is built.
struct Built {
    /// The variable that names it if it is already built.
    variable: &'static str,
    /// The profile, and which of the programs.
    args: &'static [&'static str],
    name: &'static str,
}

const RELEASE: &Built =
    &Built { variable: Engine::Wasio.variable(), args: &["--release", "--bins"], name: "wasio" };
const DIST: &Built = &Built { args: &["--profile", "dist", "--bins"], ..*RELEASE };
// With `wasio`, so that the engine is compiled once for both.
const STOCK: &Built = &Built {
    variable: "WASIO_STOCK",
    args: &["--release", "--bins", "--example", "stock"],
    name: "stock",
};

/// The program that runs guests on a platform. It is found, or built if it belongs to this repository.
#[derive(Debug, Clone)]
pub struct Runner {
    platform: Platform,
    program: Option<PathBuf>,
}

impl Runner {
    /// Finds the runner of `platform`; `None` if it is not installed. `wasio` and the stock host are
    /// built with `cargo build --release`, once, unless `WASIO_BIN` and `WASIO_STOCK` name them.
    ///
    /// # Errors
    /// When the build fails, or a variable names something that does not run.
    pub fn get(platform: Platform, progress: &dyn Fn(&str)) -> Result<Option<Runner>> {
        match platform.host() {
            Host::Native => Ok(Some(Runner { platform, program: None })),
            Host::Engine(Engine::Wasio) => Runner::build(platform, RELEASE, progress).map(Some),
            Host::Stock => Runner::build(platform, STOCK, progress).map(Some),
            Host::Engine(engine) => Runner::installed_engine(platform, engine),
        }
    }

    /// Like [`get`](Self::get), with `wasio` built as for an installation.
    ///
    /// # Errors
    /// Fails if `wasio` cannot be built.
    pub fn installed(platform: Platform, progress: &dyn Fn(&str)) -> Result<Option<Runner>> {
        match platform.is_wasio() {
            true => Runner::build(platform, DIST, progress).map(Some),
            false => Runner::get(platform, progress),
        }
    }

    /// `wasio`, with guests of preview 1.
    ///
    /// # Errors
    /// When the build fails.
    pub fn wasio(progress: &dyn Fn(&str)) -> Result<Runner> {
        Runner::build(Platform::Wasio, RELEASE, progress)
    }

    fn build(platform: Platform, what: &Built, progress: &dyn Fn(&str)) -> Result<Runner> {
        let program = match std::env::var_os(what.variable) {
            Some(path) => PathBuf::from(path),
            None => {
                let mut command = cargo::command();
                command.args(["build", "-p", "wasio-host", "-p", "wasio-cli"]);
                command.args(what.args);
                let built = cargo::build(&mut command, progress)?;
                cargo::find(&built, what.name)?.to_owned()
            }
        };
        Ok(Runner { platform, program: Some(program) })
    }

    /// A third-party engine: on the PATH, or named in its variable.
    fn installed_engine(platform: Platform, engine: Engine) -> Result<Option<Runner>> {
        let named = std::env::var_os(engine.variable());
        let program = named.clone().unwrap_or_else(|| OsString::from(engine.name()));
        match Command::new(&program).arg("--version").output() {
            Ok(output) if output.status.success() => {
                Ok(Some(Runner { platform, program: Some(program.into()) }))
            }
            _ if named.is_none() => Ok(None),
            _ => bail!("{}={} cannot be run", engine.variable(), program.to_string_lossy()),
        }
    }

    /// The environment variable that names the program.
    pub fn variable(&self) -> Option<&'static str> {
        match self.platform.host() {
            Host::Native => None,
            Host::Engine(engine) => Some(engine.variable()),
            Host::Stock => Some(STOCK.variable),
        }
    }

    /// The platform it is for.
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// The engine's program; `None` natively.
    pub fn program(&self) -> Option<&Path> {
        self.program.as_deref()
    }

    /// The engine's version in one line, for reports.
    pub fn version(&self) -> String {
        let Some(program) = &self.program else { return "native".to_owned() };
        if self.platform == Platform::Stock {
            return "wasmtime-wasi, unmodified".to_owned();
        }
        let output = Command::new(program).arg("--version").output();
        let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
        text.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
    }

    /// Makes a built guest ready to start: WasmEdge's interpreter is some 60 times slower than
    /// its compiled code, so guests are compiled for it, once per build.
    ///
    /// # Errors
    /// When WasmEdge does not compile the guest.
    pub fn prepare(&self, guest: &Path) -> Result<PathBuf> {
        if self.platform.host() != Host::Engine(Engine::Wasmedge) {
            return Ok(guest.to_owned());
        }
        // Named after its content: programs of one name replace each other in the build folder.
        let mut hash = DefaultHasher::new();
        std::fs::read(guest).with_context(|| format!("read {}", guest.display()))?.hash(&mut hash);
        let name = guest.file_stem().unwrap_or_default().to_string_lossy();
        let cache = workspace::scratch("wasmedge")?;
        let compiled = cache.join(format!("{name}-{:016x}.so", hash.finish()));
        if compiled.exists() {
            return Ok(compiled);
        }
        // Compiled beside and renamed: a run that is stopped here leaves nothing half-written,
        // and two at once do not read each other's.
        let unfinished = compiled.with_extension(format!("{}.so", std::process::id()));
        let program = self.program.as_ref().expect("WasmEdge is a program");
        let mut command = Command::new(program);
        command.arg("compile").arg(guest).arg(&unfinished);
        let output = command.output().context("run `wasmedge compile`")?;
        if !output.status.success() || !unfinished.exists() {
            bail!(
                "`{}` failed ({})\n{}{}",
                cargo::display(&command),
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        std::fs::rename(&unfinished, &compiled)?;
        Ok(compiled)
    }

    /// The words that start a guest, up to the engine's own options: the current directory is granted, and with `net`
    /// the network (WasmEdge has no such switch). None natively.
    pub fn words(&self, net: bool) -> Vec<OsString> {
        let mut words: Vec<OsString> = self.program.iter().map(Into::into).collect();
        let (granted, others): (&[&str], &[&str]) = match self.platform.host() {
            Host::Native => (&[], &[]),
            Host::Engine(Engine::Wasio) => {
                words.push("run".into());
                (&["--net", "all"], &["--dir", "."])
            }
            Host::Stock => (&["-S", "inherit-network,allow-ip-name-lookup"], &["--dir", "."]),
            // WasmEdge writes its log to standard output, which is the guest's.
            Host::Engine(Engine::Wasmedge) => {
                (&[], &["run", "--log-level=off", "--dir", ".:.", "--allow-af-unix"])
            }
        };
        let granted = if net { granted } else { &[] };
        words.extend(granted.iter().chain(others).map(Into::into));
        words
    }

    /// A start of the prepared guest, with network and the current directory unless it says
    /// otherwise.
    pub fn launch(&self, guest: &Path) -> Launch<'_> {
        Launch {
            runner: self,
            guest: guest.to_owned(),
            options: Vec::new(),
            net: true,
            envs: Vec::new(),
            args: Vec::new(),
            limit: None,
        }
    }
}

/// The start of a guest.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    runner: &'a Runner,
    guest: PathBuf,
    options: Vec<OsString>,
    net: bool,
    envs: Vec<(String, String)>,
    args: Vec<OsString>,
    limit: Option<u32>,
}

impl Launch<'_> {
    /// One argument for the guest.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Arguments for the guest.
    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// An environment variable of the guest.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.envs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// An option of the engine itself (`wasio run`'s, say).
    pub fn option(mut self, option: impl Into<OsString>) -> Self {
        self.options.push(option.into());
        self
    }

    /// Do not grant the network (not on WasmEdge, which has no such switch).
    pub fn without_network(mut self) -> Self {
        self.net = false;
        self
    }

    /// Limits how many files the guest's process may have open.
    pub fn max_open_files(mut self, files: u32) -> Self {
        self.limit = Some(files);
        self
    }

    /// The command that starts it.
    pub fn command(&self) -> Command {
        let mut words = self.runner.words(self.net);
        if self.runner.platform.host() == Host::Engine(Engine::Wasmedge) {
            words.push("--run-mode=aot".into());
        }
        words.extend(self.options.iter().cloned());
        let is_guest = self.runner.platform.is_guest();
        if is_guest {
            for (name, value) in &self.envs {
                words.push("--env".into());
                words.push(format!("{name}={value}").into());
            }
            words.push("--".into());
        }
        words.push(self.guest.clone().into());
        words.extend(self.args.iter().cloned());

        let mut command = match self.limit {
            None => Command::new(&words[0]),
            Some(files) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("ulimit -n {files}; exec \"$@\"")).arg("sh");
                shell.arg(&words[0]);
                shell
            }
        };
        command.args(&words[1..]);
        if !is_guest {
            command.envs(self.envs.iter().cloned());
        }
        command
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the engine cannot be started.
    pub fn spawn(&self, name: &str) -> Result<Running, Failure> {
        let name = format!("{name} ({})", self.runner.platform.name());
        Running::spawn(&name, &mut self.command())
    }
}
