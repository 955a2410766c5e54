//! The live view: a bar on a terminal, otherwise a line every few seconds.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use indicatif::{ProgressBar, ProgressStyle};

use super::process;
use super::tally::{Progress, Tally};
use crate::run::notes::say;

/// The interval between lines if there is no terminal.
const LINE: Duration = Duration::from_secs(2);
/// The interval between queries of the process's memory, which are rarer than redraws.
const MEMORY: Duration = Duration::from_millis(500);

pub(super) struct View {
    count: u32,
    bar: Option<ProgressBar>,
    quiet: bool,
    last: Instant,
    memory: (Instant, Option<u64>),
}

impl View {
    /// Creates a view. There is no bar if lines of guests are printed, because they would tear it. `quiet` has no view
    /// at all if there is no terminal.
    pub(super) fn new(count: u32, lines: bool, quiet: bool) -> View {
        let bar = (!lines && std::io::stderr().is_terminal()).then(|| bar(count));
        let now = Instant::now();
        View { count, bar, quiet, last: now, memory: (now, process::memory()) }
    }

    pub(super) fn show(&mut self, tally: &Tally) {
        let progress = tally.progress();
        if self.bar.is_none() && (self.quiet || self.last.elapsed() < LINE) {
            return;
        }
        if self.memory.0.elapsed() >= MEMORY {
            self.memory = (Instant::now(), process::memory());
        }
        let Progress { ended, running, suspended, failed } = progress;
        let memory = self.memory.1.map_or(String::new(), |bytes| format!(" · {}", ByteSize(bytes)));
        let state = format!("running {running} · suspended {suspended} · failed {failed}{memory}");
        match &self.bar {
            Some(bar) => {
                bar.set_position(ended.into());
                bar.set_message(state);
            }
            None => {
                self.last = Instant::now();
                say(format_args!("{ended} of {} ended · {state}", self.count));
            }
        }
    }

    pub(super) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(count: u32) -> ProgressBar {
    let template = "{spinner} {elapsed:>4} [{bar:24}] {human_pos} of {human_len} ended · {msg}";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(count.into()).with_style(style.progress_chars("=> "))
}
