//! `cargo xtask surface`: what of tokio's public surface the drop-in has, item by item.
//!
//! Both crates are documented as JSON by rustdoc, and every public name is looked up in the other: types,
//! functions, methods and their signatures, trait implementations, macros, cargo features. It says what is
//! there, not that it behaves: for that there are tokio's own tests.

mod collect;
mod compare;
mod documents;
mod exceptions;
mod render;
mod world;

use std::path::Path;

use anyhow::{Result, bail};

/// The version of tokio that the drop-in is compared with.
pub(crate) const TOKIO: &str = "1.54.1";

/// Compare the drop-in's public items with tokio's.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print one JSON document instead of tables.
    #[arg(long)]
    json: bool,
    /// Also list what is not applicable, and why.
    #[arg(long)]
    all: bool,
}

/// Runs the comparison; an error if anything is missing that is not excused.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository");
    let (tokio, ours) = documents::build(root)?;
    let excused = exceptions::read(&root.join("tests/conformance/surface-not-applicable.toml"))?;
    let report = compare::compare(&tokio, &ours, &excused);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report.to_json())?);
    } else {
        report.print(args.all);
    }
    match report.failures() {
        0 => Ok(()),
        n => {
            bail!("{n} of tokio {TOKIO}'s public items are missing, different, or wrongly excused")
        }
    }
}
