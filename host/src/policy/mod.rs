//! The network policy of a guest: nothing is allowed unless granted.
//!
//! A [`Policy`] is a list of [`Rule`]s shared by any number of guests. Each guest has its own `Grants`, which add the
//! state that guests do not share: the addresses that its granted names resolved to.
//!
//! A name grants only the addresses that a lookup of *that guest* returned, and of those only addresses of the open
//! internet (`special.rs`). If the owner of a name points it at a loopback, private or link-local address (DNS
//! rebinding), the guest cannot reach that address by the name. Such an address has to be granted itself.

mod rule;
mod special;

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use self::rule::{Kind, Port};
pub use self::rule::{Rule, RuleError};
use crate::printable::Printable;
use crate::stats::Stats;

/// The maximum number of resolved addresses of one guest.
const MAX_PINS: usize = 4096;
/// The maximum number of distinct refusals that are reported for one guest.
const MAX_REPORTS: usize = 256;
/// The longest name of the DNS.
const MAX_NAME: usize = 253;

/// The rules for a guest's network access. An empty policy denies everything.
///
/// # Examples
///
/// ```
/// use wasio_host::{Policy, Rule};
///
/// let mut policy: Policy = "listen:127.0.0.1:8080, api.example.com:443".parse()?;
/// policy.grant("10.0.0.0/8:5432".parse::<Rule>()?);
/// assert!(!policy.is_none());
/// assert!("example.com".parse::<Rule>().is_err(), "a name needs a port");
/// # Ok::<(), wasio_host::RuleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
}

impl Policy {
    /// Returns a policy that denies everything. This is the default.
    pub fn none() -> Policy {
        Policy::default()
    }

    /// Returns a policy that grants everything.
    pub fn all() -> Policy {
        Policy { rules: vec![Rule(Kind::All)] }
    }

    /// Adds a rule.
    pub fn grant(&mut self, rule: Rule) -> &mut Policy {
        self.rules.push(rule);
        self
    }

    /// Returns whether the policy grants nothing.
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

/// Parses rules that are separated by commas, as in the variable `WASIO_NET`.
impl FromStr for Policy {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Policy, RuleError> {
        text.split(',').map(str::trim).filter(|rule| !rule.is_empty()).map(str::parse).collect()
    }
}

/// An access that the policy refused, and the rule that would allow it.
///
/// # Examples
///
/// ```
/// use wasio_host::{Guest, Program};
///
/// # fn example(program: &Program) -> Result<(), wasio_host::Error> {
/// let guest = Guest::builder(program)
///     .on_denied(|denied| eprintln!("{}: grant it with {:?}", denied.action, denied.rule))
///     .build()?;
/// # let _ = guest;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Denied {
    /// The access that the guest tried, such as `connect to 127.0.0.1:6379`. Names that the guest chose are
    /// [printable](crate::Printable).
    pub action: String,
    /// The rule that would allow it, as text. It is empty if the guest looked up text that is not a host name, which
    /// only `all` allows.
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

/// A callback for the refusals of a guest, called once per distinct one.
pub(crate) type OnDenied = Arc<dyn Fn(&Denied) + Send + Sync>;

/// One guest's view of its policy. Clones are the same view.
#[derive(Clone)]
pub(crate) struct Grants {
    policy: Arc<Policy>,
    kept: Arc<Mutex<Kept>>,
}

/// State that a guest's activity adds to its policy.
struct Kept {
    pins: HashSet<(IpAddr, Port)>,
    /// Hashes of the reported refusals. A guest's requests thus take no memory of the host.
    reported: HashSet<u64>,
    hasher: RandomState,
    on_denied: Option<OnDenied>,
    stats: Option<Stats>,
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// The policy refused the access, and the refusal has been reported.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused;

impl Grants {
    pub(crate) fn new(policy: Arc<Policy>, on_denied: Option<OnDenied>) -> Grants {
        let kept = Kept {
            pins: HashSet::new(),
            reported: HashSet::new(),
            hasher: RandomState::new(),
            on_denied,
            stats: None,
        };
        Grants { policy, kept: Arc::new(Mutex::new(kept)) }
    }

