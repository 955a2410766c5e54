//! `cargo wasio build --wasm-opt`: makes cargo's output smaller with Binaryen's `wasm-opt`.
//!
//! cargo keeps each program twice, as links to one file. The optimized one replaces the link that users run. cargo
//! restores that link in its next build, so nothing is ever optimized twice.
//!
//! `wasm-opt` supports only modules. In a component, its modules are optimized, and the rest is copied.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use wasm_encoder::RawSection;
use wasmparser::{Parser, Payload};

use super::program;
use super::shell::Shell;

/// rustc's default features, and SIMD. A stripped module does not list the features that it uses.
const FEATURES: [&str; 7] = [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
    "simd",
];
/// The section that names functions.
const NAMES: &str = "name";
/// The section that names the parts of a component. The linker writes it even when told to strip.
const COMPONENT_NAMES: &str = "component-name";

/// Binaryen's optimizer, with an optimization level.
#[derive(Debug)]
pub(crate) struct WasmOpt {
    program: PathBuf,
    level: String,
}

/// A message of cargo that a target was built.
#[derive(Deserialize)]
struct Built {
    reason: String,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

impl WasmOpt {
    /// Finds the program.
    pub(crate) fn find(level: String) -> Result<WasmOpt> {
        let Some(program) = program::named_or_on_path("WASIO_WASM_OPT", "wasm-opt")? else {
            bail!(
                "--wasm-opt needs Binaryen, and there is no `wasm-opt` on the PATH, nor does WASIO_WASM_OPT name \
                 one.\nInstall it with `apt-get install binaryen`, `brew install binaryen` or \
                 `npm install --global binaryen`."
            )
        };
        Ok(WasmOpt { program, level })
    }

    /// Runs the build of cargo, and optimizes its output.
    pub(crate) fn build(&self, mut command: Command, shell: &Shell) -> Result<ExitCode> {
        let mut cargo = command
            .arg("--message-format=json-render-diagnostics")
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start cargo")?;
        let mut files = BTreeSet::new();
        for line in BufReader::new(cargo.stdout.take().context("cargo's messages")?).lines() {
            let Ok(built) = serde_json::from_str::<Built>(&line?) else { continue };
            if built.reason == "compiler-artifact" {
                files.extend(built.filenames);
            }
        }
        let status = cargo.wait()?;
        if !status.success() {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(code.map_or(ExitCode::FAILURE, ExitCode::from));
        }
        for file in files.iter().filter(|file| file.extension() == Some(OsStr::new("wasm"))) {
            self.optimize(file, shell)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Optimizes a module or component, and reports it.
    pub(crate) fn optimize(&self, file: &Path, shell: &Shell) -> Result<()> {
        let name = file.display();
        let done = self.replace(file).with_context(|| format!("cannot optimize {name}"));
        let [before, after] = done?;
        let level = &self.level;
        shell.status("Optimized", format_args!("{name} (-O{level}: {before} -> {after} bytes)"));
        Ok(())
    }

    /// Replaces a file with the optimizer's output atomically. Returns both lengths in bytes.
    fn replace(&self, file: &Path) -> Result<[usize; 2]> {
        let folder = tempfile::Builder::new()
            .prefix(".wasm-opt-")
            .tempdir_in(file.parent().context("a file in a folder")?)?;
        let given = fs::read(file)?;
        let made = if Parser::is_component(&given) {
            self.component(&given, folder.path())?
        } else {
            self.module(&given, folder.path())?
        };
        let fresh = folder.path().join("fresh.wasm");
        fs::write(&fresh, &made)?;
        fs::set_permissions(&fresh, fs::metadata(file)?.permissions())?;
        fs::rename(&fresh, file)?;
        Ok([given.len(), made.len()])
    }

    fn module(&self, bytes: &[u8], folder: &Path) -> Result<Vec<u8>> {
        let [given, made] = ["given.wasm", "made.wasm"].map(|name| folder.join(name));
        fs::write(&given, bytes)?;
        let mut command = Command::new(&self.program);
        command.arg(format!("-O{}", self.level));
        command.args(FEATURES.map(|feature| format!("--enable-{feature}")));
        if has_section(bytes, NAMES)? {
            command.arg("--debuginfo");
        }
        let output = command.arg(&given).arg("--output").arg(&made).stdin(Stdio::null()).output();
        let program = self.program.display();
        let output = output.with_context(|| format!("cannot start {program}"))?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!("{program} ended with {}:\n{}", output.status, why.trim_end());
        }
        Ok(fs::read(&made)?)
    }

    fn component(&self, bytes: &[u8], folder: &Path) -> Result<Vec<u8>> {
        let mut made = wasm_encoder::Component::new();
        // If the modules of a component have no names, those of the component are the linker's.
        let mut is_stripped = true;
        // The nesting depth of modules and components.
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if depth == 0
                && let Some((id, range)) = payload.as_section()
            {
                let data = &bytes[range];
                match &payload {
                    Payload::ModuleSection { .. } => {
                        is_stripped &= !has_section(data, NAMES)?;
                        made.section(&RawSection { id, data: &self.module(data, folder)? });
                    }
                    Payload::CustomSection(s) if is_stripped && s.name() == COMPONENT_NAMES => {}
                    _ => drop(made.section(&RawSection { id, data })),
                }
            }
            match payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                _ => {}
            }
        }
        Ok(made.finish())
    }
}

fn has_section(module: &[u8], name: &str) -> Result<bool> {
    for payload in Parser::new(0).parse_all(module) {
        if matches!(payload?, Payload::CustomSection(section) if section.name() == name) {
            return Ok(true);
        }
    }
    Ok(false)
}
