//! The command line of `wasio run`.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use clap::ValueEnum;
use wasio_host::Rule;

/// Run a WASI preview 1 module, or a component of WASI 0.2.
///
/// The guest gets no network, no folders and no environment that is not granted
/// here. Everything after FILE is the guest's, so options come before it; a
/// `--` before or after FILE is accepted too.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "wasio run [OPTIONS] FILE [--] [ARGS]...",
    after_help = "\
Network rules (--net):
  HOST:PORT            look up HOST and connect to it; *.HOST is every name below
  ADDRESS[:PORT]       connect and send to an address
  CIDR[:PORT]          connect and send to a network
  listen:ADDRESS[:PORT]  accept connections; listen:* is every address
  all                  everything
  PORT may be *. Bracket IPv6 addresses that have a port: [::1]:80

Exit status:
  the guest's own, or
  2    wrong usage, or FILE cannot be run
  124  the guest ran longer than --timeout
  130  interrupted (Ctrl-C)
  134  the guest trapped; a panic in Rust is one
  143  terminated (SIGTERM)

As cargo's runner, in .cargo/config.toml:
  [target.wasm32-wasip1]  # or wasm32-wasip2
  runner = \"wasio run --net all --dir . --\""
)]
pub(crate) struct Args {
    /// Allow this on the network (repeatable): HOST:PORT, CIDR, listen:ADDRESS, all
    #[arg(long, value_name = "RULE", env = "WASIO_NET", value_delimiter = ',', value_parser = super::rule)]
    pub(crate) net: Vec<Grant>,

    /// Give the guest this folder (repeatable), under the name GUEST if given
    #[arg(long, value_name = "HOST[::GUEST]", env = "WASIO_DIR", value_delimiter = ',')]
    pub(crate) dir: Vec<String>,

    /// Set a variable of the guest's environment (repeatable); without a value,
    /// pass this process's on
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(crate) env: Vec<String>,

    /// Stop the guest after this time, such as 10s or 500ms
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<humantime::Duration>,

    /// Limit the guest's memory, such as 64MiB
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_memory: Option<ByteSize>,

    /// Say at the end on stderr what the guest asked of the host (and during
    /// the run, at SIGUSR1)
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(crate) stats: Option<Format>,

    /// Write the same as JSON to this file, four times a second and at the end
    #[arg(long, value_name = "PATH")]
    pub(crate) stats_file: Option<PathBuf>,

    /// Compile anew, and keep no compiled code
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// A .wasm file built for wasm32-wasip1 or wasm32-wasip2, and the guest's arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "FILE ARGS"
    )]
    command: Vec<OsString>,
}

impl Args {
    /// The module's path.
    pub(crate) fn file(&self) -> &Path {
        self.command.first().map_or(Path::new(""), Path::new)
    }

    /// The guest's arguments. A `--` that parts them from FILE is not one of
    /// them, unless another stood before FILE: then all that follows is the
    /// guest's.
    pub(crate) fn guest_args(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let line: Vec<OsString> = std::env::args_os().collect();
        let before = line.len().checked_sub(self.command.len() + 1).and_then(|i| line.get(i));
        let parted = before.is_none_or(|before| before != "--")
            && self.command.get(1).is_some_and(|first| first == "--");
        self.command.iter().skip(1 + usize::from(parted)).map(|arg| arg.to_string_lossy())
    }
}

/// One value of `--net`.
#[derive(Clone, Debug)]
pub(crate) struct Grant(pub(crate) Option<Rule>);

/// How `--stats` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One line, for programs.
    Json,
}
