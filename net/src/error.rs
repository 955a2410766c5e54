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
        write!(f, "{}: {}{}", self.tried, self.error, self.advice)
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
/// IPv6 would be four kilobytes in every guest.
pub(crate) struct Addr(pub(crate) SocketAddr);

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        match self.0 {
            SocketAddr::V4(addr) => {
                for octet in addr.ip().octets() {
                    write!(f, "{separator}{octet}")?;
                    separator = ".";
                }
            }
            SocketAddr::V6(addr) => {
                f.write_str("[")?;
                // Every group is written; `::` would only be shorter.
                for group in addr.ip().segments() {
                    write!(f, "{separator}{group:x}")?;
                    separator = ":";
                }
                f.write_str("]")?;
            }
        }
        write!(f, ":{}", self.0.port())
    }
}

/// Which grant of `wasio run` an operation needs.
enum Grant<'a> {
    Connect(SocketAddr),
    Listen(SocketAddr),
    Lookup(&'a str),
    Any,
}

impl fmt::Display for Grant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "; the guest has no access to it unless the host grants it: `wasio run --net ",
        )?;
        match self {
            Grant::Connect(addr) => Addr(*addr).fmt(f)?,
            Grant::Listen(addr) => write!(f, "listen:{}", Addr(*addr))?,
            Grant::Lookup(name) => f.write_str(name)?,
            Grant::Any => f.write_str("all")?,
        }
        f.write_str("`")?;
        #[cfg(all(target_os = "wasi", target_env = "p2"))]
        f.write_str(match self {
            Grant::Lookup(_) => ", `wasmtime run -S allow-ip-name-lookup`",
            _ => ", `wasmtime run -S inherit-network`",
        })?;
        Ok(())
    }
}

#[cold]
#[inline(never)]
fn failed(tried: &dyn fmt::Display, error: io::Error, grant: Grant<'_>) -> io::Error {
    let denied = cfg!(target_os = "wasi") && error.kind() == io::ErrorKind::PermissionDenied;
    let advice = if denied { grant.to_string() } else { String::new() };
    io::Error::new(error.kind(), Failed { tried: tried.to_string(), error, advice })
}

/// Connecting to, or sending to, an address failed.
pub(crate) fn connect(addr: SocketAddr) -> impl FnOnce(io::Error) -> io::Error {
    move |error| failed(&format_args!("connect {}", Addr(addr)), error, Grant::Connect(addr))
}

/// Binding an address, or listening on it, failed.
pub(crate) fn bind(addr: SocketAddr) -> impl FnOnce(io::Error) -> io::Error {
    move |error| failed(&format_args!("bind {}", Addr(addr)), error, Grant::Listen(addr))
}

/// Looking a name up failed.
pub(crate) fn lookup(name: &str, error: io::Error) -> io::Error {
    failed(&format_args!("lookup {name}"), error, Grant::Lookup(name))
}

/// Servers were asked for a name; `what` says which and what came of it.
#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
pub(crate) fn resolver(name: &str, kind: io::ErrorKind, what: String) -> io::Error {
    io::Error::new(kind, format!("lookup {name}: {what}"))
}

/// What became of several addresses, of which none would do.
#[derive(Default)]
pub(crate) struct Tried(Option<io::Error>);

impl Tried {
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
    failed(&"open a socket", error, Grant::Any)
}

/// What was given names no address at all.
pub(crate) fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address")
}
