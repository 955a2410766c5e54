//! The doctor's report as text.

use super::{Level, Report};
use crate::cargo::shell::printable;

macro_rules! say {
    ($($what:tt)*) => {
        println!("{}", printable(format_args!($($what)*)))
    };
}

/// Prints to stdout.
pub(super) fn print(report: &Report) {
    line("project", &report.project);
    let tokio = report.patch.tokio.as_deref().unwrap_or_default();
    line(
        "tokio",
        &match report.patch.state {
            "in-use" => format!("wasio, as tokio {tokio}: the patch is in use"),
            "own-drop-in" => format!("{tokio}, a drop-in that the project names itself"),
            "no-tokio" => "nothing in the tree uses tokio 1.x".to_owned(),
            _ => format!("{tokio} as published: the patch is NOT in use"),
        },
    );
    for target in &report.targets {
        let state = if target.installed { "installed" } else { "not installed" };
        line("target", &format!("{} {state}", target.name));
    }
    for engine in &report.engines {
        let found = match (&engine.path, &engine.version) {
            (Some(path), Some(version)) => format!("{version} ({path})"),
            (Some(path), None) => path.clone(),
            (None, _) => format!("{} not found", engine.name),
        };
        line("engine", &found);
    }
    for package in &report.packages {
        let from = if package.source == "registry" {
            String::new()
        } else {
            format!(" ({})", package.source)
        };
        line("package", &format!("{} {}{from}", package.name, package.version));
    }
    for finding in &report.findings {
        let label = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        let about = finding.package.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
        say!("\n{label}: {about}{}", finding.what);
        if finding.chain.len() > 1 {
            say!("  in the tree through {}", finding.chain.join(" -> "));
        }
        if !finding.instead.is_empty() {
            say!("  way out: {}", finding.instead.replace('\n', "\n  "));
        }
    }
    let count = |level| report.findings.iter().filter(|found| found.level == level).count();
    say!(
        "\n{}: {} errors, {} warnings",
        if report.ok { "nothing found that stops this project" } else { "this will not work" },
        count(Level::Error),
        count(Level::Warning),
    );
}

fn line(what: &str, value: &str) {
    say!("{what:>8}  {value}");
}
