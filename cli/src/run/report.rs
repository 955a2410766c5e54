//! `--stats`: prints the guest's use of the host.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use bytesize::ByteSize;
use serde_json::json;
use wasio_host::folder::Folder;
use wasio_host::{Snapshot, Stats};

use super::args::{Args, Format};
use super::notes::{self, say};

/// The interval at which `--stats-file` is rewritten.
const INTERVAL: Duration = Duration::from_millis(250);

/// Keeps `--stats-file` current and answers SIGUSR1 while the guest runs.
pub(crate) async fn live(args: &Args, stats: &Stats, file: Option<&StatsFile>) -> Infallible {
    let file = async {
        let Some(file) = file else { return std::future::pending().await };
        let mut interval = tokio::time::interval(INTERVAL);
        loop {
            interval.tick().await;
            // The file is written again at the end, and a failure then is reported.
            let _ = file.write(&stats.snapshot());
        }
    };
    let signal = async {
        let Some(format) = args.stats else { return std::future::pending().await };
        on_signal(|| print(format, &stats.snapshot())).await
    };
    tokio::select! {
        never = file => never,
        never = signal => never,
    }
}

#[cfg(unix)]
async fn on_signal(mut f: impl FnMut()) -> Infallible {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut signal) = signal(SignalKind::user_defined1()) else {
        return std::future::pending().await;
    };
    while signal.recv().await.is_some() {
        f();
    }
    std::future::pending().await
}

#[cfg(not(unix))]
async fn on_signal(_f: impl FnMut()) -> Infallible {
    std::future::pending().await
}

/// Prints and writes the final numbers.
pub(crate) fn at_end(args: &Args, stats: &Stats, file: Option<&StatsFile>) {
    let snapshot = stats.snapshot();
    if let Some(file) = file
        && let Err(error) = file.write(&snapshot)
    {
        say(format_args!("cannot write {}: {error}", file.path.display()));
    }
    if let Some(format) = args.stats {
        print(format, &snapshot);
    }
}

fn print(format: Format, snapshot: &Snapshot) {
    let text = match format {
        Format::Json => format!("{}\n", json(snapshot)),
        Format::Text => text(snapshot),
    };
    notes::write(text);
}

/// The destination of `--stats-file`. Its folder is opened before the guest runs, because the guest may be able to
/// write there.
pub(crate) struct StatsFile {
    folder: Folder,
    name: OsString,
    path: PathBuf,
}

impl StatsFile {
    /// Opens the folder. `granted` are the guest's folders: links that a guest made there are not followed.
    pub(crate) fn open(path: &Path, granted: &[PathBuf]) -> anyhow::Result<StatsFile> {
        let tried = || format!("cannot write {}", path.display());
        let name = path.file_name().context("it is not the name of a file").with_context(tried)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = Folder::outside(folder, granted).with_context(tried)?;
        Ok(StatsFile { folder, name: name.to_owned(), path: path.to_owned() })
    }

    /// Replaces the file, so that readers see either the old numbers or the new ones.
    fn write(&self, snapshot: &Snapshot) -> io::Result<()> {
        let text = format!("{}\n", json(snapshot));
        self.folder.replace(&self.name, &[text.as_bytes()])
    }
}

fn json(s: &Snapshot) -> serde_json::Value {
    json!({
        "host_calls": s.total_calls(),
        "calls": s.calls,
        "polls": s.polls(),
        "bytes_in": s.bytes_in,
        "bytes_out": s.bytes_out,
        "suspensions": s.suspensions,
        "wall_ns": s.wall().as_nanos() as u64,
        "running_ns": s.running.as_nanos() as u64,
        "suspended_ns": s.suspended.as_nanos() as u64,
        "peak_memory": s.peak_memory,
    })
}

fn text(s: &Snapshot) -> String {
    let mut calls: Vec<_> = s.calls.iter().collect();
    calls.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), **name));
    let mut text = format!("wasio: host calls {}, of which polls {}\n", s.total_calls(), s.polls());
    for (name, count) in calls {
        text += &format!("wasio: {count:>12} {name}\n");
    }
    text += &format!(
        "wasio: sockets received {}, sent {}\n",
        ByteSize(s.bytes_in),
        ByteSize(s.bytes_out)
    );
    text += &format!(
        "wasio: wall time {:.3?}, of which suspended {:.3?} in {} suspensions\n",
        s.wall(),
        s.suspended,
        s.suspensions
    );
    text += &format!("wasio: memory {} at most\n", ByteSize(s.peak_memory));
    text
}
