//! Messages of the commands on standard error. Printing never waits for the reader (`writer.rs`): if the messages are
//! not read, 256 KiB are kept, and further messages are counted.

use std::collections::HashSet;
use std::fmt;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use wasio_host::Denied;

use super::writer::Writer;

/// The maximum number of distinct refusals that are reported, for all guests together.
const REFUSALS: usize = 256;

/// Standard error, which may be closed.
pub(crate) static NOTES: Writer = Writer::new(|text| {
    let _ = std::io::stderr().write_all(text);
});

/// Writes a line.
pub(crate) fn say(message: fmt::Arguments<'_>) {
    write(format!("wasio: {message}\n"));
}

/// Writes whole lines.
pub(crate) fn write(text: String) {
    NOTES.offer(text.into_bytes());
}

/// The denied accesses that were reported: each one once, however many guests try it.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Told>);

#[derive(Default)]
struct Told {
    texts: HashSet<String>,
    left_out: u64,
}

impl Refusals {
    pub(crate) fn tell(&self, denied: &Denied) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = denied.to_string();
        if told.texts.contains(&text) {
            return;
        }
        if told.texts.len() == REFUSALS {
            told.left_out += 1;
            return;
        }
        say(format_args!("{text}"));
        told.texts.insert(text);
        if told.texts.len() == REFUSALS {
            say(format_args!("further denied accesses are counted, and not listed"));
        }
    }

    /// Reports how many were not listed, including those that the host did not report.
    pub(crate) fn sum_up(&self, unreported: u64) {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left_out = told.left_out + unreported;
        if left_out > 0 {
            say(format_args!("network access was denied {left_out} more times"));
        }
    }
}
