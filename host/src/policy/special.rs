//! Which addresses belong to the open internet, after IANA's registries of special-purpose addresses.
//!
//! The answer is an allow list. An IPv4 address is allowed if it is unicast and no entry of the registry excludes it.
//! An IPv6 address is allowed if it is in `2000::/3`, the only block that IANA assigns as global unicast, and no entry
//! excludes it. Outside that block only NAT64's well-known prefix is allowed. Where entries overlap, the longest prefix
//! counts.
//!
//! An address that embeds an IPv4 address is allowed only if both are.
//!
//! This is stricter than the registries in two ways. Some entries are globally reachable by anycast, but are answered
//! by the nearest node of one's own network, such as the port control of its NAT: they are refused. So are identifiers
//! that are not a place in the network (ORCHIDv2, DETs). The prefix of a network's own NAT64 or 6rd cannot be told from
//! other addresses. It is assumed that the operator of such a network does not translate inner addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use Verdict::{Global, Special};

/// The verdict of an entry on its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Globally reachable.
    Global,
    /// Not globally reachable, or not from the internet at large.
    Special,
}

pub(super) type Entry<Net> = (Net, &'static str, Verdict);

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix_len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix_len)
}

const fn v6(ip: [u16; 8], prefix_len: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = ip;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix_len)
}

/// The IANA IPv4 Special-Purpose Address Registry, and multicast.
pub(super) const IPV4: [Entry<Ipv4Net>; 29] = [
    (v4(0, 0, 0, 0, 0), "everything else", Global),
    (v4(0, 0, 0, 0, 8), "\"This network\"", Special),
    (v4(0, 0, 0, 0, 32), "\"This host on this network\"", Special),
    (v4(10, 0, 0, 0, 8), "Private-Use", Special),
    (v4(100, 64, 0, 0, 10), "Shared Address Space", Special),
    (v4(127, 0, 0, 0, 8), "Loopback", Special),
    (v4(169, 254, 0, 0, 16), "Link Local", Special),
    (v4(172, 16, 0, 0, 12), "Private-Use", Special),
    (v4(192, 0, 0, 0, 24), "IETF Protocol Assignments", Special),
    (v4(192, 0, 0, 0, 29), "IPv4 Service Continuity Prefix", Special),
    (v4(192, 0, 0, 8, 32), "IPv4 dummy address", Special),
    // These two are globally reachable in the registry, but the nearest NAT and the nearest relay answer.
    (v4(192, 0, 0, 9, 32), "Port Control Protocol Anycast", Special),
    (v4(192, 0, 0, 10, 32), "Traversal Using Relays around NAT Anycast", Special),
    (v4(192, 0, 0, 170, 32), "NAT64/DNS64 Discovery", Special),
    (v4(192, 0, 0, 171, 32), "NAT64/DNS64 Discovery", Special),
    (v4(192, 0, 2, 0, 24), "Documentation (TEST-NET-1)", Special),
    (v4(192, 31, 196, 0, 24), "AS112-v4", Global),
    (v4(192, 52, 193, 0, 24), "AMT", Global),
    (v4(192, 88, 99, 0, 24), "Deprecated (6to4 Relay Anycast)", Special),
    (v4(192, 88, 99, 2, 32), "6a44-relay anycast address", Special),
    (v4(192, 168, 0, 0, 16), "Private-Use", Special),
    (v4(192, 175, 48, 0, 24), "Direct Delegation AS112 Service", Global),
    (v4(198, 18, 0, 0, 15), "Benchmarking", Special),
    (v4(198, 51, 100, 0, 24), "Documentation (TEST-NET-2)", Special),
    (v4(203, 0, 113, 0, 24), "Documentation (TEST-NET-3)", Special),
    (v4(224, 0, 0, 0, 4), "Multicast", Special),
    (v4(233, 252, 0, 0, 24), "Documentation (MCAST-TEST-NET)", Special),
    (v4(240, 0, 0, 0, 4), "Reserved", Special),
    (v4(255, 255, 255, 255, 32), "Limited Broadcast", Special),
];

/// The IANA IPv6 Special-Purpose Address Registry, and the blocks that are not global unicast in the IPv6 Address Space
/// registry.
pub(super) const IPV6: [Entry<Ipv6Net>; 31] = [
    (v6([0; 8], 0), "everything else", Special),
    (v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3), "Global Unicast", Global),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "Loopback Address", Special),
    (v6([0; 8], 128), "Unspecified Address", Special),
    (v6([0; 8], 96), "Deprecated (IPv4-compatible Address)", Special),
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), "IPv4-mapped Address", Special),
    (v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96), "IPv4-translated Address (SIIT)", Special),
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), "IPv4-IPv6 Translat.", Global),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "IPv4-IPv6 Translat. (local use)", Special),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "Discard-Only Address Block", Special),
    (v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64), "Dummy IPv6 Prefix", Special),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "IETF Protocol Assignments", Special),
    // Relays that are no longer operated. They lead to an IPv4 address that is written inverted.
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), "TEREDO", Special),
    // These three are globally reachable in the registry, but the nearest node answers.
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 1], 128), "Port Control Protocol Anycast", Special),
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 2], 128), "TURN Anycast", Special),
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 3], 128), "DNS-SD SRP Anycast", Special),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), "Benchmarking", Special),
    (v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32), "AMT", Global),
    (v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48), "AS112-v6", Global),
    (v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28), "Deprecated (ORCHID)", Special),
    // Both are globally reachable in the registry, as identifiers. No packet is routed by them.
    (v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28), "ORCHIDv2", Special),
    (v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28), "DETs Prefix", Special),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "Documentation", Special),
    // The anycast relays are deprecated. The prefix reaches the IPv4 address inside.
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "6to4", Special),
    (v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), "Direct Delegation AS112 Service", Global),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "Documentation", Special),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), "Segment Routing (SRv6) SIDs", Special),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "Unique-Local", Special),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "Link-Local Unicast", Special),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "Deprecated (Site-Local)", Special),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "Multicast", Special),
];

/// Returns whether an address belongs to the open internet.
pub(super) fn is_global(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_global_v4(ip),
        IpAddr::V6(ip) => is_global_v6(ip) && embedded(ip).is_none_or(is_global_v4),
    }
}

fn is_global_v4(ip: Ipv4Addr) -> bool {
    let entries = IPV4.iter().filter(|(net, ..)| net.contains(&ip));
    entries.max_by_key(|(net, ..)| net.prefix_len()).is_some_and(|entry| entry.2 == Global)
}

fn is_global_v6(ip: Ipv6Addr) -> bool {
    let entries = IPV6.iter().filter(|(net, ..)| net.contains(&ip));
    entries.max_by_key(|(net, ..)| net.prefix_len()).is_some_and(|entry| entry.2 == Global)
}

/// Returns the IPv4 address that packets to this address may reach, for the forms that no entry refuses as a whole.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.segments() {
        // NAT64.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => {}
        // ISATAP, below any prefix: the interface identifier is 0:5efe or 200:5efe and the address.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => {}
        _ => return None,
    }
    let [.., a, b, c, d] = ip.octets();
    Some(Ipv4Addr::new(a, b, c, d))
}
