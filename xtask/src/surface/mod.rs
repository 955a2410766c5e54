//! `cargo xtask surface`: compares the public items of a published crate and its drop-in, one by one.
//!
//! rustdoc documents both crates as JSON, the drop-ins of socket2 also for the WASI targets. Every public name is
//! looked up in the other crate: types, functions, methods and their signatures, trait implementations, macros, cargo
//! features. The comparison is about presence; tests are about behaviour.

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

/// A published crate and its drop-in.
struct Pair {
    /// The crate's name.
    name: &'static str,
    version: &'static str,
    features: &'static [&'static str],
    /// The published packages to be documented, the crate first.
    published: &'static [&'static str],
    /// The drop-in's folder.
    folder: &'static str,
    /// The drop-in's packages to be documented, the crate first.
    drop_in: &'static [&'static str],
    /// The drop-in's target; the host if `None`.
    target: Option<&'static str>,
}

impl Pair {
    const fn socket2(version: &'static str, folder: &'static str) -> Pair {
        let packages = &["socket2"];
        let features = &["all"];
        Pair {
            name: "socket2",
            version,
            features,
            published: packages,
            folder,
            drop_in: packages,
            target: None,
        }
    }

    const fn without_features(self) -> Pair {
        Pair { features: &[], ..self }
    }

    const fn on(self, target: &'static str) -> Pair {
        Pair { target: Some(target), ..self }
    }

    /// The name of the comparison, for exceptions.
    fn of(&self) -> String {
        let features = if self.features.is_empty() { " without features" } else { "" };
        let target = self.target.map(|target| format!(" on {target}")).unwrap_or_default();
        format!("{}{features}{target}", self.folder)
    }
}

const PAIRS: &[Pair] = &[
    Pair {
        name: "tokio",
        version: TOKIO,
        features: &["full", "test-util"],
        published: &["tokio", "tokio-macros"],
        folder: "tokio",
        drop_in: &["tokio", "wasio", "wasio-runtime", "wasio-net", "wasio-macros"],
        target: None,
    },
    Pair::socket2("0.6.5", "socket2"),
    Pair::socket2("0.6.5", "socket2").without_features(),
    Pair::socket2("0.6.5", "socket2").on("wasm32-wasip1"),
    Pair::socket2("0.6.5", "socket2").on("wasm32-wasip2"),
    Pair::socket2("0.5.10", "socket2-0.5"),
    Pair::socket2("0.5.10", "socket2-0.5").without_features(),
    Pair::socket2("0.5.10", "socket2-0.5").on("wasm32-wasip1"),
    Pair::socket2("0.5.10", "socket2-0.5").on("wasm32-wasip2"),
];

/// Compare the drop-ins' public items with upstream's.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Compare only this crate: tokio or socket2.
    name: Option<String>,
    /// Print one JSON document instead of tables.
    #[arg(long)]
    json: bool,
    /// Also list the items that do not apply, with reasons.
    #[arg(long)]
    all: bool,
}

/// Runs the comparison; an error if anything is missing that is not excused.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository");
    let excused = exceptions::read(&root.join("tests/conformance/surface-not-applicable.toml"))?;
    let mut reports = Vec::new();
    for pair in
        PAIRS.iter().filter(|pair| args.name.as_deref().is_none_or(|name| name == pair.name))
    {
        let (upstream, ours) = documents::build(root, pair)?;
        let of = pair.of();
        let excused: Vec<_> = excused.iter().filter(|entry| entry.of == of).collect();
        let report = compare::compare(format!("{of} {}", pair.version), &upstream, &ours, &excused);
        if !args.json {
            report.print(args.all);
            println!();
        }
        reports.push(report);
    }
    if args.json {
        let all: Vec<_> = reports.iter().map(compare::Report::to_json).collect();
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    let failing: Vec<_> = reports.iter().filter(|report| report.failures() > 0).collect();
    match failing.iter().map(|report| report.failures()).sum::<usize>() {
        0 if reports.is_empty() => bail!("there is no drop-in of that name to be compared"),
        0 => Ok(()),
        n => bail!(
            "{n} public items are missing, different, or wrongly excused: {}",
            failing.iter().map(|report| report.of()).collect::<Vec<_>>().join(", ")
        ),
    }
}
