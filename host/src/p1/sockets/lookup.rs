//! `sock_getaddrinfo`: names to addresses.
//!
//! The guest passes a linked list of results with room in it, and the call fills it in. Numeric addresses and
//! `localhost` are answered here. Any other name is looked up only if the policy grants it, and the guest sees only the
//! answers that it may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::p1::errno::Errno;
use crate::p1::memory::GuestMemory;
use crate::p1::sockets::address::{self, INET4, INET6};
use crate::p1::state::{Cx, parts, state};
use crate::resolve::resolve;

const PASSIVE: u16 = 1;
const NUMERICHOST: u16 = 4;
/// The known flags: passive, canonname, numerichost, numericserv, v4mapped, all, addrconfig.
const KNOWN_FLAGS: u16 = 0x7f;
/// The longest name in the DNS, with room to spare for scopes and dots.
const MAX_NAME: u32 = 1024;
/// The length of a `Sockaddr`'s data: a port and an address.
const DATA4: u32 = 14;
const DATA6: u32 = 26;

struct Request {
    node: Option<String>,
    port: u16,
    flags: u16,
    family: u8,
    socktype: u8,
    protocol: u8,
}

#[expect(clippy::too_many_arguments, reason = "the import's own parameters")]
pub(crate) async fn getaddrinfo(
    cx: &mut Cx<'_>,
    node: i32,
    node_len: i32,
    service: i32,
    service_len: i32,
    hints: i32,
    results: i32,
    max: i32,
    count_out: i32,
) -> Result<(), Errno> {
    let (memory, state_) = parts(cx)?;
    memory.range(results as u32, 4, 4)?;
    memory.range(count_out as u32, 4, 4)?;
    if max == 0 {
        return Err(Errno::AIMEMORY);
    }
    let name = text(&memory, node as u32, node_len as u32)?;
    let service = text(&memory, service as u32, service_len as u32)?;
    let request = parse(&memory, hints as u32, name, service)?;
    let answers = match local_answer(&request)? {
        Some(answers) => answers,
        None => {
            let name = request.node.clone().unwrap_or_default();
            state_.grants.lookup(&name, request.port).map_err(|_| Errno::ACCES)?;
            let found = resolve(&state_.wasi.threads.lookups, name.clone()).await;
            let mut answers = found.map_err(|_| Errno::AINONAME)?;
            let found_any = !answers.is_empty();
            state(cx).grants.resolved(&name, request.port, &mut answers);
            if found_any && answers.is_empty() {
                return Err(Errno::ACCES);
            }
            answers
        }
    };
    let answers = answers.into_iter().filter(|ip| match request.family {
        INET4 => ip.is_ipv4(),
        INET6 => ip.is_ipv6(),
        _ => true,
    });
    let (mut memory, _) = parts(cx)?;
    let first = memory.read_u32(results as u32)?;
    let count = fill(&mut memory, first, max as u32, &request, answers)?;
    if count == 0 {
        return Err(Errno::AINONAME);
    }
    memory.write_u32(count_out as u32, count)
}

/// Reads a string of the guest, up to its terminating NUL.
fn text(memory: &GuestMemory<'_>, ptr: u32, len: u32) -> Result<Option<String>, Errno> {
    let bytes = memory.bytes(ptr, len)?;
    if len > MAX_NAME {
        return Err(Errno::AINONAME);
    }
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| Errno::AINONAME)?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn parse(
    memory: &GuestMemory<'_>,
    hints: u32,
    node: Option<String>,
    service: Option<String>,
) -> Result<Request, Errno> {
    memory.range(hints, 28, 4)?;
    let flags = memory.read_u16(hints)?;
    let &[family, socktype, protocol] = memory.bytes(hints + 2, 3)? else {
        return Err(Errno::FAULT);
    };
    if flags & !KNOWN_FLAGS != 0 {
        return Err(Errno::AIBADFLAG);
    }
    if family > INET6 {
        return Err(Errno::AIFAMILY);
    }
    if socktype > 2 || protocol > 2 {
        return Err(Errno::AISOCKTYPE);
    }
    if node.is_none() && service.is_none() {
        return Err(Errno::AINONAME);
    }
    let port = match service.as_deref() {
        None => 0,
        Some("http") => 80,
        Some("https") => 443,
        Some("domain") => 53,
        Some("redis") => 6379,
        Some(number) => number.parse().map_err(|_| Errno::AISERVICE)?,
    };
    Ok(Request { node, port, flags, family, socktype, protocol })
}

/// Returns the answers that need no look-up by the system, or `None` if the name must be looked up.
fn local_answer(request: &Request) -> Result<Option<Vec<IpAddr>>, Errno> {
    let both = |v4: Ipv4Addr, v6: Ipv6Addr| Ok(Some(vec![v4.into(), v6.into()]));
    let Some(name) = &request.node else {
        return match request.flags & PASSIVE {
            0 => both(Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST),
            _ => both(Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED),
        };
    };
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(Some(vec![ip]));
    }
    if request.flags & NUMERICHOST != 0 {
        return Err(Errno::AINONAME);
    }
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return both(Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
    }
    Ok(None)
}

/// Fills the guest's list, as far as its length allows.
fn fill(
    memory: &mut GuestMemory<'_>,
    first: u32,
    max: u32,
    request: &Request,
    answers: impl Iterator<Item = IpAddr>,
) -> Result<u32, Errno> {
    let mut at = first;
    let mut count = 0;
    let mut seen = Vec::new();
    for ip in answers {
        if count == max || at == 0 {
            break;
        }
        if seen.contains(&ip) {
            continue;
        }
        seen.push(ip);
        memory.range(at, 28, 4)?;
        let sockaddr = memory.read_u32(at + 12)?;
        memory.range(sockaddr, 12, 4)?;
        let data = memory.read_u32(sockaddr + 8)?;
        let len = if ip.is_ipv4() { DATA4 } else { DATA6 };
        memory.range(data, len as usize, 1)?;

        let (socktype, protocol) = match (request.socktype, request.protocol) {
            (1, _) | (0, 2) => (1, 2),
            _ => (2, 1),
        };
        let family = address::family(ip);
        memory.write(at + 2, 1, &[family, socktype, protocol])?;
        // The length of the host's own structure, including the family.
        memory.write_u32(at + 8, len + 2)?;
        memory.write_u32(at + 20, 0)?;
        memory.write(sockaddr, 1, &[family])?;
        memory.write_u32(sockaddr + 4, len)?;
        let mut bytes = [0; DATA6 as usize];
        bytes[..2].copy_from_slice(&request.port.to_be_bytes());
        match ip {
            IpAddr::V4(ip) => bytes[2..6].copy_from_slice(&ip.octets()),
            // The octets follow the flow label.
            IpAddr::V6(ip) => bytes[6..22].copy_from_slice(&ip.octets()),
        }
        memory.write(data, 1, &bytes[..len as usize])?;
        count += 1;
        at = memory.read_u32(at + 24)?;
    }
    Ok(count)
}
