//! The command line as clap knows it: subcommands, wasio's flags, and their help.
//!
//! Depends on no other module of the command. `flags` separates wasio's flags from cargo's.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::targets::{Engine, Target};

/// The level of `--wasm-opt` without a value: speed and size are both wanted.
pub(crate) const WASM_OPT_LEVEL: &str = "3";

/// Build and run a tokio project as a WASI guest, without editing it
///
/// Cargo builds the project with wasio in place of tokio. Cargo.toml and Cargo.lock stay as they are. Native builds,
/// build scripts and procedural macros keep upstream tokio.
#[derive(Debug, Parser)]
#[command(name = "cargo-wasio", bin_name = "cargo wasio", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build a binary or example for WASI and run it
    #[command(override_usage = "cargo wasio run [OPTIONS] [CARGO FLAGS] [-- ARGS]")]
    Run(BuildArgs),
    /// Compile for WASI
    #[command(override_usage = "cargo wasio build [OPTIONS] [CARGO FLAGS]")]
    Build(OptimizedArgs),
    /// Check for errors without building
    #[command(override_usage = "cargo wasio check [OPTIONS] [CARGO FLAGS]")]
    Check(BuildArgs),
    /// Run the project's tests as WASI guests
    ///
    /// Each test runs in its own guest, so a failing test does not end the others. Tests run one at a time;
    /// `-- --test-threads N` runs N at a time. Custom test harnesses run unchanged.
    #[command(override_usage = "cargo wasio test [OPTIONS] [CARGO FLAGS] [-- TEST ARGS]")]
    Test(BuildArgs),
    /// Download a published crate and run, test or check it
    ///
    /// The crate is used as its authors published it. A Cargo.lock in the package is ignored. Without --test or
    /// --check, the crate's binary is run.
    Try(TryArgs),
    /// Create a project that runs natively and as a WASI guest, with a test
    New(NewArgs),
    /// Report whether this project runs on WASI, and what prevents it
    ///
    /// The exit code is 0 if nothing prevents a build or a run, 1 if something does, and 2 if the project could not be
    /// examined.
    #[command(override_usage = "cargo wasio doctor [OPTIONS] [CARGO FLAGS]")]
    Doctor(DoctorArgs),
    /// Run a guest; cargo calls this
    #[command(hide = true, name = "__runner")]
    Runner(RunnerArgs),
    /// Optimize one file as `build --wasm-opt` does; benchmarks call this
    #[command(hide = true, name = "__wasm-opt")]
    WasmOpt {
        /// A module or component
        file: PathBuf,
    },
}

