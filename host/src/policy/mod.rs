//! What a guest may do on the network: nothing, unless granted.
//!
//! A [`Policy`] is a list of [`Rule`]s shared by any number of guests. Each
//! guest has its own `Grants`, which adds what cannot be shared: the addresses
//! that its granted names resolved to.
//!
//! A name grants only the addresses that a lookup of *that guest* returned, and
//! of those only public ones. So a name whose owner points it at a loopback,
//! private or link-local address reaches nothing by it (DNS rebinding); such
//! an address has to be granted itself.

mod rule;

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

use self::rule::{Kind, Port};
pub use self::rule::{Rule, RuleError};
use crate::events;
use crate::printable::Printable;
use crate::stats::Stats;

/// How many resolved addresses one guest may collect.
const MAX_PINS: usize = 4096;
/// How many different refusals are reported for one guest.
const MAX_REPORTS: usize = 256;
/// The longest name of the DNS.
const MAX_NAME: usize = 253;

/// The rules a guest's network access is checked against. Empty denies all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
}

impl Policy {
    /// Denies everything; the default.
    pub fn none() -> Policy {
        Policy::default()
    }

    /// Grants everything.
    pub fn all() -> Policy {
        Policy { rules: vec![Rule(Kind::All)] }
    }

    /// Adds a rule.
    pub fn grant(&mut self, rule: Rule) -> &mut Policy {
        self.rules.push(rule);
        self
    }

    /// Whether nothing at all is granted.
    pub fn is_none(&self) -> bool {
        self.rules.is_empty()
    }

    fn any(&self, mut grants: impl FnMut(&Kind) -> bool) -> bool {
        self.rules.iter().any(|rule| matches!(rule.0, Kind::All) || grants(&rule.0))
    }
}

impl FromIterator<Rule> for Policy {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Policy {
        Policy { rules: rules.into_iter().collect() }
    }
}

/// Parses rules separated by commas, as in the variable `WASIO_NET`.
impl FromStr for Policy {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Policy, RuleError> {
        text.split(',').map(str::trim).filter(|rule| !rule.is_empty()).map(str::parse).collect()
    }
}

/// Something that the policy refused, and the rule that would allow it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Denied {
    /// What the guest tried, such as `connect to 127.0.0.1:6379`. Names of the guest's are
    /// [printable](crate::Printable) in it.
    pub action: String,
    /// The rule, as text, that would allow it. Empty where the guest asked for what is no host name: only `all`
    /// allows that.
    pub rule: String,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "network access denied: {}", self.action)?;
        if self.rule.is_empty() {
            return Ok(());
        }
        write!(f, "; allow it with --net {}", self.rule)
    }
}

/// Is told about every refusal of a guest, once per distinct one.
pub(crate) type OnDenied = Arc<dyn Fn(&Denied) + Send + Sync>;

/// One guest's view of its policy.
pub(crate) struct Grants {
    policy: Arc<Policy>,
    pins: HashSet<(IpAddr, Port)>,
    /// Hashes of the refusals that were reported: what a guest asks for takes no memory of the host's.
    reported: HashSet<u64>,
    hasher: RandomState,
    on_denied: Option<OnDenied>,
    stats: Option<Stats>,
}

/// The policy said no; the guest has been reported.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused;

impl Grants {
    pub(crate) fn new(policy: Arc<Policy>, on_denied: Option<OnDenied>) -> Grants {
        Grants {
            policy,
            pins: HashSet::new(),
            reported: HashSet::new(),
            hasher: RandomState::new(),
            on_denied,
            stats: None,
        }
    }

    /// Counts in `stats` what is not reported any more.
    pub(crate) fn counted(mut self, stats: &Stats) -> Grants {
        self.stats = Some(stats.clone());
        self
    }

    /// May the guest connect or send to `addr`?
    pub(crate) fn connect(&mut self, addr: SocketAddr) -> Result<(), Refused> {
        let ip = destination(addr.ip());
        if self.reaches(ip, addr.port()) {
            return Ok(());
        }
        let rule = Rule(Kind::Net { net: IpNet::from(ip), port: Port::Is(addr.port()) });
        self.refuse(format!("connect to {addr}"), rule)
    }

    fn reaches(&self, ip: IpAddr, port: u16) -> bool {
        self.granted(ip, port)
            || self.pins.contains(&(ip, Port::Is(port)))
            || self.pins.contains(&(ip, Port::Any))
    }

    /// By a rule about the address itself.
    fn granted(&self, ip: IpAddr, port: u16) -> bool {
        self.policy.any(|rule| match rule {
            Kind::Net { net, port: p } => net.contains(&ip) && p.allows(port),
            Kind::Name { name, port: p } => {
                name == "localhost" && ip.is_loopback() && p.allows(port)
            }
            _ => false,
        })
    }