    /// Counts in `stats` the refusals that are no longer reported.
    pub(crate) fn counted(self, stats: &Stats) -> Grants {
        self.kept().stats = Some(stats.clone());
        self
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether nothing at all is granted.
    pub(crate) fn is_none(&self) -> bool {
        self.policy.is_none()
    }

    /// Checks whether the guest may connect or send to `addr`.
    pub(crate) fn connect(&self, addr: SocketAddr) -> Result<(), Refused> {
        let ip = destination(addr.ip());
        if self.reaches(ip, addr.port()) {
            return Ok(());
        }
        let rule = Rule(Kind::Net { net: IpNet::from(ip), port: Port::Is(addr.port()) });
        self.refuse(format!("connect to {addr}"), rule)
    }

    /// Returns whether a datagram from `addr` may reach the guest on a client's socket: whether the guest may send to
    /// `addr`.
    pub(crate) fn admits(&self, addr: SocketAddr) -> bool {
        self.reaches(destination(addr.ip()), addr.port())
    }

    fn reaches(&self, ip: IpAddr, port: u16) -> bool {
        self.granted(ip, port) || {
            let pins = &self.kept().pins;
            pins.contains(&(ip, Port::Is(port))) || pins.contains(&(ip, Port::Any))
        }
    }

    /// Returns whether a rule grants the address itself.
    fn granted(&self, ip: IpAddr, port: u16) -> bool {
        self.policy.any(|rule| match rule {
            Kind::Net { net, port: p } => net.contains(&ip) && p.allows(port),
            Kind::Name { name, port: p } => {
                name == "localhost" && ip.is_loopback() && p.allows(port)
            }
            _ => false,
        })
    }

    /// Checks whether the guest may bind to `addr`. Every outgoing connection and every UDP client uses port 0 of an
    /// unspecified or loopback address, so any outgoing grant allows it. [`listen`](Grants::listen) checks again.
    pub(crate) fn bind(&self, addr: SocketAddr) -> Result<(), Refused> {
        let ephemeral = addr.port() == 0 && (addr.ip().is_unspecified() || addr.ip().is_loopback());
        if ephemeral && self.policy.any(|rule| !matches!(rule, Kind::Listen { .. })) {
            return Ok(());
        }
        self.listen(addr, addr.port())
    }

    /// Checks whether the guest may accept connections at `addr`. `wanted` is the port that it asked for, or 0 if the
    /// kernel chose one.
    pub(crate) fn listen(&self, addr: SocketAddr, wanted: u16) -> Result<(), Refused> {
        if self.serves(addr, wanted) {
            return Ok(());
        }
        let ip = addr.ip().to_canonical();
        let port = if wanted == 0 { Port::Any } else { Port::Is(wanted) };
        let rule = Rule(Kind::Listen { net: Some(IpNet::from(ip)), port });
        self.refuse(format!("listen on {}", SocketAddr::new(ip, wanted)), rule)
    }

    /// Returns whether a rule lets the guest be a server at `addr`, having asked for port `wanted`. Any peer may then
    /// send to it.
    pub(crate) fn serves(&self, addr: SocketAddr, wanted: u16) -> bool {
        let ip = addr.ip().to_canonical();
        self.policy.any(|rule| match rule {
            Kind::Listen { net, port } => {
                net.is_none_or(|net| net.contains(&ip))
                    && (port.allows(addr.port()) || port.allows(wanted))
            }
            _ => false,
        })
    }

    /// Checks whether the guest may look up `name`.
    pub(crate) fn lookup(&self, name: &str, port: u16) -> Result<(), Refused> {
        let name = canonical_name(name);
        if self.policy.any(|rule| matches!(rule, Kind::Name { name: n, .. } if matches(n, &name))) {
            return Ok(());
        }
        let action = format!("look up {}", Printable::new(&name));
        if !rule::is_host_name(&name) || name.len() > MAX_NAME {
            self.report(Denied {
                action: action + ", which is not a host name",
                rule: String::new(),
            });
            return Err(Refused);
        }
        let port = if port == 0 { Port::Any } else { Port::Is(port) };
        self.refuse(action, Rule(Kind::Name { name, port }))
    }

    /// Records the answers to a granted lookup, and drops those that the guest could never reach.
    pub(crate) fn resolved(&self, name: &str, port: u16, answers: &mut Vec<IpAddr>) {
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
            if special::is_global(ip) || (name == "localhost" && ip.is_loopback()) {
                let pins = &mut self.kept().pins;
                for port in &ports {
                    if pins.len() < MAX_PINS {
                        pins.insert((ip, *port));
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
                let _ = self.refuse(
                    format!("{name} resolved to {ip}, which is not a public address"),
                    rule,
                );
            }
            reachable
        });
    }

    fn refuse(&self, action: String, rule: Rule) -> Result<(), Refused> {
        self.report(Denied { action, rule: rule.to_string() });
        Err(Refused)
    }

    fn report(&self, denied: Denied) {
        tracing::debug!(action = denied.action, rule = denied.rule, "guest refused");
        let mut kept = self.kept();
        let Some(on_denied) = kept.on_denied.clone() else { return };
        let hash = kept.hasher.hash_one(&denied);
        if kept.reported.contains(&hash) {
            return;
        }
        if kept.reported.len() == MAX_REPORTS {
            kept.stats.iter().for_each(Stats::left_out);
            return;
        }
        kept.reported.insert(hash);
        // The callback may take long, or use the policy itself.
        drop(kept);
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

/// Returns the actual destination of a packet: an IPv4 address written as IPv6 is IPv4, and the unspecified address
/// reaches this host.
fn destination(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

#[cfg(test)]
mod tests;
