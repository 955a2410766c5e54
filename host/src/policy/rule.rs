//! The grammar of `--net`: one rule, as text and as a value.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// The error of parsing a [`Rule`]. Its text says what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{rule}` is not a network rule: {reason}")]
pub struct RuleError {
    rule: String,
    reason: &'static str,
}

/// One thing that a guest may do on the network.
///
/// As text:
///
/// | rule | grants |
/// |---|---|
/// | `all` | everything |
/// | `HOST:PORT` | looking up that name, and connecting or sending to what it resolves to; `*.example.com` is every name below it |
/// | `ADDRESS[:PORT]`, `CIDR[:PORT]` | connecting and sending to these addresses |
/// | `listen:ADDRESS[:PORT]`, `listen:CIDR[:PORT]`, `listen:*[:PORT]` | binding and listening there |
///
/// `PORT` may be `*`, which is also the default for addresses. Write an IPv6 address that has a port in brackets:
/// `[::1]:80`. `localhost` also grants the loopback addresses themselves.
///
/// # Examples
///
/// ```
/// use wasio_host::Rule;
///
/// for text in ["all", "*.example.com:443", "10.0.0.0/8", "[::1]:80", "listen:*:8080"] {
///     assert!(text.parse::<Rule>().is_ok(), "{text}");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule(pub(super) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    All,
    Name {
        name: String,
        port: Port,
    },
    Net {
        net: IpNet,
        port: Port,
    },
    /// `net: None` means every address of both families.
    Listen {
        net: Option<IpNet>,
        port: Port,
    },
}

/// A port number, or any port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Port {
    Any,
    Is(u16),
}

impl Port {
    pub(super) fn allows(self, port: u16) -> bool {
        match self {
            Port::Any => true,
            Port::Is(own) => own == port,
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Any => f.write_str("*"),
            Port::Is(port) => port.fmt(f),
        }
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Rule, RuleError> {
        let text = text.trim();
        parse(text).map(Rule).map_err(|reason| RuleError { rule: text.to_owned(), reason })
    }
}

fn parse(text: &str) -> Result<Kind, &'static str> {
    if text == "all" {
        return Ok(Kind::All);
    }
    if let Some(place) = text.strip_prefix("listen:") {
        let (host, port) = split_port(place)?;
        let port = port.unwrap_or(Port::Any);
        let net = match host {
            "*" => None,
            "localhost" => return Err("name the address to listen on: 127.0.0.1 or [::1]"),
            host => Some(net(host).ok_or("after `listen:` comes an address, a CIDR or `*`")?),
        };
        return Ok(Kind::Listen { net, port });
    }
    let (host, port) = split_port(text)?;
    if let Some(net) = net(host) {
        return Ok(Kind::Net { net, port: port.unwrap_or(Port::Any) });
    }
    if host.contains('/') {
        return Err("the part after the slash is not a prefix length for this address");
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if !is_host_name(name.strip_prefix("*.").unwrap_or(&name)) {
        return Err("expected HOST:PORT, an address, a CIDR, listen:ADDRESS or all");
    }
    let port = port.ok_or("a name needs a port: HOST:443, or HOST:* for any")?;
    Ok(Kind::Name { name, port })
}

/// Returns whether the text can be the name in a rule.
pub(super) fn is_host_name(name: &str) -> bool {
    let valid = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.chars().all(valid)
}

/// Splits `HOST:PORT`, `[V6]:PORT`, `[V6]/64:PORT`. A bare IPv6 address has no port.
fn split_port(text: &str) -> Result<(&str, Option<Port>), &'static str> {
    if net(text).is_some() {
        return Ok((text, None));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Ok((text, None));
    };
    let port = match port {
        "*" => Port::Any,
        port => Port::Is(port.parse().map_err(|_| "the port is not a number from 0 to 65535")?),
    };
    Ok((host, Some(port)))
}

/// Parses an address or a network. An IPv6 address may be in brackets.
fn net(text: &str) -> Option<IpNet> {
    let plain = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        None => text.to_owned(),
        Some((ip, prefix))
            if ip.contains(':') && (prefix.is_empty() || prefix.starts_with('/')) =>
        {
            format!("{ip}{prefix}")
        }
        Some(_) => return None,
    };
    let net = plain.parse().ok().or_else(|| plain.parse::<IpAddr>().ok().map(IpNet::from))?;
    Some(canonical(net))
}

/// Converts IPv4 that is written as IPv6 to IPv4.
fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    match (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96)) {
        (Some(ip), Some(prefix_len)) => IpNet::new_assert(ip.into(), prefix_len),
        _ => net,
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |f: &mut fmt::Formatter<'_>, net: &IpNet, port: &Port| {
            let whole = net.prefix_len() == net.max_prefix_len();
            match (net.addr(), whole) {
                (IpAddr::V4(a), true) => write!(f, "{a}:{port}"),
                (IpAddr::V6(a), true) => write!(f, "[{a}]:{port}"),
                (IpAddr::V4(_), false) => write!(f, "{net}:{port}"),
                (IpAddr::V6(a), false) => write!(f, "[{a}]/{}:{port}", net.prefix_len()),
            }
        };
        match &self.0 {
            Kind::All => f.write_str("all"),
            Kind::Name { name, port } => write!(f, "{name}:{port}"),
            Kind::Net { net, port } => place(f, net, port),
            Kind::Listen { net: None, port } => write!(f, "listen:*:{port}"),
            Kind::Listen { net: Some(net), port } => {
                f.write_str("listen:")?;
                place(f, net, port)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        text.parse::<Rule>().unwrap_or_else(|e| panic!("{e}")).to_string()
    }

    #[test]
    fn rules_parse_and_print() {
        for (text, printed) in [
            ("all", "all"),
            ("example.com:443", "example.com:443"),
            ("Example.COM.:*", "example.com:*"),
            ("*.example.com:443", "*.example.com:443"),
            ("127.0.0.1:6379", "127.0.0.1:6379"),
            ("127.0.0.1", "127.0.0.1:*"),
            ("10.0.0.0/8", "10.0.0.0/8:*"),
            ("10.0.0.0/8:5432", "10.0.0.0/8:5432"),
            ("::1", "[::1]:*"),
            ("[::1]:80", "[::1]:80"),
            ("fe80::/10", "[fe80::]/10:*"),
            ("[fe80::]/10:22", "[fe80::]/10:22"),
            ("::ffff:10.0.0.1", "10.0.0.1:*"),
            ("[::ffff:10.0.0.0]/104:80", "10.0.0.0/8:80"),
            ("listen:0.0.0.0:8080", "listen:0.0.0.0:8080"),
            ("listen:[::]:8080", "listen:[::]:8080"),
            ("listen:127.0.0.0/8", "listen:127.0.0.0/8:*"),
            ("listen:*:80", "listen:*:80"),
            ("listen:*", "listen:*:*"),
        ] {
            assert_eq!(round_trip(text), printed, "{text}");
        }
    }

    #[test]
    fn nonsense_says_why() {
        for text in [
            "",
            "example.com",
            "10.0.0.0/33",
            "host:99999",
            "a b:1",
            "listen:name",
            "listen:localhost:80",
            "[127.0.0.1]:80",
        ] {
            let error = text.parse::<Rule>().map(|r| r.to_string()).unwrap_err();
            assert!(error.to_string().contains("is not a network rule"), "{error}");
        }
    }
}
