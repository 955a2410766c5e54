//! What guests print: whole lines behind their guest's number, and the end of what each said on stderr.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// A line is passed on in pieces of this size at most.
const LINE: usize = 8192;
/// As much as is kept of what a guest said last.
const TAIL: usize = 1024;

/// One output of one guest, passed on line by line.
pub(super) struct Stream {
    index: u32,
    stderr: bool,
    line: Vec<u8>,
}

impl Stream {
    pub(super) fn stdout(index: u32) -> Stream {
        Stream { index, stderr: false, line: Vec::new() }
    }

    pub(super) fn stderr(index: u32) -> Stream {
        Stream { index, stderr: true, line: Vec::new() }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() >= LINE {
                self.pass_on();
            }
        }
    }

    fn pass_on(&mut self) {
        let mut text = format!("{}| ", self.index).into_bytes();
        text.append(&mut self.line);
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        // Nobody may be listening any more.
        let _ = match self.stderr {
            true => std::io::stderr().write_all(&text),
            false => std::io::stdout().write_all(&text),
        };
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.pass_on();
        }
    }
}

/// The end of what a guest said. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    pub(super) fn take(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let beyond = kept.len().saturating_sub(TAIL);
        kept.drain(..beyond);
    }

    pub(super) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept() {
        let tail = Tail::default();
        tail.take(b"begin");
        tail.take(&[b'x'; 2 * TAIL]);
        tail.take(b" end\n");
        let text = tail.text();
        assert!(text.len() <= TAIL && text.starts_with('x') && text.ends_with(" end"), "{text}");
    }
}
