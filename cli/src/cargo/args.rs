//! The command line: our flags are parsed, cargo's are passed on.
//!
//! `run`, `build`, `check` and `test` accept cargo's flags among ours, in any order. The line is first divided into three:
//! our flags, what goes to cargo, and what follows `--` and goes to the guest. clap then sees our flags first and cargo's
//! after them, and writes the help.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::new::Template;
use super::wasm_opt;

/// Build and run a tokio project as a WASI guest, without editing it
///
/// Cargo builds the project with wasio in place of tokio. Cargo.toml and Cargo.lock stay as they are. Native builds, build
/// scripts and procedural macros keep upstream tokio.
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
    #[arg(long, value_enum, value_name = "GENERATION", default_value_t = Wasi::P1)]
    pub(crate) wasi: Wasi,
    /// The WebAssembly engine that runs the guest
    #[arg(long, value_enum, value_name = "ENGINE", default_value_t = Engine::Wasio)]
    pub(crate) engine: Engine,
    /// Grant the guest nothing: no network, no files, no environment
    ///
    /// By default the guest gets what a native run would have: the network, the current directory and the environment.
    /// With --sandbox, grant single things with --net, --dir and --env.
    #[arg(long)]
    pub(crate) sandbox: bool,
    /// Grant network access by a rule of `wasio run`; useful with --sandbox (repeatable)
    #[arg(long, value_name = "GRANT")]
    pub(crate) net: Vec<String>,
    /// Grant another directory, as `wasio run` does (repeatable)
    #[arg(long, value_name = "HOST[::GUEST]")]
    pub(crate) dir: Vec<OsString>,
    /// Set an environment variable, or pass on the one of this process (repeatable)
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
        default_missing_value = wasm_opt::LEVEL,
        value_parser = ["0", "1", "2", "3", "4", "s", "z"],
    )]
    pub(crate) wasm_opt: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct TryArgs {
    /// The crate, with a version unless you want the newest: mini-redis@0.4.1
    #[arg(value_name = "CRATE[@VERSION]")]
    pub(crate) krate: String,
    /// Turn on these features of the crate, separated by commas or spaces (repeatable)
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub(crate) features: Vec<String>,
    /// Leave the crate's default features off
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
    /// The package's name, if not the folder's
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Print nothing
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// The version of WASI to examine the project for
    #[arg(long, value_enum, value_name = "GENERATION", default_value_t = Wasi::P1)]
    pub(crate) wasi: Wasi,
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

/// A version of WASI.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Wasi {
    /// Preview 1 with WasmEdge's sockets (wasm32-wasip1)
    P1,
    /// WASI 0.2, a component (wasm32-wasip2)
    P2,
}

impl Wasi {
    /// rustc's name of the target.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Wasi::P1 => "wasm32-wasip1",
            Wasi::P2 => "wasm32-wasip2",
        }
    }
}

/// A WebAssembly engine.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Engine {
    /// `wasio run`: beside this command, on the PATH, or named in WASIO_BIN
    Wasio,
    /// WasmEdge: on the PATH, or named in WASIO_WASMEDGE. Dev builds are
    /// interpreted, and --release builds are compiled first
    Wasmedge,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Wasio => "wasio",
            Engine::Wasmedge => "wasmedge",
        })
    }
}

/// A divided command line.
pub(crate) struct Line {
    /// For clap: our flags, and behind them cargo's.
    pub(crate) ours: Vec<OsString>,
    /// What followed `--`.
    pub(crate) program: Vec<OsString>,
}

/// Our flags that take a value, and those that do not, or only behind `=`.
const WITH_VALUE: &[&str] = &["--wasi", "--engine", "--net", "--dir", "--env"];
const WITHOUT_VALUE: &[&str] = &["--sandbox", "--json", "--wasm-opt", "--help", "-h"];

