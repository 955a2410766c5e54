//! Addresses in the form that the imports use.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::imports::{EAFNOSUPPORT, RawAddress, check};

/// Passes an address to an import.
pub(super) fn with_address(
    addr: SocketAddr,
    call: impl FnOnce(*const RawAddress) -> u32,
) -> io::Result<()> {
    let (mut octets, len) = ([0; 16], if addr.is_ipv4() { 4 } else { 16 });
    match addr.ip() {
        IpAddr::V4(ip) => octets[..4].copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => octets = ip.octets(),
    }
    check(call(&RawAddress { buf: octets.as_mut_ptr(), len }))
}

/// Reads an address from an import, which fills in an address, a family and a port.
pub(super) fn name(
    call: impl FnOnce(*const RawAddress, *mut u32, *mut u32) -> u32,
) -> Result<SocketAddr, i32> {
    let mut octets = [0; 16];
    let address = RawAddress { buf: octets.as_mut_ptr(), len: octets.len() };
    let (mut family, mut port) = (0, 0);
    match call(&address, &mut family, &mut port) {
        0 => {}
        errno => return Err(errno as i32),
    }
    let ip = match family {
        4 => ip(&octets[..4]),
        6 => ip(&octets),
        _ => return Err(EAFNOSUPPORT),
    };
    Ok(SocketAddr::new(ip, port as u16))
}

/// Returns the IP address of 4 or 16 octets.
pub(super) fn ip(octets: &[u8]) -> IpAddr {
    match octets.try_into() {
        Ok::<[u8; 4], _>(octets) => Ipv4Addr::from(octets).into(),
        Err(_) => <[u8; 16]>::try_from(octets).map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from).into(),
    }
}
