//! The list: `tests/suites/suites.toml`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    suite: Vec<Suite>,
}

/// The tests of a package.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Suite {
    pub(super) name: String,
    /// The crate whose tests they are, if it has another name.
    of: Option<String>,
    /// The published version.
    pub(super) version: Option<String>,
    /// Instead: where the package is below the folder of sources.
    pub(super) folder: Option<String>,
    #[serde(default)]
    pub(super) features: Vec<String>,
    /// Dev-dependencies that are taken out.
    #[serde(default)]
    pub(super) without: Vec<String>,
}

impl Suite {
    pub(super) fn of(&self) -> &str {
        self.of.as_deref().unwrap_or(&self.name)
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<Suite>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let document: Document =
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
    for suite in &document.suite {
        let one = suite.version.is_some() != suite.folder.is_some();
        ensure!(one, "{}: either `version` or `folder`", suite.name);
    }
    Ok(document.suite)
}
