//! The list: `tests/suites/suites.toml`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use toml::Table;

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
    /// Whether the default features are switched off.
    #[serde(default)]
    pub(super) no_default_features: bool,
    /// Dev-dependencies that are taken out.
    #[serde(default)]
    pub(super) without: Vec<String>,
    /// Dependencies and dev-dependencies, and what is written otherwise in them.
    #[serde(default)]
    pub(super) changed: Table,
    /// Files of the package that its tests look for in the folder around it.
    #[serde(default)]
    pub(super) beside: Vec<String>,
    /// What keeps the tests from being built.
    pub(super) stops: Option<Stop>,
}

/// Why a package's tests cannot be built.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    pub(super) reason: Reason,
    /// The package that does not build, as cargo's messages name it.
    pub(super) package: String,
    /// Why it does not.
    pub(super) why: String,
}

/// The closed list of reasons.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reason {
    /// A package that only the tests use does not build for WASI.
    DevDependency,
    /// The crate does not build for WASI with the features that its tests need.
    Feature,
    /// The tests are a browser's on every wasm32.
    Browser,
    /// The tests' own code does not build for WASI, or not from the published package.
    Source,
}

impl Reason {
    pub(super) fn name(self) -> &'static str {
        match self {
            Reason::DevDependency => "dev-dependency",
            Reason::Feature => "feature",
            Reason::Browser => "browser",
            Reason::Source => "source",
        }
    }
}

impl Suite {
    pub(super) fn of(&self) -> &str {
        self.of.as_deref().unwrap_or(&self.name)
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<Suite>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    parse(&text).with_context(|| format!("in {}", path.display()))
}

pub(super) fn parse(text: &str) -> Result<Vec<Suite>> {
    let document: Document = toml::from_str(text)?;
    for suite in &document.suite {
        let one = suite.version.is_some() != suite.folder.is_some();
        ensure!(one, "{}: either `version` or `folder`", suite.name);
    }
    Ok(document.suite)
}