/// Divides the arguments of this process.
pub(crate) fn divide(args: impl Iterator<Item = OsString>) -> Line {
    let mut args: Vec<OsString> = args.collect();
    // cargo calls `cargo-wasio wasio …`; a user may leave the name out.
    if args.get(1).is_some_and(|first| first == "wasio") {
        args.remove(1);
    }
    let at = verb_at(&args);
    if args.get(at).is_some() {
        // Flags before it are as good as behind it.
        args[1..=at].rotate_right(1);
    }
    let verb = args.get(1).cloned().unwrap_or_default();
    if verb == "__runner" || verb == "__wasm-opt" {
        return Line { ours: args, program: Vec::new() };
    }
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let program = args.get(end + 1..).unwrap_or_default().to_vec();
    args.truncate(end);
    if ["run", "build", "check", "test", "doctor"].iter().all(|known| verb != *known) {
        return Line { ours: args, program };
    }
    let mut ours: Vec<OsString> = args.drain(..2).collect();
    let mut cargo = Vec::new();
    let mut rest = args.into_iter();
    while let Some(arg) = rest.next() {
        let name = flag_name(&arg);
        if WITH_VALUE.contains(&name) {
            let has_value = arg.len() > name.len();
            ours.push(arg);
            ours.extend(if has_value { None } else { rest.next() });
        } else if WITHOUT_VALUE.contains(&name) {
            ours.push(arg);
        } else {
            cargo.push(arg);
        }
    }
    if !cargo.is_empty() {
        ours.push("--".into());
        ours.append(&mut cargo);
    }
    Line { ours, program }
}

/// Flags of cargo that may come before a subcommand and take a value.
const GLOBAL_WITH_VALUE: &[&str] = &["--config", "-Z", "--color"];

/// Where the subcommand is.
fn verb_at(args: &[OsString]) -> usize {
    let mut at = 1;
    while let Some(arg) = args.get(at).filter(|arg| arg.to_string_lossy().starts_with('-')) {
        let name = flag_name(arg);
        let takes_value = WITH_VALUE.contains(&name) || GLOBAL_WITH_VALUE.contains(&name);
        if ["-h", "--help", "-V", "--version"].contains(&name) {
            return 1;
        }
        at += if takes_value && arg.len() == name.len() { 2 } else { 1 };
    }
    if at < args.len() { at } else { 1 }
}

/// The part of a flag before `=`.
fn flag_name(arg: &OsStr) -> &str {
    let name = arg.as_encoded_bytes().split(|byte| *byte == b'=').next();
    name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
}

/// What this command has to know of the flags that go to cargo.
#[derive(Clone, Debug, Default)]
pub(crate) struct CargoFlags {
    /// The flags, untouched.
    pub(crate) all: Vec<OsString>,
    /// Those for the subcommand: without `general` and `--target-dir`.
    pub(crate) subcommand: Vec<OsString>,
    /// Those that choose the manifest and the features: `cargo metadata` gets
    /// them too.
    pub(crate) selection: Vec<OsString>,
    /// Those that concern every call of cargo: `--config`, `-Z`, `--color`.
    pub(crate) general: Vec<OsString>,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) offline: bool,
    pub(crate) locked: bool,
    pub(crate) colour: Option<String>,
    /// `--target-dir`; cargo gets it from us.
    pub(crate) target_dir: Option<OsString>,
    /// The packages chosen with `-p`.
    pub(crate) packages: Vec<String>,
    /// All of the workspace's packages are chosen.
    pub(crate) workspace: bool,
    /// A flag that contradicts what this command does.
    pub(crate) refused: Option<&'static str>,
}

impl CargoFlags {
    pub(crate) fn new(all: Vec<OsString>) -> Self {
        let mut found = CargoFlags { all: all.clone(), ..Self::default() };
        let mut rest = all.into_iter();
        while let Some(arg) = rest.next() {
            let name = flag_name(&arg).to_owned();
            let inline = arg.len() > name.len();
            let takes_value = matches!(
                name.as_str(),
                "--manifest-path"
                    | "--features"
                    | "-F"
                    | "--config"
                    | "-Z"
                    | "--color"
                    | "--target-dir"
                    | "-p"
                    | "--package"
            );
            let mut flag = vec![arg];
            if takes_value && !inline {
                flag.extend(rest.next());
            }
            match name.as_str() {
                "--target-dir" => {
                    found.target_dir = value_of(&flag, &name);
                    continue;
                }
                "--config" | "-Z" | "--color" => {
                    if name == "--color" {
                        found.colour = value_of(&flag, &name).and_then(|v| v.into_string().ok());
                    }
                    found.general.append(&mut flag);
                    continue;
                }
                name if name.starts_with("-Z") => {
                    found.general.append(&mut flag);
                    continue;
                }
                "--manifest-path"
                | "--features"
                | "-F"
                | "--all-features"
                | "--no-default-features" => {
                    found.selection.extend(flag.iter().cloned());
                }
                name if name.starts_with("-F") => found.selection.extend(flag.iter().cloned()),
                "--offline" | "--frozen" | "--locked" => {
                    found.offline |= name != "--locked";
                    found.locked |= name != "--offline";
                }
                "-q" | "--quiet" => found.quiet = true,
                "-v" | "-vv" | "--verbose" => found.verbose = true,
                "-p" | "--package" => {
                    let spec = value_of(&flag, &name).and_then(|spec| spec.into_string().ok());
                    found.packages.extend(spec);
                }
                "--workspace" | "--all" => found.workspace = true,
                "--target" => found.refused = Some("--target"),
                "--lockfile-path" => found.refused = Some("--lockfile-path"),
                _ => {}
            }
            found.subcommand.append(&mut flag);
        }
        found
    }

