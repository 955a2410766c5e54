//! The packages that a build puts into the guest, according to `cargo tree`.
//!
//! `cargo metadata` lists more: an optional package whose features are named as `package?/feature`, although nothing
//! enables the package itself, and the features of a package that only a build script requests.

use std::collections::HashMap;

use anyhow::Result;
use semver::Version;

use crate::cargo::metadata::Package;
use crate::cargo::project::{Project, Resolved};
use crate::cargo::toolchain::{Failure, captured};

/// Packages with their enabled features.
pub(super) struct Tree(HashMap<(String, Version), Vec<String>>);

impl Tree {
    /// Returns `None` if cargo gives no answer. The list of `cargo metadata` is then used instead.
    pub(super) fn of(project: &Project, resolved: &Resolved, target: &str) -> Result<Option<Tree>> {
        let mut command = project.cargo.with_lock(&project.lock, &resolved.config, "tree")?;
        command.args(["--target", target, "--edges", "normal,no-proc-macro"]);
        command.args(["--prefix", "none", "--format", "{p}\t{f}", "--color", "never"]);
        command.args(&project.flags.selection);
        command.args(project.flags.packages.iter().flat_map(|package| ["--package", package]));
        if project.flags.workspace {
            command.arg("--workspace");
        }
        if project.flags.offline {
            command.arg("--offline");
        }
        Ok(match captured(command, &project.shell, project.flags.verbose)? {
            Ok(text) => Some(Tree::parse(&String::from_utf8_lossy(&text))),
            Err(Failure(_)) => None,
        })
    }

    /// Parses lines of `NAME vVERSION (SOURCE)`, a tab, features separated by commas, and possibly ` (*)`.
    fn parse(text: &str) -> Tree {
        let mut packages: HashMap<_, Vec<String>> = HashMap::new();
        for line in text.lines() {
            let Some((package, features)) = line.split_once('\t') else { continue };
            let mut words = package.split(' ');
            let name = words.next().unwrap_or_default();
            let version = words.next().and_then(|word| word.strip_prefix('v'));
            let Some(version) = version.and_then(|version| Version::parse(version).ok()) else {
                continue;
            };
            let features = features.trim_end_matches(" (*)").split(',').map(str::to_owned);
            packages.entry((name.to_owned(), version)).or_default().extend(features);
        }
        Tree(packages)
    }

    /// Returns the features of `package`, or `None` if it is not built.
    pub(super) fn features(&self, package: &Package) -> Option<&[String]> {
        let key = (package.name.clone(), package.version.clone());
        self.0.get(&key).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let tree = Tree::parse(
            "app v0.1.0 (/some where/app)\t\n\
             rustls v0.23.46\tring,std\n\
             tokio v1.999.0 (/drop-in/tokio)\tfull,io (*)\n\n\
             odd line\n",
        );
        let features = |name: &str, version: &str| {
            tree.0.get(&(name.to_owned(), version.parse().unwrap())).cloned()
        };
        assert_eq!(features("rustls", "0.23.46").unwrap(), ["ring", "std"]);
        assert_eq!(features("tokio", "1.999.0").unwrap(), ["full", "io"]);
        assert!(features("app", "0.1.0").is_some() && features("odd", "0.1.0").is_none());
    }
}
