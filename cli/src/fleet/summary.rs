//! The summary at the end of a fleet.

use std::fmt::Write as _;
use std::time::Duration;

use bytesize::ByteSize;
use serde_json::{Value, json};
use wasio_host::Printable;

use super::process;
use super::tally::{Ends, Failure, Tally};

/// JSON on one line, with escapes for characters that a terminal does not print.
pub(super) fn printable_json(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() && c != '\u{7f}'
            || Printable::new(c.encode_utf8(&mut [0; 4])).is_unchanged()
        {
            text.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                let _ = write!(text, "\\u{unit:04x}");
            });
        }
    }
    text
}

/// The results of the fleet.
pub(super) struct Summary {
    pub(super) count: u32,
    pub(super) started: u32,
    /// Whether it was stopped from outside.
    pub(super) stopped: bool,
    pub(super) wall: Duration,
    pub(super) peak_memory: Option<u64>,
    pub(super) ends: Ends,
}

impl Summary {
    /// Summarizes a fleet of `count` guests that took `wall`. `stopped` means from outside.
    pub(super) fn new(tally: &Tally, count: u32, wall: Duration, stopped: bool) -> Summary {
        Summary {
            count,
            started: tally.count_started(),
            stopped,
            wall,
            peak_memory: process::peak_memory(),
            ends: tally.take_ends(),
        }
    }

    /// Returns whether every guest exited with 0.
    pub(super) fn succeeded(&self) -> bool {
        self.ends.exited.get(&0) == Some(&self.count)
    }

    /// Returns whether some guest was ended, by a trap or a limit.
    pub(super) fn failed(&self) -> bool {
        self.ends.failed > 0
    }

    fn exited(&self) -> u32 {
        self.ends.exited.values().sum()
    }

    /// Returns the number of guests that were still running when the fleet was stopped.
    fn ended_early(&self) -> u32 {
        self.started - self.exited() - self.ends.failed
    }

    /// Returns the time within which `percent` of the guests started.
    fn start(&self, percent: usize) -> Option<Duration> {
        let mut starts = self.ends.starts.clone();
        starts.sort_unstable();
        let last = starts.len().checked_sub(1)?;
        Some(Duration::from_nanos(starts[last * percent / 100].into()))
    }

    pub(super) fn json(&self) -> Value {
        let nanos = |time: Option<Duration>| time.map(|time| time.as_nanos() as u64);
        let error = |f: &Failure| json!({ "error": f.error, "guests": f.guests, "first": f.first, "said": f.said });
        let totals = &self.ends.totals;
        json!({
            "count": self.count,
            "started": self.started,
            "exited": self.ends.exited,
            "failed": self.ends.failed,
            "ended_early": self.ended_early(),
            "stopped": self.stopped,
            "errors": self.ends.errors.iter().map(error).collect::<Vec<_>>(),
            "wall_ns": self.wall.as_nanos() as u64,
            "start_ns": { "p50": nanos(self.start(50)), "p99": nanos(self.start(99)) },
            "peak_memory": self.peak_memory,
            "host_calls": totals.total_calls(),
            "calls": totals.calls,
            "polls": totals.polls(),
            "suspensions": totals.suspensions,
            "bytes_in": totals.bytes_in,
            "bytes_out": totals.bytes_out,
            "running_ns": totals.running.as_nanos() as u64,
            "suspended_ns": totals.suspended.as_nanos() as u64,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut say = |line: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "wasio: {line}");
        };
        let codes: Vec<String> =
            self.ends.exited.iter().map(|(code, guests)| format!("{guests} with {code}")).collect();
        let codes =
            if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) };
        say(format_args!(
            "{} guests started, {} exited{codes}, {} failed",
            self.started,
            self.exited(),
            self.ends.failed
        ));
        if self.stopped {
            let (early, never) = (self.ended_early(), self.count - self.started);
            say(format_args!("stopped: {early} guests were ended early, {never} never started"));
        }
        for failure in &self.ends.errors {
            let Failure { error, first, said, guests } = failure;
            say(format_args!("{guests} guests, the first of them number {first}: {error}"));
            said.lines()
                .for_each(|line| say(format_args!("    {}", Printable::new(line).at_most(1024))));
        }
        let unknown = "unknown".to_owned();
        let time =
            |time: Option<Duration>| time.map_or(unknown.clone(), |time| format!("{time:.1?}"));
        let memory = self.peak_memory.map_or(unknown.clone(), |bytes| ByteSize(bytes).to_string());
        say(format_args!(
            "wall time {:.3?}; to start a guest {} (p50), {} (p99); peak memory {memory}",
            self.wall,
            time(self.start(50)),
            time(self.start(99)),
        ));
        let totals = &self.ends.totals;
        say(format_args!(
            "host calls {}, of which polls {}; suspensions {}; sockets received {}, sent {}",
            totals.total_calls(),
            totals.polls(),
            totals.suspensions,
            ByteSize(totals.bytes_in),
            ByteSize(totals.bytes_out)
        ));
        text
    }
}
