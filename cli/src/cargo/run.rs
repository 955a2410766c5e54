//! `cargo wasio run`, `build`, `check` and `test`.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::args::GuestArgs;
use super::clang::Clang;
use super::engine;
use super::exec::become_command;
use super::exit_codes;
use super::flags::CargoFlags;
use super::patch::{self, State};
use super::project::{Project, Resolved};
use super::runner::Plan;
use super::rustc;
use super::shell::Shell;
use super::toolchain::{self, Cargo};
use super::wasm_opt::WasmOpt;
use crate::targets::Target;

/// One call of cargo on a project.
pub(crate) struct Job {
    /// cargo's subcommand: `run`, `build`, `check` or `test`.
    pub(crate) verb: &'static str,
    pub(crate) guest: GuestArgs,
    pub(crate) flags: CargoFlags,
    /// The guest's arguments.
    pub(crate) args: Vec<OsString>,
    /// The optimizer of the build's output.
    pub(crate) wasm_opt: Option<WasmOpt>,
}

impl Job {
    /// Runs the job in the project that is named by the flags, or is in the current folder.
    pub(crate) fn start(self, cargo: Cargo, shell: Shell) -> Result<ExitCode> {
        let target = self.guest.wasi.triple();
        let runs = matches!(self.verb, "run" | "test");
        if runs {
            engine::build_in_repository(&shell)?;
        }
        // Checked first: a build that cannot be run is of no use.
        let (engine, wasi) = (self.guest.engine, self.guest.wasi);
        if runs && !engine.runs(wasi) {
            let runs: Vec<_> = Target::ALL.iter().filter(|target| engine.runs(**target)).collect();
            let runs: Vec<_> =
                runs.iter().map(|target| format!("--wasi {}", target.wasi())).collect();
            bail!(
                "the engine `{engine}` does not run guests for {target}: use {}, or another --engine",
                runs.join(" or ")
            );
        }
        let engine = if runs { Some(engine::find(engine)?) } else { None };
        let project = Project::open(cargo, self.flags, shell)?;
        let builds_std =
            project.flags.all.iter().any(|flag| flag.to_string_lossy().contains("build-std"));
        if !builds_std {
            toolchain::ensure_target(target, project.flags.offline, &shell)?;
        }
        let resolved = project.resolve(target)?;
        announce(&project, &resolved, target)?;

        let mut command = project.cargo.with_lock(&project.lock, &resolved.config, self.verb)?;
        // Most crates with C code have it compiled by this one.
        if resolved.metadata.named("cc").next().is_some()
            && let Some(clang) = Clang::find()
        {
            clang.install(&mut command, target);
        }
        command.args(["--target", target]).arg("--target-dir").arg(&project.target_dir);
        command.args(&project.flags.subcommand);
        if !self.args.is_empty() {
            command.arg("--").args(&self.args);
        }
        rustc::wrap(&mut command, &project.config)?;
        exit_codes::install(&mut command, &resolved.metadata, &project.sources);
        if let Some(program) = engine {
            announce_runner(&project, target);
            // Most crates read certificates through this package, which reads files on WASI.
            let certificates = resolved.metadata.named("rustls-native-certs").next().is_some();
            let (tests, quiet) = (self.verb == "test", project.flags.quiet);
            let plan = Plan::new(&self.guest, program, tests, quiet, certificates);
            plan.install(&mut command, target)?;
        }
        match self.wasm_opt {
            Some(wasm_opt) => wasm_opt.build(command, &project.shell),
            None => become_command(command),
        }
    }
}

/// Reports which of two runners runs the guest: wasio's has precedence over all but one set by `--config`.
fn announce_runner(project: &Project, target: &str) {
    if let Some(key) = project.config.runner_on_command_line(target) {
        project.shell.note(format_args!(
            "the {key} that --config names runs the guest: --engine and wasio's grants are not used"
        ));
    } else if let Some((key, origin)) = project.config.overridden_runner(target) {
        project.shell.note(format_args!(
            "wasio runs the guest, not the {key} of {origin}; \
             `--config target.{target}.runner=…` chooses another runner"
        ));
    }
}

/// Reports which packages the drop-ins replace, or why they cannot.
fn announce(project: &Project, resolved: &Resolved, target: &str) -> Result<()> {
    let shell = &project.shell;
    let own_patch = project.config.patch("tokio");
    if let Some(why) = resolved.state.explanation() {
        match own_patch {
            Some(origin) => bail!(
                "cargo does not use the patch of tokio in {origin}, and because of it wasio did not add its own: remove \
                 that patch, or give it a version that the requirements on tokio allow"
            ),
            None => bail!("{why}"),
        }
    }
    match &resolved.state {
        State::OwnDropIn(version) => {
            let origin = own_patch.unwrap_or("this project");
            shell.status("Keeping", format_args!("tokio {version}, which {origin} names itself"));
        }
        State::InUse(_) | State::NoTokio | State::NotInUse(_) => {}
    }
    for (drop_in, folder) in project.drop_ins() {
        if resolved.config.contains(&drop_in.patch(&folder)?[0]) {
            let (name, version) = (drop_in.name, drop_in.version);
            shell.status("Patching", format_args!("{name} -> wasio's {name} {version} ({target})"));
        }
    }
    for obstacle in patch::left_out(&resolved.metadata) {
        shell.warning(format_args!("{}", obstacle.explanation()));
    }
    let old = resolved.metadata.reachable().into_iter().filter(|p| p.name == "tokio");
    for package in old.filter(|package| package.version.major == 0) {
        let chain = resolved.metadata.chain_to(&package.id);
        let chain: Vec<_> = chain.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
        shell.warning(format_args!(
            "tokio {} is in the tree too, and wasio does not replace it: {}",
            package.version,
            chain.join(" -> ")
        ));
    }
    Ok(())
}