/// How the guest is built and run.
#[derive(Args, Clone, Debug)]
pub(crate) struct GuestArgs {
    /// The version of WASI to build for
    #[arg(long, value_parser = Target::wasi_parser(), value_name = "GENERATION", default_value = "p1")]
    pub(crate) wasi: Target,
    /// The WebAssembly engine that runs the guest
    #[arg(long, value_parser = Engine::parser(), value_name = "ENGINE", default_value = "wasio")]
    pub(crate) engine: Engine,
    /// Grant the guest nothing: no network, no files, no environment
    ///
    /// By default the guest gets what a native run would have: the network, the current directory and the environment.
    /// With --sandbox, grant access with --net, --dir and --env.
    #[arg(long)]
    pub(crate) sandbox: bool,
    /// Grant network access by a rule of `wasio run`; useful with --sandbox (repeatable)
    #[arg(long, value_name = "GRANT")]
    pub(crate) net: Vec<String>,
    /// Grant another directory, as `wasio run` does (repeatable)
    #[arg(long, value_name = "HOST[::GUEST]")]
    pub(crate) dir: Vec<OsString>,
    /// Set an environment variable of the guest (repeatable). Without a value, pass on this process's variable
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(crate) env: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    pub(crate) guest: GuestArgs,
    /// Flags for cargo: --release, --features, --bin, -p, …
    #[arg(value_name = "CARGO FLAGS", allow_hyphen_values = true, trailing_var_arg = true)]
    pub(crate) cargo: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct OptimizedArgs {
    #[command(flatten)]
    pub(crate) build: BuildArgs,
    /// Make the result smaller with Binaryen's wasm-opt, at this level [default level: 3]
    ///
    /// The program wasm-opt must be on the PATH, or named in WASIO_WASM_OPT. Modules inside a component are optimized
    /// too. If they have no debug information, the names that the component linker adds are removed.
    #[arg(
        long,
        value_name = "LEVEL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = WASM_OPT_LEVEL,
        value_parser = ["0", "1", "2", "3", "4", "s", "z"],
    )]
    pub(crate) wasm_opt: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct TryArgs {
    /// The crate and optionally its version, such as mini-redis@0.4.1 [default: the newest version]
    #[arg(value_name = "CRATE[@VERSION]")]
    pub(crate) krate: String,
    /// Turn on these features of the crate, separated by commas or spaces (repeatable)
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub(crate) features: Vec<String>,
    /// Turn off the crate's default features
    #[arg(long)]
    pub(crate) no_default_features: bool,
    /// Turn on all features of the crate
    #[arg(long, conflicts_with = "features")]
    pub(crate) all_features: bool,
    /// Run this binary of the crate
    #[arg(long, value_name = "NAME", conflicts_with_all = ["test", "check"])]
    pub(crate) bin: Option<String>,
    /// Run this example of the crate, if it was published
    #[arg(long, value_name = "NAME", conflicts_with_all = ["bin", "test", "check"])]
    pub(crate) example: Option<String>,
    /// Run the crate's own test suite
    #[arg(long, conflicts_with = "check")]
    pub(crate) test: bool,
    /// Check whether the crate compiles, without running it
    #[arg(long)]
    pub(crate) check: bool,
    /// Build with optimizations
    #[arg(short, long)]
    pub(crate) release: bool,
    /// Do not download anything; works if the crate was tried before
    #[arg(long)]
    pub(crate) offline: bool,
    /// Pass this configuration to cargo (repeatable)
    #[arg(long, value_name = "KEY=VALUE|FILE")]
    pub(crate) config: Vec<OsString>,
    /// Pass this unstable flag to cargo (repeatable)
    #[arg(short = 'Z', value_name = "FLAG")]
    pub(crate) unstable: Vec<OsString>,
    /// Print less
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Print more; -vv prints even more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(flatten)]
    pub(crate) guest: GuestArgs,
}

#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// The folder to create; its name becomes the package's name
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// The kind of project
    #[arg(long, value_enum, value_name = "TEMPLATE", default_value_t = Template::Echo)]
    pub(crate) template: Template,
    /// The package's name [default: the folder's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Print nothing
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// The kind of a new project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// A TCP server that sends back what it receives
    Echo,
    /// An HTTP service with axum
    Axum,
    /// A Redis client
    Redis,
    /// An HTTP client
    HttpClient,
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// The version of WASI to examine the project for
    #[arg(long, value_parser = Target::wasi_parser(), value_name = "GENERATION", default_value = "p1")]
    pub(crate) wasi: Target,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Flags for cargo that select the project: --manifest-path, --features, --offline, …
    #[arg(value_name = "CARGO FLAGS", allow_hyphen_values = true, trailing_var_arg = true)]
    pub(crate) cargo: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct RunnerArgs {
    /// The guest and its arguments
    #[arg(allow_hyphen_values = true, trailing_var_arg = true, required = true)]
    pub(crate) guest: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use super::super::flags;
    use super::*;

    fn strings(args: &[&str]) -> Vec<OsString> {
        args.iter().map(OsString::from).collect()
    }

    #[test]
    fn our_flags_are_found_among_cargos() {
        let line = flags::divide(
            strings(&[
                "cargo-wasio",
                "wasio",
                "run",
                "--release",
                "--engine",
                "wasmedge",
                "--bin",
                "a",
                "--wasi=p2",
                "--",
                "--engine",
                "x",
            ])
            .into_iter(),
        );
        assert_eq!(
            line.wasio,
            strings(&[
                "cargo-wasio",
                "run",
                "--engine",
                "wasmedge",
                "--wasi=p2",
                "--",
                "--release",
                "--bin",
                "a",
            ])
        );
        assert_eq!(line.program, strings(&["--engine", "x"]));
        let Command::Run(args) = Cli::parse_from(line.wasio).command else { panic!("not run") };
        assert_eq!(args.guest.engine, Engine::Wasmedge);
        assert_eq!(args.guest.wasi, Target::P2);
        assert_eq!(args.cargo, strings(&["--release", "--bin", "a"]));
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
