//! Errors that say what was tried.

use std::error::Error;
use std::fmt::{self, Display, Write as _};
use std::io;
use std::net::SocketAddr;

use wasio_runtime::io::forget;
use wasio_runtime::text_error::{boxed_error, text_error};

/// An error of the host, with what was tried and, if there is one, the way out. The text is made when it is asked
/// for, piece by piece: every `String` on the way would be more of every guest. Of one type for each kind of object,
/// so that who looks no names up has nothing of them.
struct Failed<T> {
    /// What was tried, up to the object.
    what: &'static str,
    /// What a grant of the object begins with.
    to_grant: &'static str,
    object: T,
    /// What stock wasmtime is to be given.
    #[cfg_attr(not(all(target_os = "wasi", target_env = "p2")), allow(dead_code))]
    elsewhere: &'static str,
    error: io::Error,
}

impl<T: Display> Display for Failed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        self.object.fmt(f)?;
        f.write_str(": ")?;
        self.error.fmt(f)?;
        if cfg!(target_os = "wasi") && self.error.kind() == io::ErrorKind::PermissionDenied {
            f.write_str(
                "; the guest has no access to it unless the host grants it: `wasio run --net ",
            )?;
            f.write_str(self.to_grant)?;
            self.object.fmt(f)?;
            f.write_str("`")?;
            #[cfg(all(target_os = "wasi", target_env = "p2"))]
            f.write_str(self.elsewhere)?;
        }
        Ok(())
    }
}

impl<T: Display> fmt::Debug for Failed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

// It has no `source`: the text says what the host's error does, and would be printed twice by those who follow sources.
impl<T: Display> Error for Failed<T> {}

/// An address in a message. Not the standard library's `Display`: its padding and its care for every form of
/// IPv6 would be four kilobytes in every guest, and numbers written through a formatter another half.
pub(crate) struct Addr(pub(crate) SocketAddr);

impl Display for Addr {
    #[inline(never)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            SocketAddr::V4(addr) => join(f, &addr.ip().octets(), 1)?,
            SocketAddr::V6(addr) => {
                f.write_str("[")?;
                // Every group is written; `::` would only be shorter.
                join(f, &addr.ip().octets(), 2)?;
                f.write_str("]")?;
            }
        }
        f.write_str(":")?;
        number(f, self.0.port(), 10)
    }
}

/// Writes the numbers of an address, which have so many octets each.
#[inline(never)]
fn join(f: &mut fmt::Formatter<'_>, octets: &[u8], width: usize) -> fmt::Result {
    let (separator, radix) = if width == 1 { (".", 10) } else { (":", 16) };
    for (place, octets) in octets.chunks(width).enumerate() {
        if place > 0 {
            f.write_str(separator)?;
        }
        number(f, octets.iter().fold(0, |n, octet| n << 8 | u16::from(*octet)), radix)?;
    }
    Ok(())
}

#[inline(never)]
fn number(f: &mut fmt::Formatter<'_>, n: u16, radix: u16) -> fmt::Result {
    if n >= radix {
        number(f, n / radix, radix)?;
    }
    let digit = (n % radix) as u8;
    f.write_char(char::from(digit + if digit < 10 { b'0' } else { b'a' - 10 }))
}

const INHERIT: &str = ", `wasmtime run -S inherit-network`";

#[cold]
#[inline(never)]
fn failed<T: Display + Send + Sync + 'static>(
    what: &'static str,
    to_grant: &'static str,
    object: T,
    elsewhere: &'static str,
    error: io::Error,
) -> io::Error {
    boxed_error(error.kind(), Box::new(Failed { what, to_grant, object, elsewhere, error }))
}

/// Connecting to, or sending to, an address failed.
pub(crate) fn connect(addr: SocketAddr) -> impl FnOnce(io::Error) -> io::Error {
    move |error| failed("connect ", "", Addr(addr), INHERIT, error)
}

/// Binding an address, or listening on it, failed.
pub(crate) fn bind(addr: SocketAddr) -> impl FnOnce(io::Error) -> io::Error {
    move |error| failed("bind ", "listen:", Addr(addr), INHERIT, error)
}

/// Looking a name up failed.
pub(crate) fn lookup(name: &str, error: io::Error) -> io::Error {
    failed("lookup ", "", name.to_owned(), ", `wasmtime run -S allow-ip-name-lookup`", error)
}

/// Servers were asked for a name; `what` says which and what came of it.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub(crate) fn resolver(name: &str, kind: io::ErrorKind, what: String) -> io::Error {
    io::Error::new(kind, format!("lookup {name}: {what}"))
}

/// What became of several addresses, of which none would do.
#[derive(Default)]
pub(crate) struct Failures(Option<io::Error>);

impl Failures {
    /// One more address failed. The error is of its kind, and says what the others' did.
    pub(crate) fn add(&mut self, error: io::Error) {
        self.0 = Some(match self.0.take() {
            None => error,
            Some(earlier) => io::Error::new(error.kind(), format!("{earlier}; {error}")),
        });
    }

    pub(crate) fn into_error(self) -> io::Error {
        self.0.unwrap_or_else(no_address)
    }
}

/// A socket could not be made.
pub(crate) fn open(error: io::Error) -> io::Error {
    failed("open a socket", "all", "", INHERIT, error)
}

/// What was given names no address at all.
pub(crate) fn no_address() -> io::Error {
    text_error(io::ErrorKind::InvalidInput, "could not resolve to any address")
}

/// What a socket lacks is no reason to refuse it.
#[inline(never)]
pub(crate) fn unless_unsupported(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::Unsupported => {
            forget(e);
            Ok(())
        }
        result => result,
    }
}
