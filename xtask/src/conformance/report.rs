//! The table and the JSON.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use xtask::platform::target_name;
use xtask::workspace;

use super::{Options, Outcome, Verdict};

/// Prints a line for each file, then the failures.
pub(crate) fn print(options: &Options, version: &str, verdicts: &[Verdict]) -> Result<()> {
    let mut files: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for verdict in verdicts {
        let column = match verdict.outcome {
            Outcome::Passed => 0,
            Outcome::Failed(_) => 1,
            Outcome::NotApplicable(_) => 2,
        };
        files.entry(&verdict.file).or_default()[column] += 1;
    }
    let json_on_stdout = options.json.as_deref() == Some(Path::new("-"));
    if !json_on_stdout {
        println!("{:42} {:>7} {:>7} {:>7}", "file", "passed", "failed", "n/a");
        for (file, [passed, failed, skipped]) in &files {
            println!("{file:42} {passed:>7} {failed:>7} {skipped:>7}");
        }
        for verdict in verdicts {
            if let Outcome::Failed(why) = &verdict.outcome {
                let why = if options.verbose {
                    why.as_str()
                } else {
                    &why.lines().take(2).collect::<Vec<_>>().join(": ")
                };
                println!("FAILED {}::{}: {why}", verdict.file, verdict.name);
            }
        }
    }
    let total = |column: usize| files.values().map(|f| f[column]).sum::<usize>();
    // Whole runs are kept for `cargo xtask table`.
    let kept = options.filter.is_none().then(|| {
        let folder = workspace::root().join("target/conformance").join(target_name(options.target));
        folder.join("results.json")
    });
    if options.json.is_some() || kept.is_some() {
        let tests: Vec<_> = verdicts
            .iter()
            .map(|v| {
                let (result, reason) = match &v.outcome {
                    Outcome::Passed => ("passed", None),
                    Outcome::Failed(why) => ("failed", Some(why)),
                    Outcome::NotApplicable(why) => ("not_applicable", Some(why)),
                };
                json!({ "file": v.file, "name": v.name, "result": result, "reason": reason })
            })
            .collect();
        let document = json!({
            "target": target_name(options.target),
            "tokio": version,
            "passed": total(0),
            "failed": total(1),
            "not_applicable": total(2),
            "tests": tests,
        });
        let text = serde_json::to_string_pretty(&document)?;
        if json_on_stdout {
            println!("{text}");
        }
        for path in options.json.iter().filter(|_| !json_on_stdout).chain(&kept) {
            fs::write(path, &text).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    if !json_on_stdout {
        println!(
            "tokio {version} on {}: {} passed, {} failed, {} not applicable",
            target_name(options.target),
            total(0),
            total(1),
            total(2)
        );
    }
    Ok(())
}
