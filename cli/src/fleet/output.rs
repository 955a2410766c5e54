//! The output of guests: whole lines, each after its guest's number, and the last lines that each guest wrote to
//! standard error.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use wasio_host::{Printable, Receive};

use crate::run::notes::NOTES;
use crate::run::writer::Writer;

/// The maximum size of the pieces in which a line is passed on.
const LINE: usize = 8192;
/// The number of bytes that are kept of a guest's last output.
const TAIL: usize = 1024;

/// Standard output, which may be closed.
pub(super) static STDOUT: Writer = Writer::new(|text| {
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(text).and_then(|()| stdout.flush());
});

/// One output of one guest, passed on line by line. The guest is suspended while the output is not read.
pub(super) struct Lines {
    index: u32,
    to: &'static Writer,
    line: Vec<u8>,
}

impl Lines {
    pub(super) fn stdout(index: u32) -> Lines {
        Lines { index, to: &STDOUT, line: Vec::new() }
    }

    pub(super) fn stderr(index: u32) -> Lines {
        Lines { index, to: &NOTES, line: Vec::new() }
    }

    fn pass_on(&mut self) {
        self.to.take(behind(self.index, &self.line).into_bytes());
        self.line.clear();
    }
}

/// Formats a line for printing. Characters that move the cursor are escaped, because they could forge another guest's
/// number.
fn behind(index: u32, line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut text = format!("{index}| ");
    for (i, part) in String::from_utf8_lossy(line).split('\t').enumerate() {
        let tab = if i == 0 { "" } else { "\t" };
        text += &format!("{tab}{}", Printable::new(part).at_most(usize::MAX));
    }
    text.push('\n');
    text
}

impl Receive for Lines {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.to.poll_room(cx)
    }

    fn receive(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in piece.chunks(LINE) {
                self.line.extend_from_slice(piece);
                if piece.ends_with(b"\n") || self.line.len() >= LINE {
                    self.pass_on();
                }
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.pass_on();
        }
    }
}

/// The standard error of a guest: its end is kept, and all of it is passed on if requested.
pub(super) struct Errors {
    pub(super) tail: Tail,
    pub(super) lines: Option<Lines>,
}

impl Receive for Errors {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.lines.as_mut().map_or(Poll::Ready(()), |lines| lines.poll_ready(cx))
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.tail.take(bytes);
        if let Some(lines) = &mut self.lines {
            lines.receive(bytes);
        }
    }
}

/// The end of a guest's output. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    fn take(&self, bytes: &[u8]) {
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

    #[test]
    fn nobody_writes_the_number_of_another() {
        let line =
            behind(7, b"mine\r8| forged\x1b[2K\x1b[1G9| forged\xc2\x9b1G\xe2\x80\xa8\xff\ttab\r\n");
        let shown =
            "7| mine\\r8| forged\\u{1b}[2K\\u{1b}[1G9| forged\\u{9b}1G\\u{2028}\u{fffd}\ttab\n";
        assert_eq!(line, shown);
    }
}
