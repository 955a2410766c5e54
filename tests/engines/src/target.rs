//! What is compiled for a target: one that cannot work is refused with a sentence; the echo guest is small.

use anyhow::{Context, Result, ensure};
use xtask::targets::Target;
use xtask::{cargo, guests, workspace};

use crate::world::World;
use crate::{Case, NATIVE, WASIO};

pub(crate) const CASES: &[Case] = &[
    Case { name: "wasm_threads_are_refused", needs: &[], on: NATIVE, run: threads },
    Case { name: "the_echo_guest_is_small", needs: &[], on: WASIO, run: size },
];

/// The largest stripped echo guest that is accepted, without the names that a component's linker adds. Lower these when
/// it shrinks.
const fn largest_echo(target: Target) -> usize {
    match target {
        Target::P1 => 95_300,
        Target::P2 => 111_600,
    }
}

fn size(world: &World) -> Result<()> {
    let target = world.platform().target().context("it is a guest")?;
    let below = largest_echo(target);
    let benches = workspace::root().join("benches/wasio");
    let built = guests::build(&benches, Some(target.triple()), &["--bin", "bench-echo"], &|_| {})?;
    let guest = std::fs::read(cargo::find(&built, "bench-echo")?)?;
    let bytes = guest.len() - names(&guest)?;
    ensure!(bytes < below, "it has {bytes} bytes, less than {below} wanted");
    Ok(())
}

/// What a component's own names take: its linker writes them even for a build that is stripped, and
/// `wasm-tools strip --all` takes them out.
fn names(component: &[u8]) -> Result<usize> {
    let mut bytes = 0;
    for payload in wasmparser::Parser::new(0).parse_all(component) {
        if let wasmparser::Payload::CustomSection(section) = payload?
            && section.name() == "component-name"
        {
            let len = section.range().len();
            // Before it are its kind and its length, seven bits to the byte.
            bytes += len + 1 + (usize::BITS - len.leading_zeros()).div_ceil(7) as usize;
        }
    }
    Ok(bytes)
}

fn threads(_: &World) -> Result<()> {
    let mut command = cargo::command();
    command.args(["check", "--package", "wasio-runtime"]);
    command.arg("--target-dir").arg(workspace::guest_target_dir());
    if cargo::has_target("wasm32-wasip1-threads") {
        command.args(["--target", "wasm32-wasip1-threads"]);
    } else {
        // What that target switches on.
        command.args(["--target", Target::P1.triple()]);
        command.env("RUSTFLAGS", "-Ctarget-feature=+atomics,+bulk-memory,+mutable-globals");
    }
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "it compiles");
    ensure!(
        said.contains("wasio runs on one thread"),
        "it is refused without the sentence:\n{said}"
    );
    Ok(())
}
