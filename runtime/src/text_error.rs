//! Errors that consist of a text.
//!
//! SIZE: all of them have one type, which costs a guest less than std's conversion from a `&str`, through a `String`
//! and its box.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;

/// An error that consists of a text.
struct TextError(Cow<'static, str>);

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Error for TextError {}

/// Creates an error of this kind with this text.
#[cold]
#[inline(never)]
pub fn text_error(kind: io::ErrorKind, text: &'static str) -> io::Error {
    any_error(kind, Cow::Borrowed(text))
}

/// Does the same with a `String`.
pub fn string_error(kind: io::ErrorKind, text: String) -> io::Error {
    any_error(kind, Cow::Owned(text))
}

#[cold]
fn any_error(kind: io::ErrorKind, text: Cow<'static, str>) -> io::Error {
    boxed_error(kind, Box::new(TextError(text)))
}

/// As `io::Error::new`, of which a guest has one copy then.
#[cold]
#[inline(never)]
pub fn boxed_error(kind: io::ErrorKind, error: Box<dyn Error + Send + Sync>) -> io::Error {
    io::Error::new(kind, error)
}

/// Returns whether the error was made by [`text_error`] with this text.
pub(crate) fn says(error: &io::Error, text: &str) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref::<TextError>());
    error.is_some_and(|error| error.0 == text)
}
