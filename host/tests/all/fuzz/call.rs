//! A call of a fuzzed guest: its arguments, what it writes into memory before, and where the host may write to.

use std::ops::Range;

use super::calls::{Args, IMPORTS};

/// One call of an import.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) import: usize,
    pub(super) args: Args,
    /// What is in memory when it is made.
    pub(super) written: Vec<(usize, Vec<u8>)>,
    pub(super) outputs: Vec<Output>,
}

/// What the host may write to. Pointers in memory are read when the call is made.
#[derive(Debug)]
pub(super) enum Output {
    Bytes(i32, usize),
    /// An array of pointers and lengths.
    Buffers(i32, i32),
    /// As many events as a poll's subscriptions say.
    Events {
        input: i32,
        events: i32,
        count: i32,
    },
    /// A pointer and a length.
    Address(i32),
    /// An option's value, whose length is where the second points.
    Sized(i32, i32),
    /// The list that a look-up fills in. It is written to while it is read: anywhere, should entries overlap.
    Anywhere,
}

impl Call {
    pub(super) fn name(&self) -> &'static str {
        IMPORTS[self.import].0
    }

    pub(super) fn params(&self) -> Vec<i32> {
        self.args[..IMPORTS[self.import].1.len()].iter().map(|arg| *arg as i32).collect()
    }

    /// The parts of `memory`, in order, that the host may write to.
    pub(super) fn may_write(&self, memory: &[u8]) -> Vec<Range<usize>> {
        let word =
            |at: usize| Some(u32::from_le_bytes(*memory.get(at..)?.first_chunk::<4>()?) as usize);
        let mut ranges = Vec::new();
        let mut add = |at: usize, len: usize| {
            // Partly outside is refused, by wasmtime-wasi after what is inside was written.
            let end = at.saturating_add(len).min(memory.len());
            if at < end {
                ranges.push(at..end);
            }
        };
        for output in &self.outputs {
            match *output {
                Output::Bytes(at, len) => add(at as u32 as usize, len),
                Output::Events { input, events, count } => {
                    let input = input as u32 as usize;
                    let extended = word(input + 16) == Some(0xd04f_4c01)
                        && memory.get(input + 8).is_some_and(|ty| *ty == 1);
                    let room = match (extended, word(input), word(input + 4)) {
                        (true, Some(low), Some(high)) => high << 32 | low,
                        _ => count as u32 as usize,
                    };
                    add(events as u32 as usize, room.saturating_mul(32));
                }
                Output::Address(at) => {
                    let at = at as u32 as usize;
                    if let (Some(buf), Some(len)) = (word(at), word(at + 4)) {
                        add(buf, len);
                    }
                }
                Output::Sized(at, len) => {
                    if let Some(len) = word(len as u32 as usize) {
                        add(at as u32 as usize, len);
                    }
                }
                Output::Buffers(table, count) => {
                    for i in 0..(count as u32 as usize).min(1024) {
                        let entry = table as u32 as usize + i * 8;
                        if let (Some(buf), Some(len)) = (word(entry), word(entry + 4)) {
                            add(buf, len);
                        }
                    }
                }
                Output::Anywhere => add(0, memory.len()),
            }
        }
        ranges.sort_unstable_by_key(|range| range.start);
        ranges
    }
}
