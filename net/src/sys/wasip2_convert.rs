//! Addresses and errors, between std's types and those of `wasi:sockets`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use wasio_runtime::text_error::text_error;
use wasip2::io::streams::StreamError;
use wasip2::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

use super::Family;

impl From<Family> for IpAddressFamily {
    fn from(family: Family) -> IpAddressFamily {
        match family {
            Family::V4 => IpAddressFamily::Ipv4,
            Family::V6 => IpAddressFamily::Ipv6,
        }
    }
}

/// The address of a socket that has none yet.
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

/// An error of the interface, with its kind.
#[inline(never)] // Every operation has one.
pub(super) fn error(code: ErrorCode) -> io::Error {
    use io::ErrorKind as Kind;
    // Two tables, which is a third of what one table of both would be.
    let kind = match code {
        ErrorCode::WouldBlock => Kind::WouldBlock,
        ErrorCode::AccessDenied | ErrorCode::PermanentResolverFailure => Kind::PermissionDenied,
        ErrorCode::NotSupported => Kind::Unsupported,
        ErrorCode::InvalidArgument | ErrorCode::InvalidState | ErrorCode::DatagramTooLarge => {
            Kind::InvalidInput
        }
        ErrorCode::OutOfMemory => Kind::OutOfMemory,
        ErrorCode::Timeout => Kind::TimedOut,
        ErrorCode::AddressNotBindable => Kind::AddrNotAvailable,
        ErrorCode::AddressInUse => Kind::AddrInUse,
        ErrorCode::RemoteUnreachable => Kind::HostUnreachable,
        ErrorCode::ConnectionRefused => Kind::ConnectionRefused,
        ErrorCode::ConnectionReset => Kind::ConnectionReset,
        ErrorCode::ConnectionAborted => Kind::ConnectionAborted,
        ErrorCode::NameUnresolvable => Kind::NotFound,
        ErrorCode::ConcurrencyConflict
        | ErrorCode::NotInProgress
        | ErrorCode::NewSocketLimit
        | ErrorCode::TemporaryResolverFailure
        | ErrorCode::Unknown => Kind::Other,
    };
    let text = match code {
        ErrorCode::InvalidState => "the socket is not in a state for this",
        ErrorCode::ConcurrencyConflict => "another operation is in progress",
        ErrorCode::NotInProgress => "no such operation is in progress",
        ErrorCode::NewSocketLimit => "the host gives no more sockets",
        ErrorCode::DatagramTooLarge => "the message is too large",
        ErrorCode::Unknown => "the host does not say why",
        _ => return kind.into(),
    };
    text_error(kind, text)
}

/// The same, of a look-up.
pub(super) fn unresolved(code: ErrorCode) -> io::Error {
    use io::ErrorKind as Kind;
    let (kind, text) = match code {
        ErrorCode::NameUnresolvable => (Kind::NotFound, "the name is not known, or has no address"),
        ErrorCode::TemporaryResolverFailure => {
            (Kind::Other, "the name server does not answer; try again later")
        }
        // The one code for "a lookup will never work here", which is how hosts deny it.
        ErrorCode::PermanentResolverFailure => {
            (Kind::PermissionDenied, "the host looks up no names for this guest")
        }
        code => return error(code),
    };
    text_error(kind, text)
}

/// The same; a socket in the wrong state is one that is not connected.
pub(super) fn unconnected(code: ErrorCode) -> io::Error {
    match code {
        ErrorCode::InvalidState => io::ErrorKind::NotConnected.into(),
        code => error(code),
    }
}

/// An error of a stream. The interface tells only a text for debugging.
#[cold]
#[inline(never)]
pub(super) fn failed(failure: StreamError, closed: io::ErrorKind) -> io::Error {
    use io::ErrorKind as Kind;
    let StreamError::LastOperationFailed(error) = failure else { return closed.into() };
    let mut text = error.to_debug_string();
    // A backtrace of the host may follow.
    if let Some(end) = text.bytes().position(|byte| byte == b'\n') {
        text.truncate(end);
    }
    // wasmtime's names for its codes, the interface's, and std's, with only their letters compared.
    const KNOWN: [(&str, io::ErrorKind); 5] = [
        ("connectionreset", Kind::ConnectionReset),
        ("connectionabort", Kind::ConnectionAborted),
        ("brokenpipe", Kind::BrokenPipe),
        ("timeout", Kind::TimedOut),
        ("timedout", Kind::TimedOut),
    ];
    // Unrolled it would be a good part of a kilobyte.
    let known = std::hint::black_box(&KNOWN[..]);
    match known.iter().find(|(name, _)| contains(&text, name)) {
        Some((_, kind)) => (*kind).into(),
        None => io::Error::other(text),
    }
}

/// Whether a text contains a name, in whatever case and with whatever between the letters.
fn contains(text: &str, name: &str) -> bool {
    let letters = |byte: &u8| byte.is_ascii_alphabetic().then(|| byte.to_ascii_lowercase());
    (0..text.len()).any(|start| {
        let mut letters = text.as_bytes()[start..].iter().filter_map(letters);
        name.bytes().all(|letter| letters.next() == Some(letter))
    })
}