    /// `--manifest-path FILE`, if it was given.
    pub(crate) fn manifest_path(&self) -> &[OsString] {
        let is_it = |arg: &OsString| flag_name(arg) == "--manifest-path";
        match self.selection.iter().position(is_it) {
            Some(at) if self.selection[at] == "--manifest-path" => {
                self.selection.get(at..at + 2).unwrap_or_default()
            }
            Some(at) => &self.selection[at..=at],
            None => &[],
        }
    }
}

/// The value in `--flag value` or `--flag=value`.
fn value_of(given: &[OsString], name: &str) -> Option<OsString> {
    let last = given.last()?;
    let inline = last.to_str().and_then(|text| text.strip_prefix(name)?.strip_prefix('='));
    Some(inline.map_or_else(|| last.clone(), OsString::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(args: &[&str]) -> Vec<OsString> {
        args.iter().map(OsString::from).collect()
    }

    #[test]
    fn our_flags_are_found_among_cargos() {
        let line = divide(
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
            line.ours,
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
        let Command::Run(args) = Cli::parse_from(line.ours).command else { panic!("not run") };
        assert_eq!(args.guest.engine, Engine::Wasmedge);
        assert_eq!(args.guest.wasi, Wasi::P2);
        assert_eq!(args.cargo, strings(&["--release", "--bin", "a"]));
    }

    #[test]
    fn flags_may_come_before_the_subcommand() {
        let ours = |args: &[&str]| divide(strings(args).into_iter()).ours;
        let line = ["cargo-wasio", "wasio", "--config", "run", "-Zx", "--wasi", "p2", "run", "-q"];
        let end = ["cargo-wasio", "run", "--wasi", "p2", "--", "--config", "run", "-Zx", "-q"];
        assert_eq!(ours(&line), strings(&end));
        let tried = ["cargo-wasio", "try", "--config=a=1", "mini-redis"];
        assert_eq!(ours(&["cargo-wasio", "--config=a=1", "try", "mini-redis"]), strings(&tried));
        for alone in
            [&["cargo-wasio", "--version"][..], &["cargo-wasio"], &["cargo-wasio", "--config"]]
        {
            assert_eq!(ours(alone), strings(alone));
        }
    }

    #[test]
    fn cargo_flags_are_read_and_kept() {
        let given = strings(&["--features", "a b", "-q", "--color=never", "-Zx", "--locked"]);
        let flags = CargoFlags::new(given.clone());
        assert_eq!(flags.all, given);
        assert_eq!(flags.selection, strings(&["--features", "a b"]));
        assert_eq!(flags.general, strings(&["--color=never", "-Zx"]));
        assert_eq!(flags.colour.as_deref(), Some("never"));
        assert!(flags.quiet && flags.locked && !flags.offline);
        assert_eq!(flags.subcommand, strings(&["--features", "a b", "-q", "--locked"]));
        let given = ["--config", "a=1", "--target-dir", "t", "-Z", "x", "--config=f", "--bin", "b"];
        let flags = CargoFlags::new(strings(&given));
        assert_eq!(flags.general, strings(&["--config", "a=1", "-Z", "x", "--config=f"]));
        assert_eq!(flags.subcommand, strings(&["--bin", "b"]));
        assert_eq!(flags.target_dir, Some("t".into()));
        assert_eq!(CargoFlags::new(strings(&["--target", "x"])).refused, Some("--target"));
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
