//! `cargo wasio new`: a project that runs natively and as a guest, with its test.
//!
//! cargo makes the package, so that names, version control and workspaces are as with `cargo new`. This command adds a
//! program and its dependencies.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use super::args::{NewArgs, Template};
use super::shell::Shell;
use super::toolchain::Cargo;

const TOKIO: &str = "tokio = { version = \"1\", features = [\"full\"] }\n";

impl Template {
    /// Returns its dependencies in addition to tokio.
    fn dependencies(self) -> &'static str {
        match self {
            Template::Echo => "",
            Template::Axum => {
                "axum = { version = \"0.8\", default-features = false, features = [\"http1\", \"json\", \"tokio\"] }\n\
                 serde = { version = \"1\", features = [\"derive\"] }\n"
            }
            Template::Redis => {
                "redis = { version = \"1\", default-features = false, features = [\"aio\", \"tokio-comp\"] }\n"
            }
            Template::HttpClient => {
                "bytes = \"1\"\nhttp-body-util = \"0.1\"\n\
                 hyper = { version = \"1\", features = [\"client\", \"http1\"] }\n\
                 hyper-util = { version = \"0.1\", features = [\"tokio\"] }\n"
            }
        }
    }

    fn main(self) -> &'static str {
        match self {
            Template::Echo => include_str!("templates/echo.rs"),
            Template::Axum => include_str!("templates/axum.rs"),
            Template::Redis => include_str!("templates/redis.rs"),
            Template::HttpClient => include_str!("templates/http_client.rs"),
        }
    }
}

pub(crate) fn start(args: &NewArgs) -> Result<ExitCode> {
    let shell = Shell::new(args.quiet, None);
    let mut command = Cargo::find()?.plain();
    command.args(["new", "--quiet", "--bin", "--name"]);
    let named = args.name.as_deref().map(OsStr::new);
    command.arg(
        named
            .or_else(|| args.path.file_name())
            .context("the path has no last part to name the package")?,
    );
    let status = command
        .arg("--")
        .arg(&args.path)
        .stdin(Stdio::null())
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("`cargo new` did not make {}: see above", args.path.display());
    }
    let manifest = args.path.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let heading = "[dependencies]\n";
    let Some((before, behind)) = text.split_once(heading) else {
        bail!("{} has no [dependencies], where cargo used to write them", manifest.display());
    };
    let dependencies = format!("{}{TOKIO}", args.template.dependencies());
    let write = |path: PathBuf, text: &str| {
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    write(manifest, &format!("{before}{heading}{dependencies}{behind}"))?;
    write(args.path.join("src/main.rs"), args.template.main())?;
    shell.status("Created", format_args!("{}", args.path.display()));
    shell.note(format_args!(
        "`cd {}`, then natively `cargo run` and `cargo test`, as a guest `cargo wasio run` and `cargo wasio test`",
        args.path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
