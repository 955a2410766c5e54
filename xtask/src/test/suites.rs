//! The suites: which `cargo test` runs on which engine.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use xtask::cargo;
use xtask::engine::Runner;
use xtask::guests::MINI_REDIS;
use xtask::platform::{Host, Platform};
use xtask::targets::Engine;
use xtask::workspace;

use super::runner_line;

/// One `cargo test`, or something that prints like one.
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) command: Command,
}

/// The suites of the runner's engine.
pub(super) fn on(runner: &Runner, filter: Option<&str>) -> Result<Vec<Suite>> {
    let mut suites = match runner.platform() {
        Platform::Native => vec![guest_crates()?, runner_crates()],
        _ => vec![public_api(runner)?],
    };
    if runner.platform() == Platform::Wasio {
        suites.push(mini_redis(program(runner)));
    }
    suites.push(engine_tests(runner));
    if let Some(filter) = filter {
        for suite in &mut suites {
            suite.command.arg(filter);
        }
    }
    Ok(suites)
}

fn cargo_test(name: &str, args: &[&str]) -> Suite {
    let mut command = cargo::command();
    command.args(["test", "--no-fail-fast"]).args(args);
    Suite { name: name.to_owned(), command }
}

/// The small drop-ins.
const SMALL: &[&str] = &[
    "-p",
    "futures-executor@0.3.999",
    "-p",
    "futures-timer@3.999.0",
    "-p",
    "hostname@0.4.999",
    "-p",
    "pollster@1.999.0",
    "-p",
    "quinn-udp@0.5.999",
    "-p",
    "rustls-native-certs@0.8.999",
    "-p",
    "uname@0.1.999",
    "-p",
    "wasite@1.999.0",
    "-p",
    "whoami@1.999.0",
];

/// Everything that guests are made of, with the examples in their documentation.
fn guest_crates() -> Result<Suite> {
    let mut suite = cargo_test(
        "runtime, net, macros, facades, with doctests",
        &["-p", "wasio-runtime", "-p", "wasio-net", "-p", "wasio-macros", "-p", "wasio"],
    );
    // By version too: the published tokio, which the host uses, has the same name.
    suite.command.args(["-p", "tokio@1.999.0", "-p", "socket2@0.6.999", "-p", "xtask"]);
    suite.command.args(SMALL);
    Ok(suite)
}

/// The host's library and the commands; in release, as everything that contains the engine, so
/// that it is compiled once.
fn runner_crates() -> Suite {
    cargo_test("host library and commands", &["--release", "-p", "wasio-host", "-p", "wasio-cli"])
}

/// The tests of the public API, compiled for WASI and run as guests.
fn public_api(runner: &Runner) -> Result<Suite> {
    let target = runner.platform().triple().expect("a guest's target");
    let packages = ["-p", "wasio", "-p", "socket2@0.6.999", "--tests", "--target", target];
    let mut suite = cargo_test("the public API's tests", &packages);
    suite.command.args(SMALL);
    let options: &[&str] = match runner.platform().host() {
        Host::Engine(Engine::Wasio) => &["--timeout", "300s"],
        // Interpreted: compiling fifty test binaries ahead of time takes longer than running them. The
        // programs against real peers, the demo and the benchmarks are compiled.
        Host::Engine(Engine::Wasmedge) => {
            &["--env", "WASIO_TEST_BYTES=1000000", "--env", "WASIO_TEST_UNIX_SOCKETS=1"]
        }
        Host::Stock | Host::Native => &[],
    };
    let mut words = runner.words(true);
    words.extend(options.iter().chain(&["--"]).map(Into::into));
    let line = runner_line(&words)?;
    let variable = target.to_uppercase().replace('-', "_");
    suite.command.env(format!("CARGO_TARGET_{variable}_RUNNER"), line);
    Ok(suite)
}

/// Programs that run as guests against real peers: `tests/engines`.
fn engine_tests(runner: &Runner) -> Suite {
    let mut suite = cargo_test("programs against real peers", &["-p", "engines", "--"]);
    suite.command.env("WASIO_TEST_ENGINE", runner.platform().name());
    // A program that is built already is not built again.
    if let (Some(variable), Some(program)) = (runner.variable(), runner.program()) {
        suite.command.env(variable, program);
    }
    suite.command.env("CARGO_TARGET_DIR", workspace::target_dir());
    suite
}

fn program(runner: &Runner) -> &Path {
    runner.program().expect("the runner is a program")
}

/// mini-redis' own test suite, as `cargo wasio try` beside this program runs it.
fn mini_redis(program: &Path) -> Suite {
    let mut command = Command::new(program.with_file_name("cargo-wasio"));
    command.args(["wasio", "try", &format!("mini-redis@{MINI_REDIS}"), "--test", "--quiet"]);
    // A filter is for the tests.
    command.arg("--");
    command.current_dir(workspace::root());
    Suite { name: "mini-redis' own tests".to_owned(), command }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn a_filter_reaches_mini_redis_tests() {
        let mut command = super::mini_redis(Path::new("/bin/wasio")).command;
        command.arg("pattern");
        let args: Vec<_> = command.get_args().collect();
        assert!(args.ends_with(&["--".as_ref(), "pattern".as_ref()]), "{args:?}");
    }
}
