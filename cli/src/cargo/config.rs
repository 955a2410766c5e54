//! The parts of the user's cargo configuration that this command sets too.
//!
//! `cargo config get` merges configuration files and `--config`, and reports the origin of each value. It is unstable.
//! If cargo does not support it, the configuration is taken to be empty.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::shell::Shell;
use super::toolchain::{Cargo, captured};

/// The tables that patch packages of the public registry.
const PATCHES: [&str; 2] =
    ["patch.crates-io.", "patch.\"https://github.com/rust-lang/crates.io-index\"."];
/// The origin of `--config KEY=VALUE` in the output of `cargo config get`.
const COMMAND_LINE: &str = "--config cli option";

/// The part of the user's configuration that overlaps with this command's.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// Patched packages of the public registry, and the origin of each patch.
    patches: BTreeMap<String, String>,
    /// Keys of runners, and the origin of each.
    runners: Vec<(String, String)>,
    /// The origin of `resolver.lockfile-path`, if it is set.
    pub(crate) lockfile_path: Option<String>,
    /// `build.rustc-wrapper`, resolved as cargo does.
    pub(crate) rustc_wrapper: Option<PathBuf>,
    /// Files named by `--config`.
    files: Vec<OsString>,
}

impl Config {
    /// Asks `cargo`, with the flags `general`.
    pub(crate) fn read(cargo: &Cargo, general: &[OsString]) -> Config {
        let answer = captured(cargo.config(), &Shell::new(true, None), false);
        let text = match answer {
            Ok(Ok(text)) => String::from_utf8_lossy(&text).into_owned(),
            _ => String::new(),
        };
        let mut config = Config::parse(&text);
        config.files = general
            .iter()
            .filter_map(|arg| {
                Some(arg.to_str()?.strip_prefix("--config=").unwrap_or(arg.to_str()?))
            })
            .filter_map(|value| Path::new(value).canonicalize().ok())
            .map(Into::into)
            .collect();
        config
    }

    fn parse(text: &str) -> Config {
        let mut config = Config::default();
        let mut renamed: BTreeMap<String, String> = BTreeMap::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some((key, value)) = key_and_value(line) else { continue };
            // The elements of a list follow, each with its origin.
            let value = if value == "[" { lines.next().unwrap_or_default() } else { value };
            let (value, origin) = value.rsplit_once(" # ").unwrap_or((value, "the configuration"));
            if let Some(rest) = PATCHES.iter().find_map(|table| key.strip_prefix(table)) {
                let (name, property) = rest.split_once('.').unwrap_or((rest, ""));
                if property == "package" {
                    renamed.insert(name.to_owned(), value.trim_matches(['"', '\'']).to_owned());
                }
                config.patches.insert(name.to_owned(), origin.to_owned());
            } else if key.starts_with("target.") && key.ends_with(".runner") {
                config.runners.push((key.to_owned(), origin.to_owned()));
            } else if key == "build.rustc-wrapper" {
                config.rustc_wrapper = Some(program(value.trim_matches(['"', '\'']), origin));
            } else if key == "resolver.lockfile-path" {
                config.lockfile_path = Some(origin.to_owned());
            }
        }
        for (name, package) in renamed {
            if let Some(origin) = config.patches.remove(&name) {
                config.patches.insert(package, origin);
            }
        }
        config
    }

    /// Returns the origin of the package's patch, if there is one.
    pub(crate) fn patch(&self, package: &str) -> Option<&str> {
        self.patches.get(package).map(|origin| self.said(origin))
    }

    /// Returns the key of the runner for `target` that `--config` sets. cargo prefers it to wasio's.
    pub(crate) fn runner_on_command_line(&self, target: &str) -> Option<&str> {
        let key = format!("target.{target}.runner");
        self.runners
            .iter()
            .find(|(of, origin)| *of == key && self.is_command_line(origin))
            .map(|(key, _)| key.as_str())
    }

    /// Returns another runner that may apply to `target` and is overridden by wasio's: its key and its origin.
    pub(crate) fn overridden_runner(&self, target: &str) -> Option<(&str, &str)> {
        let key = format!("target.{target}.runner");
        self.runners
            .iter()
            .find(|(of, origin)| {
                let conditional = of.starts_with("target.'cfg(") || of.starts_with("target.\"cfg(");
                if *of == key {
                    !self.is_command_line(origin)
                } else {
                    conditional && of.contains("wasm")
                }
            })
            .map(|(key, origin)| (key.as_str(), self.said(origin)))
    }

    fn is_command_line(&self, origin: &str) -> bool {
        origin == COMMAND_LINE || self.files.iter().any(|file| file == origin)
    }

    fn said<'o>(&self, origin: &'o str) -> &'o str {
        if origin == COMMAND_LINE { "--config" } else { origin }
    }
}

/// Resolves a program in a configuration file: a bare name, or a path relative to the parent of the file's folder.
fn program(named: &str, origin: &str) -> PathBuf {
    let base = Path::new(origin).parent().and_then(Path::parent);
    match base.filter(|_| named.contains('/') && origin != COMMAND_LINE) {
        Some(base) => base.join(named),
        None => named.into(),
    }
}

/// Splits `KEY = VALUE`. The key may have quoted parts that contain ` = `.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let end = line.find(|c| {
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {}
        }
        quote.is_none() && c == '='
    })?;
    Some((line[..end].trim_end(), line[end + 1..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_and_runners_are_found_with_their_origins() {
        let config = Config::parse(
            "build.jobs = 2 # /p/.cargo/config.toml\n\
             patch.crates-io.tk.package = \"tokio\" # --config cli option\n\
             patch.crates-io.tk.path = \"/x # y\" # --config cli option\n\
             patch.\"https://github.com/rust-lang/crates.io-index\".mio.git = \"g\" # /p/c.toml\n\
             target.'cfg(target_family = \"wasm\")'.runner = \"w\" # /p/.cargo/config.toml\n\
             target.wasm32-wasip1.runner = [\n    \"a\", # --config cli option\n    \"b\", # /p/c.toml\n]\n\
             target.wasm32-wasip2.runner = \"r\" # /p/c.toml\n\
             build.rustc-wrapper = \"tools/wrap\" # /p/.cargo/config.toml\n",
        );
        assert_eq!(config.rustc_wrapper, Some("/p/tools/wrap".into()));
        assert_eq!(config.patch("tokio"), Some("--config"));
        assert_eq!(config.patch("mio"), Some("/p/c.toml"));
        assert_eq!(config.patch("tk"), None);
        assert_eq!(
            config.runner_on_command_line("wasm32-wasip1"),
            Some("target.wasm32-wasip1.runner")
        );
        assert_eq!(config.runner_on_command_line("wasm32-wasip2"), None);
        let conditional = "target.'cfg(target_family = \"wasm\")'.runner";
        let file = "/p/.cargo/config.toml";
        assert_eq!(config.overridden_runner("wasm32-wasip1"), Some((conditional, file)));
    }
}
