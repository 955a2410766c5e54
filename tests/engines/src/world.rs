//! One engine with everything built for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::cargo::Built;
use xtask::engine::{Launch, Runner};
use xtask::guests::{self, Tokio};
use xtask::platform::Platform;
use xtask::workspace;

/// A guest that has not done its work after this hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// One engine with everything built for it.
pub(crate) struct World {
    runner: Runner,
    built: BTreeMap<String, PathBuf>,
    /// Guests that were made ready for the engine, which takes WasmEdge a while.
    ready: Mutex<BTreeMap<String, PathBuf>>,
    crates: Mutex<BTreeMap<String, PathBuf>>,
}

impl World {
    /// Builds the guests for `platform`; `None` when it is not installed.
    pub(crate) fn build(platform: Platform) -> Result<Option<World>> {
        let Some(runner) = Runner::get(platform, &|_| {})? else { return Ok(None) };
        let mut built = BTreeMap::new();
        let mut add = |programs: Vec<Built>, suffix: &str| {
            for program in programs {
                built.insert(program.name + suffix, program.path);
            }
        };
        let target = platform.triple();
        add(guests::of_tests(target, &|_| {})?, "");
        add(guests::examples(target, &|_| {})?, "");
        add(guests::mini_redis(target, Tokio::Ours, &|_| {})?, "");
        Ok(Some(World { runner, built, ready: Mutex::default(), crates: Mutex::default() }))
    }

    pub(crate) fn platform(&self) -> Platform {
        self.runner.platform()
    }

    /// A start of the program `name` of `examples/crates`, which are built when first asked for.
    pub(crate) fn launch_crate(&self, name: &str) -> Result<Launch<'_>> {
        let mut built = self.crates.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if built.is_empty() {
            for program in guests::crates(self.platform().triple(), &|_| {})? {
                built.insert(program.name, program.path);
            }
        }
        let guest = built.get(name).with_context(|| format!("no program named {name}"))?;
        Ok(self.runner.launch(guest))
    }

    /// A start of the guest `name`.
    pub(crate) fn launch(&self, name: &str) -> Result<Launch<'_>> {
        let mut ready = self.ready.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(guest) = ready.get(name) {
            return Ok(self.runner.launch(guest));
        }
        let guest = self.built.get(name).with_context(|| format!("no guest named {name}"))?;
        let guest = self.runner.prepare(guest)?;
        ready.insert(name.to_owned(), guest.clone());
        Ok(self.runner.launch(&guest))
    }
}

/// Whether a program of this machine is there; clang has to compile for WebAssembly, too.
pub(crate) fn installed(name: &str) -> bool {
    workspace::program(name).is_some() && (name != "clang" || xtask::clang::compiles_wasm())
}
