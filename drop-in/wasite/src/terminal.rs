//! The terminal. Commands are bytes on the standard output.

use std::fmt;
use std::io::{self, Read, Write};
use std::num::NonZeroU16;

/// The result of the functions of this crate.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// An error of writing to or reading from the terminal.
pub struct Error(io::Error);

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The size of the terminal, in characters.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Dimensions {
    /// Columns.
    pub width: NonZeroU16,
    /// Lines.
    pub height: NonZeroU16,
}

/// Where the cursor is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Cursor {
    /// From the left, from 1.
    pub column: NonZeroU16,
    /// From the top, from 1.
    pub line: NonZeroU16,
}

/// The state of the terminal.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct State {
    /// Its size.
    pub dimensions: Dimensions,
    /// Where the cursor is.
    pub cursor: Cursor,
}

/// A command for the terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// Clears the screen.
    Clear,
    /// Rings the bell.
    Alert,
    /// Turns raw mode on or off.
    Raw(bool),
    /// Changes the window's title.
    Title(&'a str),
    /// Goes to the alternate screen, or back.
    Screen(bool),
}

/// Executes a command.
///
/// # Errors
///
/// An error of writing to the standard output.
pub fn execute(commands: &[Command<'_>]) -> Result {
    let mut out = io::stdout().lock();
    for command in commands {
        let done = match command {
            Command::Clear => out.write_all(b"\x00"),
            Command::Alert => out.write_all(b"\x07"),
            Command::Raw(on) => out.write_all(if *on { b"\x03" } else { b"\x02" }),
            Command::Title(title) => write!(out, "\x01{title}\x04"),
            Command::Screen(on) => out.write_all(if *on { b"\x0f" } else { b"\x0e" }),
        };
        done.map_err(Error)?;
    }
    out.flush().map_err(Error)
}

/// Asks the terminal for its state. It answers on the standard input, as `column/width;line/height`.
///
/// # Errors
///
/// An error of the standard streams. `InvalidData` if the answer has another form.
pub fn state() -> Result<State> {
    let ask = |bytes: &[u8]| {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    };
    let answer = || {
        ask(b"\x05")?;
        let mut buffer = [0; 24];
        let length = io::stdin().read(&mut buffer)?;
        ask(b"\x06")?;
        let state = std::str::from_utf8(&buffer[..length]).ok().and_then(parse);
        state.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a terminal's state"))
    };
    answer().map_err(Error)
}

fn parse(text: &str) -> Option<State> {
    let (columns, lines) = text.trim_end().split_once(';')?;
    let pair = |text: &str| {
        let (at, of) = text.split_once('/')?;
        Some((at.parse().ok()?, of.parse().ok()?))
    };
    let (column, width) = pair(columns)?;
    let (line, height) = pair(lines)?;
    Some(State { dimensions: Dimensions { width, height }, cursor: Cursor { column, line } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_four_numbers() {
        let state = parse("3/80;12/25").unwrap();
        assert_eq!((state.cursor.column.get(), state.dimensions.width.get()), (3, 80));
        assert_eq!((state.cursor.line.get(), state.dimensions.height.get()), (12, 25));
        assert!(parse("3/80").is_none() && parse("0/80;1/1").is_none() && parse("").is_none());
    }
}
