//! Addresses and errors: conversions between std's types and those of `wasi:sockets`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use wasio_runtime::reactor::wasip2_io::StreamError;
use wasio_runtime::text_error::{string_error, text_error};
use wasip2::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

use crate::sys::Family;

impl From<Family> for IpAddressFamily {
    fn from(family: Family) -> IpAddressFamily {
        match family {
            Family::V4 => IpAddressFamily::Ipv4,
            Family::V6 => IpAddressFamily::Ipv6,
        }
    }
}

/// Returns the address of a socket that has none yet.
pub(super) fn unspecified(family: IpAddressFamily) -> SocketAddr {
    match family {
        IpAddressFamily::Ipv4 => (Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddressFamily::Ipv6 => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

pub(super) fn to_host(addr: SocketAddr) -> IpSocketAddress {
    match addr {
        SocketAddr::V4(addr) => {
            let [a, b, c, d] = addr.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress { port: addr.port(), address: (a, b, c, d) })
        }
        SocketAddr::V6(addr) => {
            let [a, b, c, d, e, f, g, h] = addr.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: addr.port(),
                flow_info: addr.flowinfo(),
                address: (a, b, c, d, e, f, g, h),
                scope_id: addr.scope_id(),
            })
        }
    }
}

pub(super) fn from_host(addr: IpSocketAddress) -> SocketAddr {
    match addr {
        IpSocketAddress::Ipv4(addr) => {
            let (a, b, c, d) = addr.address;
            SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), addr.port).into()
        }
        IpSocketAddress::Ipv6(addr) => {
            let (a, b, c, d, e, f, g, h) = addr.address;
            let ip = Ipv6Addr::new(a, b, c, d, e, f, g, h);
            SocketAddrV6::new(ip, addr.port, addr.flow_info, addr.scope_id).into()
        }
    }
}

pub(super) fn ip(addr: IpAddress) -> IpAddr {
    match addr {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}

/// Converts an error of the interface.
#[inline(never)] // SIZE: every operation has one.
pub(super) fn error(code: ErrorCode) -> io::Error {
    // SIZE: lists, because a `match` of this many cases is three times as large.
    let kind = KINDS.get(code as usize).copied().unwrap_or(io::ErrorKind::Other);
    match TEXTS.iter().find(|(with, _)| *with == code as u8) {
        Some((_, text)) => text_error(kind, text),
        None => kind.into(),
    }
}

/// Indexed by code, in the order of the interface.
const KINDS: [io::ErrorKind; 21] = {
    use io::ErrorKind as Kind;
    let mut kinds = [Kind::Other; 21];
    kinds[ErrorCode::AccessDenied as usize] = Kind::PermissionDenied;
    kinds[ErrorCode::NotSupported as usize] = Kind::Unsupported;
    kinds[ErrorCode::InvalidArgument as usize] = Kind::InvalidInput;
    kinds[ErrorCode::OutOfMemory as usize] = Kind::OutOfMemory;
    kinds[ErrorCode::Timeout as usize] = Kind::TimedOut;
    kinds[ErrorCode::WouldBlock as usize] = Kind::WouldBlock;
    kinds[ErrorCode::InvalidState as usize] = Kind::InvalidInput;
    kinds[ErrorCode::AddressNotBindable as usize] = Kind::AddrNotAvailable;
    kinds[ErrorCode::AddressInUse as usize] = Kind::AddrInUse;
    kinds[ErrorCode::RemoteUnreachable as usize] = Kind::HostUnreachable;
    kinds[ErrorCode::ConnectionRefused as usize] = Kind::ConnectionRefused;
    kinds[ErrorCode::ConnectionReset as usize] = Kind::ConnectionReset;
    kinds[ErrorCode::ConnectionAborted as usize] = Kind::ConnectionAborted;
    kinds[ErrorCode::DatagramTooLarge as usize] = Kind::InvalidInput;
    kinds[ErrorCode::NameUnresolvable as usize] = Kind::NotFound;
    kinds[ErrorCode::PermanentResolverFailure as usize] = Kind::PermissionDenied;
    kinds
};

/// Details that the kind does not contain.
static TEXTS: [(u8, &str); 6] = [
    (ErrorCode::InvalidState as u8, "the socket is not in a state for this"),
    (ErrorCode::ConcurrencyConflict as u8, "another operation is in progress"),
    (ErrorCode::NotInProgress as u8, "no such operation is in progress"),
    (ErrorCode::NewSocketLimit as u8, "the host gives no more sockets"),
    (ErrorCode::DatagramTooLarge as u8, "the message is too large"),
    (ErrorCode::Unknown as u8, "the host does not say why"),
];

/// Converts an error of a lookup.
pub(super) fn unresolved(code: ErrorCode) -> io::Error {
    use io::ErrorKind as Kind;
    let (kind, text) = match code {
        ErrorCode::NameUnresolvable => (Kind::NotFound, "the name is not known, or has no address"),
        ErrorCode::TemporaryResolverFailure => {
            (Kind::Other, "the name server does not answer; try again later")
        }
        // The only code for "a lookup will never work here", which is how hosts deny it.
        ErrorCode::PermanentResolverFailure => {
            (Kind::PermissionDenied, "the host looks up no names for this guest")
        }
        code => return error(code),
    };
    text_error(kind, text)
}

/// Like `error`, but a socket in the wrong state is one that is not connected.
pub(super) fn unconnected(code: ErrorCode) -> io::Error {
    match code {
        ErrorCode::InvalidState => io::ErrorKind::NotConnected.into(),
        code => error(code),
    }
}

/// Converts an error of a stream. The interface provides only a text for debugging.
#[cold]
#[inline(never)]
pub(super) fn failed(failure: StreamError, closed: io::ErrorKind) -> io::Error {
    use io::ErrorKind as Kind;
    let StreamError::Failed(text) = failure else { return closed.into() };
    // Parts of wasmtime's names for its codes, the interface's names, and std's, in any case.
    const KNOWN: [(&str, io::ErrorKind); 5] = [
        ("reset", Kind::ConnectionReset),
        ("abort", Kind::ConnectionAborted),
        ("pipe", Kind::BrokenPipe),
        ("timeout", Kind::TimedOut),
        ("timed", Kind::TimedOut),
    ];
    // SIZE: unrolled, this would be a good part of a kilobyte.
    let known = std::hint::black_box(&KNOWN[..]);
    match known.iter().find(|(name, _)| contains(&text, name)) {
        Some((_, kind)) => (*kind).into(),
        None => string_error(Kind::Other, text),
    }
}

/// Returns whether a text contains a name, ignoring case.
fn contains(text: &str, name: &str) -> bool {
    let starts = |at: usize| {
        let part = text.as_bytes().get(at..at + name.len());
        part.is_some_and(|part| part.eq_ignore_ascii_case(name.as_bytes()))
    };
    (0..text.len()).any(starts)
}
