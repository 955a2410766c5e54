//! A small resolver, for hosts whose own would block the whole guest, and for programs that name a server.
//!
//! It is a stub resolver: it asks recursive servers, over sockets of this crate, so only the task that asks waits.
//! [`lookup_host`](crate::lookup_host) says when it is used. It caches nothing: each lookup reads the configuration and
//! asks. It supports neither DNSSEC nor EDNS, so an answer of more than 512 bytes comes over TCP.

mod config;
mod exchange;
mod message;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use wasio_runtime::time::Instant;

use crate::error::Addr;
use crate::sys::{HOST_NET, Resolver};
use config::Config;
use message::{Name, Reply};

/// The addresses of a name. `None`: ask the host.
type Found = io::Result<Option<Vec<IpAddr>>>;

/// Begins to look a name up. `None`: ask the host.
pub(crate) fn lookup(name: &str) -> Option<Pin<Box<dyn Future<Output = Found> + Send + Sync>>> {
    let config = match Config::of_environment() {
        Ok(config) => config,
        Err(e) => {
            let e = failed(name, e.kind(), e.to_string());
            return Some(Box::pin(std::future::ready(Err(e))));
        }
    };
    if config.is_some() || HOST_NET.resolver == Resolver::IfConfigured {
        let known = config::known(name);
        if !known.is_empty() {
            return Some(Box::pin(std::future::ready(Ok(Some(known)))));
        }
    }
    let config = config?;
    let name = name.to_owned();
    Some(Box::pin(async move {
        match config.resolve(&name).await {
            Ok(found) => Ok(Some(found)),
            // The host has other ways, and its own error names what it permits.
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied && !config.is_explicit => {
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }))
}

/// A final reply, and the server that sent it.
struct Answer {
    server: SocketAddr,
    reply: Reply,
}

impl Config {
    async fn resolve(&self, text: &str) -> io::Result<Vec<IpAddr>> {
        // A name that exists without an address is closer to the intended one than a name that does not exist.
        let mut missing: Option<(SocketAddr, &str)> = None;
        for candidate in self.candidates(text) {
            let Some(name) = Name::new(&candidate) else {
                let what = "this is not a name that a server could know".to_owned();
                return Err(failed(text, io::ErrorKind::InvalidInput, what));
            };
            let Answer { server, reply } = self.ask_all(text, &name).await?;
            match reply {
                Reply::Addrs(found) if !found.is_empty() => return Ok(found),
                Reply::Addrs(_) => missing = Some((server, "the name has no address")),
                _ if missing.is_none() => {
                    missing = Some((server, "there is no such name (NXDOMAIN)"));
                }
                _ => {}
            }
        }
        let (server, what) = missing.expect("there is always one candidate");
        let what = format!("{}: {what}", Server(server));
        Err(failed(text, io::ErrorKind::NotFound, what))
    }

    /// Asks one server after the other, all of them several times, until one knows the name.
    async fn ask_all(&self, text: &str, name: &Name) -> io::Result<Answer> {
        let mut faults: Vec<Option<(io::ErrorKind, String)>> = vec![None; self.servers.len()];
        for _ in 0..self.attempts {
            for (&server, fault) in self.servers.iter().zip(&mut faults) {
                if matches!(fault, Some((io::ErrorKind::PermissionDenied, _))) {
                    continue;
                }
                *fault = match exchange::ask(server, name, Instant::now() + self.timeout).await {
                    Ok(Reply::Failed(what)) => Some((io::ErrorKind::Other, what.to_owned())),
                    Ok(reply) => return Ok(Answer { server, reply }),
                    Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                        let (wait, times) = (self.timeout.as_secs(), self.attempts);
                        let what = format!("no answer within {wait} s, asked up to {times} times");
                        Some((e.kind(), what))
                    }
                    Err(e) => Some((e.kind(), e.to_string())),
                };
            }
        }
        let mut kind = io::ErrorKind::Other;
        let mut what = String::new();
        for (server, fault) in self.servers.iter().zip(faults) {
            let Some((its_kind, fault)) = fault else { continue };
            let separator = if what.is_empty() { "" } else { "; " };
            // Writing to a string does not fail.
            let _ = write!(what, "{separator}{}: {fault}", Server(*server));
            kind = its_kind;
        }
        Err(failed(text, kind, what))
    }
}

/// The servers failed to resolve a name. `what` lists them and their faults.
fn failed(name: &str, kind: io::ErrorKind, what: String) -> io::Error {
    io::Error::new(kind, format!("lookup {name}: {what}"))
}

/// A server in a message.
struct Server(SocketAddr);

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "name server {}", Addr(self.0))
    }
}
