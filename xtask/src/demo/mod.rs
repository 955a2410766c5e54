//! `cargo xtask demo`: published programs, not a line changed, running as WASI guests.

use anyhow::{Result, bail};
use xtask::cargo;
use xtask::engine::{Engine, Runner};
use xtask::guests;
use xtask::report::{Steps, duration};

mod http;
mod redis;

/// Options of the demo.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The engine that runs the guests.
    #[arg(long, value_enum, default_value = "wasio")]
    engine: Engine,
    /// The target to build the guests for, with `wasio run`.
    #[arg(long, value_enum, conflicts_with = "engine")]
    target: Option<Target>,
    /// Print the steps as JSON on standard output.
    #[arg(long)]
    json: bool,
}

/// What guests are built for.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Target {
    /// `wasm32-wasip1`.
    Wasip1,
    /// `wasm32-wasip2`.
    Wasip2,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = Steps::new(args.json);
    let engine = match args.target {
        Some(Target::Wasip1) => Engine::Wasio,
        Some(Target::Wasip2) => Engine::Wasip2,
        None => args.engine,
    };
    let result = demo(&mut steps, engine);
    if args.json {
        let ok = result.is_ok();
        let report = serde_json::json!({
            "engine": engine.name(),
            "ok": ok,
            "steps": steps.done(),
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    result
}

fn demo(steps: &mut Steps, engine: Engine) -> Result<()> {
    steps.say(&format!("Published tokio programs as guests; engine: {}", engine.name()));
    if let Some(target) = engine.target() {
        steps.run("the toolchain's WASI target", "build", |_| {
            Ok(((), cargo::ensure_targets(&[target])?))
        })?;
    }
    let runner = find(steps, engine)?;
    let examples = steps.run("build the examples", "build", |progress| {
        let built = guests::examples(engine.target(), progress)?;
        let note = format!("{} programs", built.len());
        Ok((built, note))
    })?;
    redis::demo(steps, &runner, &examples)?;
    http::demo(steps, &runner, &examples)?;
    summary(steps, &runner);
    Ok(())
}

fn find(steps: &mut Steps, engine: Engine) -> Result<Runner> {
    let title = match engine {
        Engine::Wasio | Engine::Wasip2 => "build the runner, `wasio`",
        Engine::Stock => "build the stock host",
        Engine::Wasmedge => "find WasmEdge",
        Engine::Native => return Ok(Runner::native()),
    };
    steps.run(title, "build", |progress| match Runner::get(engine, progress)? {
        Some(runner) => {
            let version = runner.version();
            Ok((runner, version))
        }
        None => bail!("no `wasmedge` on the PATH; WASIO_WASMEDGE may name one"),
    })
}

fn summary(steps: &Steps, runner: &Runner) {
    let on_engine = |ran_on: &str| ran_on == runner.engine().name();
    let (mut build, mut run) = (0.0, 0.0);
    for step in steps.done() {
        if on_engine(&step.ran_on) {
            run += step.seconds;
        } else {
            build += step.seconds;
        }
    }
    steps.say("");
    steps.say(&format!("What ran where ({}):", runner.version()));
    for step in steps.done().iter().filter(|step| on_engine(&step.ran_on)) {
        let time = duration(step.seconds);
        steps.say(&format!("  {:44} {:9} {time:>9}", step.step, step.ran_on));
    }
    steps.say(&format!(
        "All of it worked. Building took {}, running {}.",
        duration(build),
        duration(run)
    ));
}
