//! The command line of `wasio run`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;

use super::guest::GuestArgs;

/// Run a module of WASI preview 1 or a component of WASI 0.2
///
/// The guest has no network, no directories and no environment unless they are granted here. Everything after FILE
/// belongs to the guest, so options come before it. A `--` before or after FILE is accepted.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "wasio run [OPTIONS] FILE [--] [ARGS]...",
    after_help = "\
Network rules (--net):
  HOST:PORT              look up HOST and connect to it; *.HOST is every name below
  ADDRESS[:PORT]         connect and send to an address
  CIDR[:PORT]            connect and send to a network
  listen:ADDRESS[:PORT]  accept connections; listen:* is every address
  all                    everything
  PORT may be *. Write brackets around an IPv6 address with a port: [::1]:80

Exit status:
  the guest's own, or
  2    the usage is wrong, or FILE cannot be run
  124  the guest ran longer than --timeout
  130  interrupted (Ctrl-C); a guest that waits for `ctrl_c` is ended by the second one
  134  the guest trapped, for example by a panic
  143  terminated (SIGTERM), in the same way

As cargo's runner, in .cargo/config.toml:
  [target.wasm32-wasip1]  # or wasm32-wasip2
  runner = \"wasio run --net all --dir . --\""
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) guest: GuestArgs,

    /// Listen on this address and pass the listener to the guest, regardless of --net (repeatable). The first listener
    /// is descriptor 3, and LISTEN_FDS holds their number. For modules of preview 1 only
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Vec<SocketAddr>,

    /// Call this exported function with ARGS, and print each result on its own line. Arguments and results are numbers.
    /// The module may be a library. For modules of preview 1 only
    #[arg(long, value_name = "NAME")]
    pub(crate) invoke: Option<String>,

    /// Print host calls, polls, bytes and times to standard error at the end, and on SIGUSR1
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(crate) stats: Option<Format>,

    /// Write these statistics as JSON to a file, four times a second and at the end
    #[arg(long, value_name = "PATH")]
    pub(crate) stats_file: Option<PathBuf>,
}

/// The format of `--stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Readable lines
    Text,
    /// One line of JSON
    Json,
}
