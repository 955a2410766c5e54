//! The resolver's configuration: `DNS_SERVER`, `/etc/resolv.conf`, `RES_OPTIONS`, `/etc/hosts`.
//!
//! They are interpreted as a C library does, as far as they concern the lookup of addresses. A file that the guest may
//! not read counts as missing.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use std::{env, fs, io};

use crate::sys::{HOST_NET, Resolver};

const PORT: u16 = 53;
/// The number of servers in `/etc/resolv.conf` that are asked.
const SERVERS: usize = 3;

/// The servers to ask, and how to ask them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) servers: Vec<SocketAddr>,
    /// `DNS_SERVER` names the servers, so no others are asked.
    pub(super) is_explicit: bool,
    /// Domains in which a name with few dots is looked up.
    pub(super) search: Vec<String>,
    /// A name with fewer dots is looked up in `search` first.
    pub(super) ndots: usize,
    /// How long to wait for an answer.
    pub(super) timeout: Duration,
    /// How many times each server is asked.
    pub(super) attempts: u32,
}

impl Config {
    /// Reads the configuration of this environment. Returns `None` if it names no server.
    pub(super) fn of_environment() -> io::Result<Option<Config>> {
        let explicit = env::var("DNS_SERVER").unwrap_or_default();
        if explicit.is_empty() && HOST_NET.resolver != Resolver::IfConfigured {
            return Ok(None);
        }
        let file = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        Config::new(&explicit, &file, &env::var("RES_OPTIONS").unwrap_or_default())
    }

    fn new(explicit: &str, file: &str, options: &str) -> io::Result<Option<Config>> {
        let mut config = Config {
            servers: Vec::new(),
            is_explicit: !explicit.is_empty(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
        };
        file.lines().for_each(|line| config.line(line));
        config.options(options.split_ascii_whitespace());
        if config.is_explicit {
            config.servers = servers(explicit)?;
        }
        Ok(Some(config).filter(|config| !config.servers.is_empty()))
    }

    /// Reads a line of `/etc/resolv.conf`.
    fn line(&mut self, line: &str) {
        let line = line.split(['#', ';']).next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") => {
                let server = words.next().and_then(server);
                self.servers.extend(server.filter(|_| self.servers.len() < SERVERS));
            }
            Some("domain" | "search") => {
                self.search = words.map(|domain| domain.trim_matches('.').to_owned()).collect();
                self.search.retain(|domain| !domain.is_empty());
            }
            Some("options") => self.options(words),
            _ => {}
        }
    }

    fn options<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        for (option, value) in words.filter_map(|word| word.split_once(':')) {
            let Ok(value) = value.parse::<u32>() else { continue };
            match option {
                "ndots" => self.ndots = value.min(15) as usize,
                "timeout" => self.timeout = Duration::from_secs(value.clamp(1, 30).into()),
                "attempts" => self.attempts = value.clamp(1, 5),
                _ => {}
            }
        }
    }

    /// Returns the names to look up for `name`, in this order.
    pub(super) fn candidates(&self, name: &str) -> Vec<String> {
        if name.ends_with('.') {
            return vec![name.to_owned()];
        }
        let mut names: Vec<_> =
            self.search.iter().map(|domain| format!("{name}.{domain}")).collect();
        let dots = name.bytes().filter(|&byte| byte == b'.').count();
        let at = if dots >= self.ndots { 0 } else { names.len() };
        names.insert(at, name.to_owned());
        names
    }
}

/// Parses `ADDRESS` or `ADDRESS:PORT`.
fn server(text: &str) -> Option<SocketAddr> {
    let ip = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT));
    ip.or_else(|_| text.parse()).ok()
}

/// Parses `DNS_SERVER`: servers, separated by commas or blanks.
fn servers(text: &str) -> io::Result<Vec<SocketAddr>> {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    words
        .map(|word| {
            server(word).ok_or_else(|| {
                let text =
                    format!("DNS_SERVER: `{word}` is not an address, with or without a port");
                io::Error::new(io::ErrorKind::InvalidInput, text)
            })
        })
        .collect()
}

