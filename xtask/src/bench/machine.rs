//! What figures were measured on, and with which versions.

use std::process::Command;

use serde::{Deserialize, Serialize};
use xtask::workspace;

/// One machine at one time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) date: String,
    pub(super) commit: String,
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) memory: String,
    pub(super) system: String,
    pub(super) rustc: String,
    pub(super) wasmtime: String,
    pub(super) tokio: String,
    /// Processes that wanted to run in the minute before the measurement, and in its last minute.
    pub(super) load_before: String,
    pub(super) load_after: String,
}

impl Machine {
    pub(super) fn now() -> Machine {
        let kibibytes = of_file("/proc/meminfo", "MemTotal:");
        let kibibytes = kibibytes.split_whitespace().next().and_then(|n| n.parse::<f64>().ok());
        Machine {
            date: said("date", &["-u", "+%Y-%m-%d"]),
            commit: said("git", &["rev-parse", "--short=10", "HEAD"]),
            processor: of_file("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory: kibibytes.map_or("unknown".into(), |n| format!("{:.0} GiB", n / 1048576.0)),
            system: said("uname", &["-sr"]),
            rustc: said("rustc", &["--version"]),
            wasmtime: locked("Cargo.lock", "wasmtime"),
            tokio: locked("benches/tokio/Cargo.lock", "tokio"),
            load_before: load(),
            load_after: String::new(),
        }
    }

    pub(super) fn measured(mut self) -> Machine {
        self.load_after = load();
        self
    }
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(workspace::root()).output();
    output.map_or("unknown".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}

/// What a file says behind `name` and perhaps a colon.
fn of_file(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or("unknown".into(), |rest| rest.trim_start_matches([':', ' ', '\t']).to_owned())
}

/// The version of a package in a lock file.
fn locked(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(workspace::root().join(file)).unwrap_or_default();
    let lock: toml::Table = text.parse().unwrap_or_default();
    let packages = lock.get("package").and_then(|p| p.as_array());
    let package = packages.into_iter().flatten().find(|p| p["name"].as_str() == Some(name));
    package.and_then(|p| p["version"].as_str()).unwrap_or("unknown").to_owned()
}
