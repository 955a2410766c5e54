//! Errors that name the operation that failed.

use std::error::Error;
use std::fmt::{self, Display, Write as _};
use std::io;
use std::net::SocketAddr;

use wasio_runtime::io::kind;
use wasio_runtime::text_error::{boxed_error, text_error};

use crate::sys::HOST_NET;

/// An error of the host, with the operation that failed and, if the host denied it, the grant that permits it.
// SIZE: the text is written on demand, piece by piece, without a `String`. There is a type for each kind of object, so
// that a program that looks no names up links nothing for them (decision 0011).
struct Failed<T> {
    tried: &'static Tried,
    object: T,
    error: io::Error,
}

/// An operation that can fail.
struct Tried {
    /// The text before the object.
    operation: &'static str,
    /// The beginning of a grant for the object.
    grant_prefix: &'static str,
    /// The option of stock wasmtime that permits it.
    wasmtime_flag: &'static str,
}

const INHERIT: &str = ", `wasmtime run -S inherit-network`";
const CONNECT: Tried = Tried { operation: "connect ", grant_prefix: "", wasmtime_flag: INHERIT };
const BIND: Tried = Tried { operation: "bind ", grant_prefix: "listen:", wasmtime_flag: INHERIT };
const OPEN: Tried =
    Tried { operation: "open a socket", grant_prefix: "all", wasmtime_flag: INHERIT };
const LOOKUP: Tried = Tried {
    operation: "lookup ",
    grant_prefix: "",
    wasmtime_flag: ", `wasmtime run -S allow-ip-name-lookup`",
};

impl<T: Display> Display for Failed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failed { tried, object, error } = self;
        f.write_str(tried.operation)?;
        object.fmt(f)?;
        f.write_str(": ")?;
        error.fmt(f)?;
        if HOST_NET.denies_by_default && kind(error) == io::ErrorKind::PermissionDenied {
            f.write_str("; the host must grant it: `wasio run --net ")?;
            f.write_str(tried.grant_prefix)?;
            object.fmt(f)?;
            f.write_str("`")?;
            if HOST_NET.runs_on_wasmtime {
                f.write_str(tried.wasmtime_flag)?;
            }
        }
        Ok(())
    }
}

impl<T: Display> fmt::Debug for Failed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

// It has no `source`. The text contains the host's error, which a program that follows sources would print twice.
impl<T: Display> Error for Failed<T> {}

/// An address in a message.
// SIZE: not the standard library's `Display`, whose padding and forms of IPv6 take four kilobytes, and numbers written
// through a formatter another half.
pub(crate) struct Addr(pub(crate) SocketAddr);

impl Display for Addr {
    #[inline(never)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (v4, v6);
        let (octets, width, separator, radix): (&[u8], _, _, _) = match self.0 {
            SocketAddr::V4(addr) => {
                v4 = addr.ip().octets();
                (&v4, 1, '.', 10)
            }
            SocketAddr::V6(addr) => {
                v6 = addr.ip().octets();
                f.write_char('[')?;
                (&v6, 2, ':', 16)
            }
        };
        // Every group of an IPv6 address is written: `::` would only be shorter.
        for (place, octets) in octets.chunks(width).enumerate() {
            if place > 0 {
                f.write_char(separator)?;
            }
            number(f, octets.iter().fold(0, |n, octet| n << 8 | u16::from(*octet)), radix)?;
        }
        f.write_str(if width == 1 { ":" } else { "]:" })?;
        number(f, self.0.port(), 10)
    }
}

#[inline(never)]
fn number(f: &mut fmt::Formatter<'_>, n: u16, radix: u16) -> fmt::Result {
    if n >= radix {
        number(f, n / radix, radix)?;
    }
    let digit = (n % radix) as u8;
    f.write_char(char::from(digit + if digit < 10 { b'0' } else { b'a' - 10 }))
}

#[cold]
#[inline(never)]
fn failed<T: Display + Send + Sync + 'static>(
    tried: &'static Tried,
    object: T,
    error: io::Error,
) -> io::Error {
    boxed_error(kind(&error), Box::new(Failed { tried, object, error }))
}

/// Connecting to, or sending to, an address failed.
pub(crate) fn connect(addr: SocketAddr) -> impl FnOnce(io::Error) -> io::Error {
    move |error| failed(&CONNECT, Addr(addr), error)
}

/// Binding an address, or listening on it, failed.
pub(crate) fn bind(addr: SocketAddr) -> impl FnOnce(io::Error) -> io::Error {
    move |error| failed(&BIND, Addr(addr), error)
}

/// Looking a name up failed.
pub(crate) fn lookup(name: &str, error: io::Error) -> io::Error {
    failed(&LOOKUP, name.to_owned(), error)
}

/// The failures of several addresses, none of which worked.
#[derive(Default)]
pub(crate) struct Failures(Option<io::Error>);

impl Failures {
    /// Adds the failure of another address. The error has its kind, and the text contains those of the others.
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

/// Opening a socket failed.
pub(crate) fn open(error: io::Error) -> io::Error {
    failed(&OPEN, "", error)
}

/// The argument contains no address.
pub(crate) fn no_address() -> io::Error {
    text_error(io::ErrorKind::InvalidInput, "could not resolve to any address")
}
