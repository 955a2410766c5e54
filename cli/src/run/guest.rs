//! The settings of a guest on the command line, shared by `wasio run` and `wasio fleet`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytesize::ByteSize;
use wasio_host::{EngineBuilder, Guest, GuestBuilder, Policy, Program, Rule, RuleError};

use super::notes::{Refusals, say};
use super::variable;
use crate::dirs;

/// The guest and what it may use.
#[derive(Debug, clap::Args)]
pub(crate) struct GuestArgs {
    /// Grant network access (repeatable): HOST:PORT, CIDR, listen:ADDRESS, all
    #[arg(long, value_name = "RULE", env = "WASIO_NET", value_delimiter = ',', value_parser = rule)]
    net: Vec<Grant>,

    /// Grant this directory, under the name GUEST if one is given (repeatable). Without this option, WASIO_DIR names
    /// directories, separated as in PATH
    #[arg(long, value_name = "HOST[::GUEST]")]
    dir: Vec<OsString>,

    /// Set an environment variable of the guest (repeatable). Without a value, pass on this process's variable
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<OsString>,

    /// End the guest after this time, such as 10s or 500ms
    #[arg(long, value_name = "DURATION")]
    timeout: Option<humantime::Duration>,

    /// Limit the guest's memory, such as 64MiB
    #[arg(long, value_name = "SIZE")]
    max_memory: Option<ByteSize>,

    /// Recompile the program, and do not cache compiled code
    #[arg(long)]
    no_cache: bool,

    /// Limit the cache of compiled code to this size [default: 1GiB]
    #[arg(long, value_name = "SIZE", env = "WASIO_CACHE_SIZE")]
    cache_size: Option<ByteSize>,

    /// A .wasm file built for wasm32-wasip1 or wasm32-wasip2, and the guest's arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "FILE ARGS"
    )]
    command: Vec<OsString>,
}

impl GuestArgs {
    /// Returns the module's path.
    pub(crate) fn file(&self) -> &Path {
        self.command.first().map_or(Path::new(""), Path::new)
    }

    /// Loads the program with an engine made from `engine`.
    pub(crate) fn program(&self, engine: EngineBuilder) -> anyhow::Result<Program> {
        let engine = if self.no_cache { engine.no_cache() } else { engine };
        let engine = match self.cache_size {
            Some(size) => engine.cache_size(size.as_u64()),
            None => engine,
        };
        let engine = engine.build()?;
        let program = Program::from_file(&engine, self.file())?;
        if !program.from_cache()
            && let Some(why) = engine.cache_refusal()
        {
            say(format_args!("compiled code is not kept: {why}"));
        }
        Ok(program)
    }

    /// Returns everything that the command line says about guests. Any number of guests can be set up with it.
    pub(crate) fn setup(&self) -> anyhow::Result<Setup> {
        let name = self.file().file_name().unwrap_or(self.file().as_os_str());
        let mut args = vec![text("the guest's name", name)?];
        for arg in self.guest_args() {
            args.push(text("the argument", arg)?);
        }
        let bytes = |size: ByteSize| usize::try_from(size.as_u64());
        Ok(Setup {
            args,
            env: self.env()?,
            dirs: self.dirs()?,
            network: Arc::new(self.net.iter().filter_map(|grant| grant.0.clone()).collect()),
            timeout: self.timeout.map(Into::into),
            max_memory: self
                .max_memory
                .map(bytes)
                .transpose()
                .context("--max-memory is too large")?,
            refusals: Arc::default(),
        })
    }

    fn env(&self) -> Result<Vec<(String, String)>> {
        let mut env = Vec::new();
        for variable in &self.env {
            match text("the variable", variable)?.split_once('=') {
                Some((name, value)) => env.push((name.to_owned(), value.to_owned())),
                None => {
                    let Some(value) = std::env::var_os(variable) else { continue };
                    let name = text("the variable", variable)?;
                    let what = format!("the variable {name:?} with the value");
                    env.push((name, text(&what, &value)?));
                }
            }
        }
        Ok(env)
    }

    fn dirs(&self) -> Result<Vec<(PathBuf, String)>> {
        let listed = match std::env::var_os("WASIO_DIR") {
            Some(list) if self.dir.is_empty() && !list.is_empty() => {
                variable::split(&list).context("WASIO_DIR")?
            }
            _ => Vec::new(),
        };
        let named = self.dir.iter().map(|dir| dirs::parse(dir).context("--dir"));
        let listed = listed.iter().map(|dir| dirs::parse(dir).context("WASIO_DIR"));
        named.chain(listed).collect()
    }

    /// Returns the guest's arguments as text.
    pub(crate) fn text_args(&self) -> Vec<String> {
        self.guest_args().map(|arg| arg.to_string_lossy().into_owned()).collect()
    }

    /// Returns the guest's arguments. A `--` that separates them from FILE is not one of them, unless another one stood
    /// before FILE: then everything that follows is the guest's.
    fn guest_args(&self) -> impl Iterator<Item = &OsString> {
        let line: Vec<OsString> = std::env::args_os().collect();
        let before = line.len().checked_sub(self.command.len() + 1).and_then(|i| line.get(i));
        let parted = before.is_none_or(|before| before != "--")
            && self.command.get(1).is_some_and(|first| first == "--");
        self.command.iter().skip(1 + usize::from(parted))
    }
}

/// Checks that a value is UTF-8, which guests require.
fn text(what: &str, given: &OsStr) -> Result<String> {
    let text = given.to_str().map(str::to_owned);
    text.with_context(|| format!("cannot give the guest {what} {given:?}: it is not UTF-8"))
}

/// The settings of each guest.
pub(crate) struct Setup {
    args: Vec<String>,
    env: Vec<(String, String)>,
    dirs: Vec<(PathBuf, String)>,
    network: Arc<Policy>,
    timeout: Option<std::time::Duration>,
    max_memory: Option<usize>,
    pub(crate) refusals: Arc<Refusals>,
}

impl Setup {
    /// Returns the folders that guests can write to.
    pub(crate) fn granted(&self) -> Vec<PathBuf> {
        self.dirs.iter().map(|(host, _)| host.clone()).collect()
    }

    /// Sets up a guest of `program`, except for its streams.
    pub(crate) fn guest(&self, program: &Program) -> GuestBuilder {
        let refusals = self.refusals.clone();
        let mut guest = Guest::builder(program)
            .args(&self.args)
            .network(self.network.clone())
            .on_denied(move |denied| refusals.tell(denied));
        for (name, value) in &self.env {
            guest = guest.env(name, value);
        }
        for (host, inside) in &self.dirs {
            guest = guest.dir(host, inside);
        }
        if let Some(limit) = self.timeout {
            guest = guest.timeout(limit);
        }
        if let Some(bytes) = self.max_memory {
            guest = guest.max_memory(bytes);
        }
        guest
    }
}

/// One value of `--net`.
#[derive(Clone, Debug)]
struct Grant(Option<Rule>);

/// Parses one value of `--net`. An empty one, as of an empty variable, grants nothing.
fn rule(text: &str) -> Result<Grant, RuleError> {
    if text.trim().is_empty() {
        return Ok(Grant(None));
    }
    text.parse().map(|rule| Grant(Some(rule)))
}
