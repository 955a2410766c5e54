//! The exceptions, with reasons: `tests/conformance/surface-not-applicable.toml`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The possible reasons.
const REASONS: &[&str] = &["unix-only", "windows", "task-dumps", "unstable", "other"];

/// Paths that are excused, for one reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exception {
    /// Paths as the report prints them; a `*` at the end stands for anything.
    pub(super) items: Vec<String>,
    /// The comparison, as [`super::Pair::of`] names it, without the version.
    #[serde(default = "tokio")]
    pub(super) of: String,
    /// One of [`REASONS`].
    pub(super) reason: String,
    /// The reason in words.
    pub(super) why: String,
}

fn tokio() -> String {
    "tokio".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "not-applicable")]
    not_applicable: Vec<Exception>,
}

/// Reads the list.
pub(super) fn read(file: &Path) -> Result<Vec<Exception>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let list: File = toml::from_str(&text).with_context(|| format!("read {}", file.display()))?;
    for entry in &list.not_applicable {
        if !REASONS.contains(&entry.reason.as_str()) || entry.why.is_empty() {
            bail!("{}: the reason of {:?} is none of {REASONS:?}", file.display(), entry.items);
        }
    }
    Ok(list.not_applicable)
}

/// Whether `pattern` stands for `path`.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => path == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_the_rest() {
        assert!(matches("process*", "process::Command"));
        assert!(matches("sync::Mutex", "sync::Mutex"));
        assert!(!matches("sync::Mutex", "sync::Mutex::lock"));
        assert!(!matches("process*", "sync"));
    }
}
