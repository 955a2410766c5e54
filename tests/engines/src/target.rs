//! A target that cannot work is refused when it is compiled for, with a sentence.

use anyhow::{Result, ensure};
use xtask::{cargo, workspace};

use crate::world::World;
use crate::{Case, NATIVE};

// No engine takes part; so it runs once, with the native tests.
pub(crate) const CASES: &[Case] =
    &[Case { name: "wasm_threads_are_refused", needs: &[], on: NATIVE, run: threads }];

fn threads(_: &World) -> Result<()> {
    let mut command = cargo::command();
    command.args(["check", "--package", "wasio-runtime"]);
    command.arg("--target-dir").arg(workspace::guest_target_dir());
    if cargo::has_target("wasm32-wasip1-threads") {
        command.args(["--target", "wasm32-wasip1-threads"]);
    } else {
        // What that target switches on.
        command.args(["--target", cargo::WASIP1]);
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