    /// May the guest bind to `addr`? Port 0 of an unspecified or loopback
    /// address is also what every outgoing connection and every UDP client
    /// uses, so any outgoing grant allows it; [`listen`](Grants::listen) asks again.
    pub(crate) fn bind(&mut self, addr: SocketAddr) -> Result<(), Refused> {
        let ephemeral = addr.port() == 0 && (addr.ip().is_unspecified() || addr.ip().is_loopback());
        if ephemeral && self.policy.any(|rule| !matches!(rule, Kind::Listen { .. })) {
            return Ok(());
        }
        self.listen(addr, addr.port())
    }

    /// May the guest accept connections at `addr`, having asked for port
    /// `wanted` (0 when the kernel chose)?
    pub(crate) fn listen(&mut self, addr: SocketAddr, wanted: u16) -> Result<(), Refused> {
        let ip = addr.ip().to_canonical();
        let allowed = self.policy.any(|rule| match rule {
            Kind::Listen { net, port } => {
                net.is_none_or(|net| net.contains(&ip))
                    && (port.allows(addr.port()) || port.allows(wanted))
            }
            _ => false,
        });
        if allowed {
            return Ok(());
        }
        let port = if wanted == 0 { Port::Any } else { Port::Is(wanted) };
        let rule = Rule(Kind::Listen { net: Some(IpNet::from(ip)), port });
        self.refuse(format!("listen on {}", SocketAddr::new(ip, wanted)), rule)
    }

    /// May the guest ask for the addresses of `name`?
    pub(crate) fn lookup(&mut self, name: &str, port: u16) -> Result<(), Refused> {
        let name = canonical_name(name);
        if self.policy.any(|rule| matches!(rule, Kind::Name { name: n, .. } if matches(n, &name))) {
            return Ok(());
        }
        let action = format!("look up {}", Printable::new(&name));
        if !rule::is_host_name(&name) || name.len() > MAX_NAME {
            self.report(Denied { action: action + ", which is no host name", rule: String::new() });
            return Err(Refused);
        }
        let port = if port == 0 { Port::Any } else { Port::Is(port) };
        self.refuse(action, Rule(Kind::Name { name, port }))
    }

    /// Takes in the answers to a granted lookup and drops those that the guest
    /// could never reach.
    pub(crate) fn resolved(&mut self, name: &str, port: u16, answers: &mut Vec<IpAddr>) {
        let name = canonical_name(name);
        let policy = self.policy.clone();
        if policy.any(|_| false) {
            return;
        }
        let ports: Vec<Port> = policy
            .rules
            .iter()
            .filter_map(|rule| match &rule.0 {
                Kind::Name { name: n, port } if matches(n, &name) => Some(*port),
                _ => None,
            })
            .collect();
        answers.retain(|answer| {
            let ip = destination(*answer);
            if is_public(ip) || (name == "localhost" && ip.is_loopback()) {
                for port in &ports {
                    if self.pins.len() < MAX_PINS {
                        self.pins.insert((ip, *port));
                    }
                }
                return true;
            }
            let reachable =
                policy.any(|rule| matches!(rule, Kind::Net { net, .. } if net.contains(&ip)));
            if !reachable {
                let port = if port == 0 {
                    ports.first().copied().unwrap_or(Port::Any)
                } else {
                    Port::Is(port)
                };
                let rule = Rule(Kind::Net { net: IpNet::from(ip), port });
                let name = Printable::new(&name);
                let _ = self
                    .refuse(format!("{name} resolved to {ip}, which is no public address"), rule);
            }
            reachable
        });
    }

    fn refuse(&mut self, action: String, rule: Rule) -> Result<(), Refused> {
        self.report(Denied { action, rule: rule.to_string() });
        Err(Refused)
    }

    fn report(&mut self, denied: Denied) {
        events::refused(&denied);
        let Some(on_denied) = &self.on_denied else { return };
        let hash = self.hasher.hash_one(&denied);
        if self.reported.contains(&hash) {
            return;
        }
        if self.reported.len() == MAX_REPORTS {
            self.stats.iter().for_each(Stats::left_out);
            return;
        }
        self.reported.insert(hash);
        on_denied(&denied);
    }
}

fn canonical_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => {
            name.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        }
        None => pattern == name,
    }
}

/// The address a packet really goes to: IPv4 written as IPv6 is IPv4, and the
/// unspecified address reaches this host.
fn destination(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// Whether an address is one of the open internet.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            !(ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                // Carrier-grade NAT and benchmarking networks.
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(ip) => {
            let segments = ip.segments();
            // NAT64 and 6to4 carry an IPv4 address inside.
            let embedded = match segments {
                [0x64, 0xff9b, 0, 0, 0, 0, hi, lo] | [0x2002, hi, lo, ..] => {
                    Some(Ipv4Addr::from((u32::from(hi) << 16) | u32::from(lo)))
                }
                // IPv4-compatible, long deprecated.
                [0, 0, 0, 0, 0, 0, hi, lo] if !ip.is_loopback() && !ip.is_unspecified() => {
                    Some(Ipv4Addr::from((u32::from(hi) << 16) | u32::from(lo)))
                }
                _ => None,
            };
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || embedded.is_some_and(|v4| !is_public(v4.into())))
        }
    }
}

#[cfg(test)]
mod tests;
