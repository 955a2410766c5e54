//! Addresses in the guest's memory.
//!
//! `Address` is a pointer and a length. The length determines the form: 4 or 16 bytes are the octets of an IP address,
//! 128 bytes are a family (u16) followed by the octets (WasmEdge's second version). The port is passed separately.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::Domain;

use crate::p1::errno::Errno;
use crate::p1::memory::GuestMemory;

pub(crate) const INET4: u8 = 1;
pub(crate) const INET6: u8 = 2;
pub(crate) const UNIX: u8 = 3;

/// The length of the form that includes the family.
const STORAGE: u32 = 128;

/// Returns WASI's number for the family of `ip`.
pub(crate) fn family(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { INET4 } else { INET6 }
}

/// Returns the octets buffer that an `Address` at `ptr` points to, checked.
pub(crate) fn target(memory: &GuestMemory<'_>, ptr: u32) -> Result<(u32, u32), Errno> {
    memory.range(ptr, 8, 4)?;
    let (buf, len) = (memory.read_u32(ptr)?, memory.read_u32(ptr + 4)?);
    memory.range(buf, len as usize, 1)?;
    match len {
        4 | 16 | STORAGE => Ok((buf, len)),
        _ => Err(Errno::INVAL),
    }
}

/// Reads the address of a call on a socket of `domain`.
///
/// On an IPv4 socket the first four bytes of a 16 byte buffer are the octets, because some guests pass one buffer for
/// both families.
pub(crate) fn read(memory: &GuestMemory<'_>, ptr: u32, port: i32) -> Result<SocketAddr, Errno> {
    let (buf, len) = target(memory, ptr)?;
    let bytes = memory.bytes(buf, len)?;
    // WasmEdge also truncates the port to 16 bits.
    let port = port as u16;
    let ip = match (len, bytes) {
        (4, _) => ip4(bytes),
        (16, _) => ip6(bytes),
        _ => match u16::from_le_bytes([bytes[0], bytes[1]]) {
            f if f == u16::from(INET4) => ip4(&bytes[2..]),
            f if f == u16::from(INET6) => ip6(&bytes[2..]),
            _ => return Err(Errno::AFNOSUPPORT),
        },
    };
    Ok(SocketAddr::new(ip, port))
}

fn ip4(bytes: &[u8]) -> IpAddr {
    Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into()
}

fn ip6(bytes: &[u8]) -> IpAddr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&bytes[..16]);
    Ipv6Addr::from(octets).into()
}

/// Writes `ip` into a buffer that [`target`] returned. A buffer of 4 bytes cannot take an IPv6 address: `NOMEM`, as on
/// WasmEdge.
pub(crate) fn write(
    memory: &mut GuestMemory<'_>,
    (buf, len): (u32, u32),
    ip: IpAddr,
) -> Result<(), Errno> {
    let at = if len == STORAGE {
        memory.write(buf, 1, &u16::from(family(ip)).to_le_bytes())?;
        buf + 2
    } else {
        buf
    };
    match ip {
        IpAddr::V4(ip) => memory.write(at, 1, &ip.octets()),
        IpAddr::V6(_) if len == 4 => Err(Errno::NOMEM),
        IpAddr::V6(ip) => memory.write(at, 1, &ip.octets()),
    }
}

/// Returns whether the buffer has the form of the second version.
pub(crate) fn is_storage((_, len): (u32, u32)) -> bool {
    len == STORAGE
}

/// Returns the host's family for a WASI one.
pub(crate) fn domain(family: i32) -> Result<Domain, Errno> {
    match u8::try_from(family) {
        Ok(INET4) => Ok(Domain::IPV4),
        Ok(INET6) => Ok(Domain::IPV6),
        Ok(UNIX) => Err(Errno::AFNOSUPPORT),
        _ => Err(Errno::INVAL),
    }
}
