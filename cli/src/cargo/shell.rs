//! Output for the user: status lines on standard error in Cargo's style.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use wasio_host::Printable;

/// Writes status lines as cargo does. Errors are written even when quiet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shell {
    quiet: bool,
    colour: bool,
}

impl Shell {
    /// Creates a shell. `colour` is the value of `--color`, if one was given.
    pub(crate) fn new(quiet: bool, colour: Option<&str>) -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let wish = colour.map(str::to_owned).or_else(|| set("CARGO_TERM_COLOR"));
        let colour = match wish.as_deref() {
            Some("always") => true,
            Some("never") => false,
            _ => std::io::stderr().is_terminal() && set("NO_COLOR").is_none(),
        };
        Shell { quiet, colour }
    }

    /// `   Patching tokio …`
    pub(crate) fn status(&self, verb: &str, what: impl Display) {
        if self.quiet {
            return;
        }
        if self.colour {
            say(format_args!("\x1b[1m\x1b[32m{verb:>12}\x1b[0m {}", printable(what)));
        } else {
            say(format_args!("{verb:>12} {}", printable(what)));
        }
    }

    pub(crate) fn note(&self, what: impl Display) {
        if !self.quiet {
            self.labelled("note", "36", what);
        }
    }

    pub(crate) fn warning(&self, what: impl Display) {
        if !self.quiet {
            self.labelled("warning", "33", what);
        }
    }

    pub(crate) fn error(&self, what: impl Display) {
        self.labelled("error", "31", what);
    }

    fn labelled(&self, label: &str, code: &str, what: impl Display) {
        if self.colour {
            say(format_args!("\x1b[1m\x1b[{code}m{label}\x1b[0m: {}", printable(what)));
        } else {
            say(format_args!("{label}: {}", printable(what)));
        }
    }
}

/// Escapes lines that contain names chosen by others, of crates and files.
pub(crate) fn printable(text: impl Display) -> String {
    let text = text.to_string();
    let lines = text.split('\n').map(|line| Printable::new(line).at_most(usize::MAX).to_string());
    lines.collect::<Vec<_>>().join("\n")
}

/// A closed stderr must not end the command.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