/// Returns the addresses of a name in `/etc/hosts`.
pub(super) fn known(name: &str) -> Vec<IpAddr> {
    hosts(&fs::read_to_string("/etc/hosts").unwrap_or_default(), name)
}

fn hosts(file: &str, name: &str) -> Vec<IpAddr> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut found = Vec::new();
    for line in file.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let ip = words.next().and_then(|ip| ip.parse().ok());
        if words.any(|word| word.eq_ignore_ascii_case(name)) {
            found.extend(ip.filter(|ip| !found.contains(ip)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(file: &str) -> Config {
        Config::new("", file, "").unwrap().expect("it names a server")
    }

    fn addrs(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_usual_file() {
        let config = config(
            "# made by hand\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\nnameserver ::1 ; mine\n\
             search one.test. two.test\noptions ndots:2 timeout:3 attempts:4 edns0 rotate\n",
        );
        assert_eq!(config.servers, addrs(&["10.0.0.1:53", "[::1]:53"]));
        assert_eq!(config.search, ["one.test", "two.test"]);
        assert_eq!((config.ndots, config.timeout.as_secs(), config.attempts), (2, 3, 4));
        assert!(!config.is_explicit);
    }

    #[test]
    fn a_file_without_servers_is_none() {
        assert_eq!(Config::new("", "", "").unwrap(), None);
        assert_eq!(Config::new("", "search a.test\nnameserver\nnameserver x\n", "").unwrap(), None);
    }

    #[test]
    fn values_are_kept_within_bounds() {
        let config =
            config("nameserver 1.1.1.1\noptions timeout:0 attempts:99 ndots:99 timeout:x\n");
        assert_eq!((config.ndots, config.timeout.as_secs(), config.attempts), (15, 1, 5));
        let many = "nameserver 1.1.1.1\n".repeat(9);
        assert_eq!(Config::new("", &many, "").unwrap().unwrap().servers.len(), SERVERS);
    }

    #[test]
    fn the_variables_take_precedence() {
        let file = "nameserver 10.0.0.1\noptions attempts:4 timeout:9\nsearch a.test\n";
        let config = Config::new("10.0.0.2, [::1]:5353 ::1", file, "timeout:1").unwrap().unwrap();
        assert!(config.is_explicit);
        assert_eq!(config.servers, addrs(&["10.0.0.2:53", "[::1]:5353", "[::1]:53"]));
        assert_eq!((config.timeout.as_secs(), config.attempts), (1, 4));
        assert_eq!(config.search, ["a.test"]);
        let error = Config::new("name.test", file, "").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("DNS_SERVER: `name.test`"), "{error}");
    }

    #[test]
    fn names_are_looked_for_as_a_c_library_would() {
        let config = config("nameserver 1.1.1.1\nsearch a.test b.test\n");
        assert_eq!(config.candidates("host"), ["host.a.test", "host.b.test", "host"]);
        assert_eq!(config.candidates("x.y"), ["x.y", "x.y.a.test", "x.y.b.test"]);
        assert_eq!(config.candidates("host."), ["host."]);
    }

    #[test]
    fn names_of_the_hosts_file() {
        let file = "127.0.0.1 localhost\n10.0.0.9\tBig.test big # old.test\n\nnonsense big\n\
                    ::9 big.test\n10.0.0.9 big.test\n";
        let ips =
            |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<IpAddr>>();
        assert_eq!(hosts(file, "big.test."), ips(&["10.0.0.9", "::9"]));
        assert_eq!(hosts(file, "BIG"), ips(&["10.0.0.9"]));
        assert_eq!(hosts(file, "old.test"), ips(&[]));
        assert_eq!(hosts(file, "10.0.0.9"), ips(&[]));
    }
}
