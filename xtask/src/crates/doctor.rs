//! What `cargo wasio doctor` says of a crate, and whether it agrees with the list.

use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;
use xtask::process::Running;

use super::list::Stop;
use super::{BUILD, Outcome};

#[derive(Deserialize)]
pub(super) struct Report {
    ok: bool,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    level: String,
    package: Option<String>,
    what: String,
    instead: String,
}

/// Runs `command`, which is the doctor's.
pub(super) fn ask(mut command: Command) -> Result<Report> {
    command.arg("--json");
    let ended = Running::spawn("doctor", &mut command)?.finish(BUILD)?;
    serde_json::from_str(&ended.stdout)
        .with_context(|| format!("read what the doctor says:\n{}{}", ended.stdout, ended.stderr))
}

impl Report {
    /// The way out of what stops the crate, if anything does; otherwise where the doctor and the list differ.
    pub(super) fn agrees(&self, stop: Option<&Stop>) -> Result<Option<String>, String> {
        let errors = || self.findings.iter().filter(|finding| finding.level == "error");
        let Some(stop) = stop else {
            return match errors().next() {
                Some(error) if !self.ok => Err(format!(
                    "the doctor says that it cannot work: {} {}",
                    error.package.as_deref().unwrap_or_default(),
                    error.what
                )),
                _ => Ok(None),
            };
        };
        let about = |finding: &&Finding| {
            let package = finding.package.as_deref().and_then(|package| package.split(' ').next());
            let enough = match stop.outcome {
                Outcome::Stops => finding.level == "error",
                _ => finding.level != "note",
            };
            package == Some(stop.package()) && enough
        };
        match self.findings.iter().find(about) {
            Some(found) => Ok(Some(found.instead.clone())),
            None => Err(format!("the doctor does not say that {} stops it", stop.package())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doctor_has_to_agree() {
        let report = |level: &str| Report {
            ok: level != "error",
            findings: vec![Finding {
                level: level.to_owned(),
                package: Some("p 1.0.0".to_owned()),
                what: "does not compile".to_owned(),
                instead: "use q".to_owned(),
            }],
        };
        let stop = |outcome, at: &str| Stop {
            targets: Vec::new(),
            outcome,
            reason: "threads".to_owned(),
            at: at.to_owned(),
        };
        let way_out = Ok(Some("use q".to_owned()));
        let (here, elsewhere) = ("p 1.0.0 src/lib.rs:1: it", "o 1.0.0 src/lib.rs:1: it");
        assert_eq!(report("error").agrees(Some(&stop(Outcome::Stops, here))), way_out);
        assert_eq!(report("warning").agrees(Some(&stop(Outcome::Fails, here))), way_out);
        assert_eq!(report("warning").agrees(None), Ok(None));
        assert!(report("error").agrees(None).is_err());
        assert!(report("warning").agrees(Some(&stop(Outcome::Stops, here))).is_err());
        assert!(report("error").agrees(Some(&stop(Outcome::Stops, elsewhere))).is_err());
    }
}
