//! `cargo xtask demo`: published programs, not a line changed, running as WASI guests.

use anyhow::{Result, bail};
use xtask::cargo;
use xtask::engine::Runner;
use xtask::guests;
use xtask::platform::{Host, Platform, guest_target_parser};
use xtask::report::{Steps, duration};
use xtask::targets::{Engine, Target};

mod http;
mod redis;

/// Options of the demo.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The platform that runs the guests.
    #[arg(long, value_parser = Platform::parser(), default_value = "wasio")]
    engine: Platform,
    /// The target to build the guests for, with `wasio run`.
    #[arg(long, value_parser = guest_target_parser(), conflicts_with = "engine")]
    target: Option<Target>,
    /// Print the steps as JSON on standard output.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = Steps::new(args.json);
    let platform = args.target.map_or(args.engine, |target| Platform::wasio(Some(target)));
    let result = demo(&mut steps, platform);
    if args.json {
        let ok = result.is_ok();
        let report = serde_json::json!({
            "engine": platform.name(),
            "ok": ok,
            "steps": steps.done(),
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    result
}

fn demo(steps: &mut Steps, platform: Platform) -> Result<()> {
    steps.say(&format!("Published tokio programs as guests; engine: {}", platform.name()));
    if let Some(target) = platform.triple() {
        steps.run("the toolchain's WASI target", "build", |_| {
            Ok(((), cargo::ensure_targets(&[target])?))
        })?;
    }
    let runner = find(steps, platform)?;
    let examples = steps.run("build the examples", "build", |progress| {
        let built = guests::examples(platform.triple(), progress)?;
        let note = format!("{} programs", built.len());
        Ok((built, note))
    })?;
    redis::demo(steps, &runner, &examples)?;
    http::demo(steps, &runner, &examples)?;
    summary(steps, &runner);
    Ok(())
}

fn find(steps: &mut Steps, platform: Platform) -> Result<Runner> {
    let title = match platform.host() {
        Host::Native => "find this machine".to_owned(),
        Host::Stock => "build the stock host".to_owned(),
        Host::Engine(Engine::Wasio) => "build the runner, `wasio`".to_owned(),
        Host::Engine(engine) => format!("find {engine}"),
    };
    steps.run(&title, "build", |progress| match Runner::get(platform, progress)? {
        Some(runner) => {
            let version = runner.version();
            Ok((runner, version))
        }
        None => bail!("{} was not found on the PATH", platform.title()),
    })
}

fn summary(steps: &Steps, runner: &Runner) {
    let on_engine = |ran_on: &str| ran_on == runner.platform().name();
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
