//! Where a guest runs: our runner, WasmEdge, a stock WASI 0.2 host, or natively. One way to start it on each.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::process::{Failure, Running};
use crate::{cargo, workspace};

/// What runs a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// `wasio run`, this repository's runner.
    Wasio,
    /// The same with guests for WASI 0.2.
    Wasip2,
    /// wasmtime-wasi's WASI 0.2, unmodified.
    Stock,
    /// WasmEdge, guests compiled ahead of time.
    Wasmedge,
    /// No engine: the program is built for this machine.
    Native,
}

impl Engine {
    /// All of them, in the order of reports.
    pub const ALL: [Engine; 5] =
        [Engine::Wasio, Engine::Wasip2, Engine::Stock, Engine::Wasmedge, Engine::Native];

    /// Its name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Wasio => "wasio",
            Engine::Wasip2 => "wasip2",
            Engine::Stock => "stock",
            Engine::Wasmedge => "wasmedge",
            Engine::Native => "native",
        }
    }

    /// The target guests are built for; `None` is this machine.
    pub fn target(self) -> Option<&'static str> {
        match self {
            Engine::Wasio | Engine::Wasmedge => Some(cargo::WASIP1),
            Engine::Wasip2 | Engine::Stock => Some(cargo::WASIP2),
            Engine::Native => None,
        }
    }

    /// Whether guests have Unix sockets there.
    pub fn has_unix_sockets(self) -> bool {
        matches!(self, Engine::Native | Engine::Wasmedge)
    }

    /// Whether our own runner runs the guests.
    pub fn is_ours(self) -> bool {
        matches!(self, Engine::Wasio | Engine::Wasip2)
    }
}

/// An engine that was found (and built, if it is ours).
#[derive(Debug, Clone)]
pub struct Runner {
    engine: Engine,
    program: Option<PathBuf>,
}

impl Runner {
    /// Builds our runner with `cargo build --release`, once; `WASIO_BIN` names one that is
    /// built already.
    ///
    /// # Errors
    /// When the build fails.
    pub fn wasio(progress: &dyn Fn(&str)) -> Result<Runner> {
        Runner::ours(Engine::Wasio, "WASIO_BIN", &["--release", "--bins"], "wasio", progress)
    }

    /// As [`get`](Self::get), with our runner as README says to install it.
    ///
    /// # Errors
    /// When our own runner cannot be built.
    pub fn installed(engine: Engine, progress: &dyn Fn(&str)) -> Result<Option<Runner>> {
        if !engine.is_ours() {
            return Runner::get(engine, progress);
        }
        let how = ["--profile", "dist", "--bins"];
        Runner::ours(engine, "WASIO_BIN", &how, "wasio", progress).map(Some)
    }

    /// The same for guests of WASI 0.2.
    ///
    /// # Errors
    /// When the build fails.
    pub fn wasip2(progress: &dyn Fn(&str)) -> Result<Runner> {
        Ok(Runner { engine: Engine::Wasip2, ..Runner::wasio(progress)? })
    }

    /// Builds the stock host, as [`wasio`](Self::wasio) does; its variable is `WASIO_STOCK`.
    ///
    /// # Errors
    /// When the build fails.
    pub fn stock(progress: &dyn Fn(&str)) -> Result<Runner> {
        // With our runner, so that the engine is compiled once for both.
        let what = ["--release", "--bins", "--example", "stock"];
        Runner::ours(Engine::Stock, "WASIO_STOCK", &what, "stock", progress)
    }

    /// `what`: the profile, and which of the programs.
    fn ours(
        engine: Engine,
        variable: &str,
        what: &[&str],
        name: &str,
        progress: &dyn Fn(&str),
    ) -> Result<Runner> {
        let program = match std::env::var_os(variable) {
            Some(path) => PathBuf::from(path),
            None => {
                let mut command = cargo::command();
                command.args(["build", "-p", "wasio-host", "-p", "wasio-cli"]);
                command.args(what);
                let built = cargo::build(&mut command, progress)?;
                cargo::find(&built, name)?.to_owned()
            }
        };
        Ok(Runner { engine, program: Some(program) })
    }

    /// WasmEdge as `WASIO_WASMEDGE` or the PATH has it; `None` when it is not installed.
    ///
    /// # Errors
    /// When `WASIO_WASMEDGE` names something that does not run.
    pub fn wasmedge() -> Result<Option<Runner>> {
        let named = std::env::var_os("WASIO_WASMEDGE");
        let program = named.clone().unwrap_or_else(|| OsString::from("wasmedge"));
        match Command::new(&program).arg("--version").output() {
            Ok(output) if output.status.success() => {
                Ok(Some(Runner { engine: Engine::Wasmedge, program: Some(program.into()) }))
            }
            _ if named.is_none() => Ok(None),
            _ => bail!("WASIO_WASMEDGE={} cannot be run", program.to_string_lossy()),
        }
    }

    /// No engine at all.
    pub fn native() -> Runner {
        Runner { engine: Engine::Native, program: None }
    }

    /// The runner for `engine`; `None` when it is not installed here.
    ///
    /// # Errors
    /// When our own runner cannot be built.
    pub fn get(engine: Engine, progress: &dyn Fn(&str)) -> Result<Option<Runner>> {
        match engine {
            Engine::Wasio => Runner::wasio(progress).map(Some),
            Engine::Wasip2 => Runner::wasip2(progress).map(Some),
            Engine::Stock => Runner::stock(progress).map(Some),
            Engine::Wasmedge => Runner::wasmedge(),
            Engine::Native => Ok(Some(Runner::native())),
        }
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The engine's program; `None` natively.
    pub fn program(&self) -> Option<&Path> {
        self.program.as_deref()
    }

    /// The engine's version in one line, for reports.
    pub fn version(&self) -> String {
        let Some(program) = &self.program else { return "native".to_owned() };
        if self.engine == Engine::Stock {
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
        if self.engine != Engine::Wasmedge {
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

/// How a guest is to be started.
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
        let mut words: Vec<OsString> = Vec::new();
        match self.runner.engine {
            Engine::Native => words.push(self.guest.clone().into()),
            Engine::Wasio | Engine::Wasip2 => {
                words.push(self.runner.program.clone().expect("a program").into());
                words.push("run".into());
                if self.net {
                    words.extend(["--net", "all"].map(Into::into));
                }
                words.extend(["--dir", "."].map(Into::into));
            }
            Engine::Stock => {
                words.push(self.runner.program.clone().expect("a program").into());
                if self.net {
                    words.extend(["-S", "inherit-network,allow-ip-name-lookup"].map(Into::into));
                }
                words.extend(["--dir", "."].map(Into::into));
            }
            Engine::Wasmedge => {
                words.push(self.runner.program.clone().expect("a program").into());
                // WasmEdge writes its log to standard output, which is the guest's.
                let fixed =
                    ["run", "--log-level=off", "--run-mode=aot", "--dir", ".:.", "--allow-af-unix"];
                words.extend(fixed.map(Into::into));
            }
        }
        words.extend(self.options.iter().cloned());
        if self.runner.engine != Engine::Native {
            for (name, value) in &self.envs {
                words.push("--env".into());
                words.push(format!("{name}={value}").into());
            }
            words.push("--".into());
            words.push(self.guest.clone().into());
        }
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
        if self.runner.engine == Engine::Native {
            command.envs(self.envs.iter().cloned());
        }
        command
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the engine cannot be started.
    pub fn spawn(&self, name: &str) -> Result<Running, Failure> {
        let name = format!("{name} ({})", self.runner.engine.name());
        Running::spawn(&name, &mut self.command())
    }
}
