//! A client that goes through the phases of `benches/src/phases.rs`, watched from outside.
//!
//! Its memory and time are read from `/proc`, so this works on Linux only.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use xtask::process::Running;

/// No phase takes longer.
const LIMIT: Duration = Duration::from_secs(90);

/// The result of one run of a client. Times are in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// Until all sessions were set up.
    pub(crate) setup: f64,
    pub(crate) requests: f64,
    /// While the requests were counted.
    pub(crate) took: f64,
    /// The processor time that the client's process used meanwhile.
    pub(crate) cpu: f64,
    pub(crate) half: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// Bytes of memory in use at the end.
    pub(crate) resident: f64,
}

/// Runs a client to its end.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<Figures> {
    let client = Running::spawn(name, command)?;
    let pid = client.id();
    let setup = client.line("ready", LIMIT)?.parse().context("a number behind `ready`")?;
    client.line("measuring", LIMIT)?;
    let before = cpu(pid)?;
    let line = client.line("measured", LIMIT)?;
    let (cpu, resident) = (cpu(pid)? - before, resident(pid)?);
    let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [requests, took, half, p99, p999] = numbers[..] else {
        bail!("{name} printed `measured {line}`");
    };
    client.finish(LIMIT)?.success()?;
    Ok(Figures { setup, requests, took, cpu, half, p99, p999, resident })
}

/// Nanoseconds that the threads of a process have executed.
fn cpu(pid: u32) -> Result<f64> {
    let folder = format!("/proc/{pid}/task");
    let mut sum = 0.0;
    for task in std::fs::read_dir(&folder).with_context(|| format!("read {folder}"))? {
        // A thread may end meanwhile.
        let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else { continue };
        let executed = text.split(' ').next().context("schedstat has numbers")?;
        sum += executed.parse::<f64>()?;
    }
    Ok(sum)
}

/// Bytes of memory that a process has in use.
pub(crate) fn resident(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kibibytes.context("the status names VmRSS")?.parse::<f64>()? * 1024.0)
}

/// Raises the limit on open files as far as allowed, for this process and its children. Returns the limit.
pub(crate) fn open_files() -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
    }
    #[cfg(not(unix))]
    u64::MAX
}
