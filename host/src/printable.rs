//! Prints text from untrusted sources.
//!
//! A guest chooses the names of its functions, of its imports and of the hosts that it looks up. On a terminal, an
//! escape sequence in such a name moves the cursor or changes colours, a line feed forges a line of the host's, and a
//! thousand names of a thousand letters hide everything else.

use std::fmt::{self, Write as _};

/// The default limit on the length of a name.
const NAME: usize = 256;

/// Text of unknown origin, escaped and shortened by its [`Display`](fmt::Display).
///
/// Control characters (C0, DEL, C1), line and paragraph separators, controls of the direction of text and characters
/// without a width become escapes such as `\n` and `\u{1b}`. Text longer than 256 characters is cut, and ends in the
/// number of bytes that were cut off.
///
/// ```
/// use wasio_host::Printable;
///
/// assert_eq!(Printable::new("caf\u{e9}\u{1b}[31m").to_string(), r"café\u{1b}[31m");
/// assert_eq!(Printable::new("12345").at_most(3).to_string(), "123… (2 more bytes)");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a> {
    text: &'a str,
    most: usize,
}

impl<'a> Printable<'a> {
    /// Prints the text on one line of at most 256 characters.
    pub fn new(text: &'a str) -> Printable<'a> {
        Printable { text, most: NAME }
    }

    /// Returns whether the text is printed unchanged.
    pub fn is_unchanged(self) -> bool {
        self.text.chars().count() <= self.most && self.text.chars().all(is_printable)
    }

    /// Sets another limit, in characters as they are printed.
    pub fn at_most(self, characters: usize) -> Printable<'a> {
        Printable { most: characters, ..self }
    }
}

/// Returns whether a terminal prints the character in its place, without any other effect.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
        && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        && !matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printed = 0;
        for (at, c) in self.text.char_indices() {
            let width = if is_printable(c) { 1 } else { c.escape_default().len() };
            if printed + width > self.most {
                return write!(f, "… ({} more bytes)", self.text.len() - at);
            }
            printed += width;
            match width {
                1 => f.write_char(c)?,
                _ => write!(f, "{}", c.escape_default())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor_or_ends_the_line() {
        let controls = (0..0x20).chain(0x7f..0xa0).chain([0x61c, 0x200e, 0x200f, 0x2028, 0x2029]);
        for c in controls.chain(0x202a..0x202f).chain(0x2066..0x206a) {
            let c = char::from_u32(c).unwrap();
            let text = format!("a{c}b");
            let printed = Printable::new(&text).to_string();
            assert!(!printed.contains(c) && printed.starts_with("a\\"), "{c:?}: {printed}");
        }
    }

    #[test]
    fn what_is_harmless_stays() {
        let text = "<a::B<'x> as \"C\">::d {{closure}} \\ größe 名前 नमस्ते 👩‍🚀";
        assert_eq!(Printable::new(text).to_string(), text);
    }

    #[test]
    fn what_was_cut_is_said() {
        let text = "x".repeat(1000);
        let printed = Printable::new(&text).to_string();
        assert_eq!(printed, format!("{}… (744 more bytes)", "x".repeat(256)));
        // Escapes count by their printed length, and are not cut in two.
        let escapes = "\u{1b}".repeat(1000);
        let printed = Printable::new(&escapes).at_most(20).to_string();
        assert_eq!(printed, r"\u{1b}\u{1b}\u{1b}… (997 more bytes)");
        assert_eq!(Printable::new("exact").at_most(5).to_string(), "exact");
    }
}
