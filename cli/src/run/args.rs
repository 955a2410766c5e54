//! The command line of `wasio run`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;

use super::guest::GuestArgs;

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
  130  interrupted (Ctrl-C): at once, or at the second time if the guest waits for `ctrl_c`
  134  the guest trapped; a panic in Rust is one
  143  terminated (SIGTERM), likewise

As cargo's runner, in .cargo/config.toml:
  [target.wasm32-wasip1]  # or wasm32-wasip2
  runner = \"wasio run --net all --dir . --\""
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) guest: GuestArgs,

    /// Listen on this address and give the guest the listener, whatever --net says (repeatable). The first is
    /// its descriptor 3, and LISTEN_FDS says how many there are. Modules of preview 1 only
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Vec<SocketAddr>,

    /// Call this function that the module exports, with ARGS, and print what it returns, one value a line. Numbers
    /// are all that can be given and returned; the module may be a library. Modules of preview 1 only
    #[arg(long, value_name = "NAME")]
    pub(crate) invoke: Option<String>,

    /// Say at the end on stderr what the guest asked of the host (and during
    /// the run, at SIGUSR1)
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(crate) stats: Option<Format>,

    /// Write the same as JSON to this file, four times a second and at the end
    #[arg(long, value_name = "PATH")]
    pub(crate) stats_file: Option<PathBuf>,
}

/// How `--stats` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One line, for programs.
    Json,
}
