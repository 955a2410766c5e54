//! Errors that say what was tried.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// An error of the host, with what was tried and, if there is one, the way out.
struct Failed {
    tried: String,
    error: io::Error,
    advice: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tried)?;
        f.write_str(": ")?;
        self.error.fmt(f)?;
        f.write_str(&self.advice)
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// An address in a message. Not the standard library's `Display`: its padding and its care for every form of
/// IPv6 would be four kilobytes in every guest, and numbers written through a formatter another half.
pub(crate) struct Addr(pub(crate) SocketAddr);

impl Addr {
    #[inline(never)]
    fn write_to(&self, text: &mut String) {
        match self.0 {
            SocketAddr::V4(addr) => {
                let octets = addr.ip().octets().map(u16::from);
                join(text, &octets, '.', 10);
            }
            SocketAddr::V6(addr) => {
                text.push('[');
                // Every group is written; `::` would only be shorter.
                join(text, &addr.ip().segments(), ':', 16);
                text.push(']');
            }
        }
        text.push(':');
        number(text, self.0.port(), 10);
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write_to(&mut text);
        f.write_str(&text)
    }
}

#[inline(never)]
fn join(text: &mut String, numbers: &[u16], separator: char, radix: u16) {
    for (place, n) in numbers.iter().enumerate() {
        if place > 0 {
            text.push(separator);
        }
        number(text, *n, radix);
    }
}

#[inline(never)]
fn number(text: &mut String, n: u16, radix: u16) {
    if n >= radix {
        number(text, n / radix, radix);
    }
    let digit = (n % radix) as u8;
    text.push(char::from(digit + if digit < 10 { b'0' } else { b'a' - 10 }));
}

/// What was tried, and of `wasio run` the grant that it needs.
enum Tried<'a> {
    Connect(SocketAddr),
    Bind(SocketAddr),
    Lookup(&'a str),
    Open,
}

impl Tried<'_> {
    fn write_to(&self, text: &mut String) {
        let (what, object) = match self {
            Tried::Connect(addr) => ("connect ", Ok(addr)),
            Tried::Bind(addr) => ("bind ", Ok(addr)),
            Tried::Lookup(name) => ("lookup ", Err(*name)),
            Tried::Open => ("open a socket", Err("")),
        };
        text.push_str(what);
        write_object(text, object);
    }

    fn advise(&self, text: &mut String) {
        text.push_str(
            "; the guest has no access to it unless the host grants it: `wasio run --net ",
        );
        let object = match self {
            Tried::Connect(addr) => Ok(addr),
            Tried::Bind(addr) => {
                text.push_str("listen:");
                Ok(addr)
            }
            Tried::Lookup(name) => Err(*name),
            Tried::Open => Err("all"),
        };
        write_object(text, object);
        text.push('`');
        #[cfg(all(target_os = "wasi", target_env = "p2"))]
        text.push_str(match self {
            Tried::Lookup(_) => ", `wasmtime run -S allow-ip-name-lookup`",
            _ => ", `wasmtime run -S inherit-network`",
        });
    }
}

fn write_object(text: &mut String, object: Result<&SocketAddr, &str>) {
    match object {
        Ok(addr) => Addr(*addr).write_to(text),
        Err(name) => text.push_str(name),
    }
}

#[cold]
#[inline(never)]
fn failed(what: &Tried<'_>, error: io::Error) -> io::Error {
    let (mut tried, mut advice) = (String::new(), String::new());
    what.write_to(&mut tried);
    if cfg!(target_os = "wasi") && error.kind() == io::ErrorKind::PermissionDenied {
        what.advise(&mut advice);
    }
    io::Error::new(error.kind(), Failed { tried, error, advice })
}

/// Connecting to, or sending to, an address failed.
pub(crate) fn connect(addr: SocketAddr) -> impl FnOnce(io::Error) -> io::Error {
    move |error| failed(&Tried::Connect(addr), error)
}

/// Binding an address, or listening on it, failed.
pub(crate) fn bind(addr: SocketAddr) -> impl FnOnce(io::Error) -> io::Error {
    move |error| failed(&Tried::Bind(addr), error)
}

/// Looking a name up failed.
pub(crate) fn lookup(name: &str, error: io::Error) -> io::Error {
    failed(&Tried::Lookup(name), error)
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
    failed(&Tried::Open, error)
}

/// What was given names no address at all.
pub(crate) fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address")
}
