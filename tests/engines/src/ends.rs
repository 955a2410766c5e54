//! How programs end: panics that say what to do, deadlocks, exit codes, Ctrl-C.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use xtask::process::Finished;
use xtask::workspace;

use crate::idle::host_calls;
use crate::world::{LIMIT, World};
use crate::{ALL, Case, NATIVE, On, WASIO, WASM};

pub(crate) const CASES: &[Case] = &[
    Case { name: "spawn_outside_a_runtime", needs: &[], on: ALL, run: spawn_outside },
    Case { name: "sleep_outside_a_runtime", needs: &[], on: ALL, run: sleep_outside },
    Case { name: "connect_outside_a_runtime", needs: &[], on: ALL, run: connect_outside },
    Case { name: "block_on_inside_block_on", needs: &[], on: ALL, run: nested },
    Case { name: "a_panic_in_a_task_ends_the_guest", needs: &[], on: WASM, run: task_panic },
    Case { name: "a_panic_in_a_task_is_an_error", needs: &[], on: NATIVE, run: task_panic_native },
    Case { name: "deadlock", needs: &[], on: WASM, run: deadlock },
    Case { name: "a_wait_for_another_thread_says_so", needs: &[], on: WASM, run: condvar },
    Case { name: "exit_code", needs: &[], on: ALL, run: exit_code },
    Case { name: "waiting_for_ctrl_c_is_no_deadlock", needs: &[], on: ALL, run: ctrl_c_waits },
    Case { name: "ctrl_c_is_delivered", needs: &[], on: SIGNALLED, run: ctrl_c_delivered },
    Case { name: "a_second_signal_ends_the_guest", needs: &[], on: WASIO, run: second_stops },
];

/// Platforms on which a program receives signals.
const SIGNALLED: On = |on| on.is_wasio() || !on.is_guest();

const OUTSIDE: &str =
    "there is no reactor running, must be called from the context of a Tokio 1.x runtime";

fn end(world: &World, case: &str) -> Result<Finished> {
    Ok(world.launch("panics")?.arg(case).spawn(case)?.finish(LIMIT)?)
}

/// The guest panicked: it says `text`, and its exit code is that of a trap or a panic.
fn panics(world: &World, case: &str, text: &str) -> Result<Finished> {
    let done = end(world, case)?;
    // Long texts may be broken into lines anywhere.
    let said = done.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    if !said.contains(text) {
        return Err(done.failure(format!("stderr lacks {text:?}")).into());
    }
    let code = done.status.code();
    let as_expected = match world.platform().panic_code() {
        Some(expected) => code == Some(expected),
        None => code != Some(0),
    };
    if !as_expected {
        let status = done.status;
        return Err(done.failure(format!("ended with {status}")).into());
    }
    Ok(done)
}

fn spawn_outside(world: &World) -> Result<()> {
    panics(world, "spawn-outside", OUTSIDE).map(drop)
}

fn sleep_outside(world: &World) -> Result<()> {
    panics(world, "sleep-outside", OUTSIDE).map(drop)
}

fn connect_outside(world: &World) -> Result<()> {
    panics(world, "connect-outside", OUTSIDE).map(drop)
}

fn nested(world: &World) -> Result<()> {
    panics(world, "nested", "Cannot start a runtime from within a runtime").map(drop)
}

/// The message, and where the task was spawned.
fn task_panic(world: &World) -> Result<()> {
    let done = panics(world, "task", "the task's own words")?;
    let spawned = done.stderr.lines().find(|line| line.contains("spawned at"));
    ensure!(
        spawned.is_some_and(|line| line.contains("panics.rs:")),
        done.failure("stderr does not say where the task was spawned")
    );
    Ok(())
}

fn task_panic_native(world: &World) -> Result<()> {
    let done = end(world, "task")?.success()?;
    ensure!(done.stdout.contains("the task panicked: true"), done.failure("no JoinError"));
    Ok(())
}

fn deadlock(world: &World) -> Result<()> {
    let done = panics(world, "deadlock", "deadlock: every task is waiting")?;
    let whose = "it does not say whose `block_on` waits for ever";
    ensure!(done.stderr.contains("src/bin/panics.rs"), done.failure(whose));
    Ok(())
}

fn condvar(world: &World) -> Result<()> {
    panics(world, "condvar", "the guest has one thread").map(drop)
}

fn exit_code(world: &World) -> Result<()> {
    let done = end(world, "exit")?;
    let expected = if world.platform().has_exit_codes() { 7 } else { 1 };
    let text = format!("the exit code is not {expected}");
    ensure!(done.status.code() == Some(expected), done.failure(text));
    Ok(())
}

fn ctrl_c_waits(world: &World) -> Result<()> {
    let guest = world.launch("panics")?.arg("ctrl-c").spawn("ctrl-c")?;
    guest.line("waiting", LIMIT)?;
    std::thread::sleep(Duration::from_millis(500));
    guest.stop()?;
    Ok(())
}

fn signal(id: u32, name: &str) -> Result<()> {
    let status = Command::new("kill").args(["-s", name, &id.to_string()]).status()?;
    ensure!(status.success(), "kill -s {name} failed");
    Ok(())
}

fn ctrl_c_delivered(world: &World) -> Result<()> {
    let signals: &[&str] = if world.platform().is_wasio() { &["INT", "TERM"] } else { &["INT"] };
    for name in signals {
        let guest = world.launch("panics")?.arg("ctrl-c").spawn("ctrl-c")?;
        guest.line("waiting", LIMIT)?;
        // The handler is installed when the future is first polled, just after the line.
        std::thread::sleep(Duration::from_millis(200));
        signal(guest.id(), name)?;
        guest.line("came to its end", LIMIT)?;
        guest.finish(LIMIT)?.success()?;
    }
    Ok(())
}

/// The first is the guest's; it is told once, and the second ends it. Until then it asks nothing of the host.
fn second_stops(world: &World) -> Result<()> {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let file = format!("signals-{}-{}", world.platform().name(), std::process::id());
        let stats = workspace::scratch("engine-tests")?.join(file);
        let launch = world.launch("panics")?.option("--stats-file").option(&stats);
        let guest = launch.arg("ctrl-c-twice").spawn("ctrl-c-twice")?;
        guest.line("waiting", LIMIT)?;
        // The numbers are written four times a second.
        std::thread::sleep(Duration::from_millis(700));
        let before = host_calls(&stats)?;
        std::thread::sleep(Duration::from_millis(700));
        let made = host_calls(&stats)? - before;
        ensure!(made == 0, "{made} host calls while waiting for a signal");
        signal(guest.id(), "INT")?;
        guest.line("told: true", LIMIT)?;
        guest.line("told of it again: false", LIMIT)?;
        signal(guest.id(), name)?;
        let asked = Instant::now();
        let done = guest.finish(LIMIT)?;
        let took = asked.elapsed();
        ensure!(took < Duration::from_secs(2), "it took {took:?} to stop");
        ensure!(
            done.status.code() == Some(code),
            done.failure("the exit code is not the signal's")
        );
        let _ = std::fs::remove_file(&stats);
    }
    Ok(())
}
