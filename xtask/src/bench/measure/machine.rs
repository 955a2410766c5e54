//! The machine and the versions that figures were measured with.

use std::process::Command;

use serde::{Deserialize, Serialize};
use xtask::workspace;

/// The state of a machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) system: String,
    pub(crate) rustc: String,
    pub(crate) wasmtime: String,
    pub(crate) tokio: String,
    /// The network of the connections.
    #[serde(default)]
    pub(crate) network: String,
    /// Processes that wanted to run in the minute before the measurement, and in its last minute.
    pub(crate) load_before: String,
    pub(crate) load_after: String,
}

impl Machine {
    pub(crate) fn now() -> Machine {
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
            network: String::new(),
            load_before: load(),
            load_after: String::new(),
        }
    }

    pub(crate) fn measured(mut self, network: &str) -> Machine {
        network.clone_into(&mut self.network);
        self.load_after = load();
        self
    }
}

/// The processor time that this virtual machine's host gave to others, where the kernel reports it.
pub(crate) struct Stolen([u64; 2]);

impl Stolen {
    pub(crate) fn begin() -> Stolen {
        Stolen(stolen_and_all())
    }

    /// The share of all time that was stolen since.
    pub(crate) fn part(&self) -> f64 {
        let [stolen, all] = stolen_and_all();
        let Stolen([stolen_before, all_before]) = self;
        (stolen - stolen_before) as f64 / (all - all_before).max(1) as f64
    }
}

/// In ticks. The fields: user, nice, system, idle, waiting, two kinds of interrupts, stolen.
fn stolen_and_all() -> [u64; 2] {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let ticks: Vec<u64> =
        line.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
    [ticks.get(7).copied().unwrap_or(0), ticks.iter().sum()]
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(workspace::root()).output();
    output.map_or("unknown".into(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}

/// Returns the value after `name` and an optional colon in a file.
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
