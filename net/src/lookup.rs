//! Name lookup.

use std::io;
use std::net::SocketAddr;

use crate::addr::ToSocketAddrs;
use crate::addr::sealed::{Internal, LookupFuture};
use crate::sys::{self, HOST_NET, Resolver};
use crate::{dns, error};

/// Returns the addresses of a host.
///
/// The argument is anything that names an address. Text has the form `HOST:PORT`. Literal addresses are not
/// looked up. The order is the system's. `connect` tries all of them.
///
/// # Errors
///
/// Fails if the text has no valid port, or if the name is unknown. The message contains the name, and the server that
/// was asked unless the system was.
///
/// # Panics
///
/// Panics if a name is looked up outside a runtime.
///
/// # Cancel safety
///
/// Dropping the future discards the answer. Natively, the thread that asks finishes on its own.
///
/// # Choosing a name server
///
/// The environment variable `DNS_SERVER` makes wasio ask that server itself, natively and on wasip1:
/// `ADDRESS` or `ADDRESS:PORT`, several separated by commas. No other server is asked. A and AAAA records are
/// requested together over UDP, and answers that are too long again over TCP. The order is IPv4, then IPv6.
/// Entries of `/etc/hosts` come first. `search` and `options` (`ndots`, `timeout`, `attempts`) of
/// `/etc/resolv.conf` apply, and so does the variable `RES_OPTIONS`. By default a server has five seconds to answer
/// and is asked twice.
///
/// The kind of the error is [`NotFound`](io::ErrorKind::NotFound) if a server knows no such name, or no address of
/// it; [`TimedOut`](io::ErrorKind::TimedOut) if no server answered;
/// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the guest may not reach the server; and another kind if
/// a server failed.
///
/// # On WASI
///
/// `localhost` and names below it need no lookup: they are `127.0.0.1`, then `::1`. For any other name:
///
/// - wasip1: if `DNS_SERVER` is set, or the guest can read an `/etc/resolv.conf` that names a server
///   (`--dir /etc`), wasio asks that server, and **only the task that asks waits**. Otherwise wasio asks the host
///   through WasmEdge's `sock_getaddrinfo`, which **blocks the whole guest** until it answers. It also does so if
///   the guest may not reach the server of the file.
/// - wasip2: wasio asks the host through `wasi:sockets`, which suspends only the task that asks. `DNS_SERVER` has no
///   effect.
///
/// For a name to listen at (`TcpListener::bind`, `UdpSocket::bind`), wasio always asks the host.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// for addr in wasio::net::lookup_host("localhost:80").await? {
///     assert!(addr.ip().is_loopback());
///     assert_eq!(addr.port(), 80);
/// }
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub async fn lookup_host<T: ToSocketAddrs>(
    host: T,
) -> io::Result<impl Iterator<Item = SocketAddr>> {
    to_socket_addrs(host).await
}

/// Finds the addresses of a peer. Callers try several, one after the other.
pub(crate) fn to_socket_addrs<T: ToSocketAddrs>(arg: T) -> T::Resolving {
    arg.resolve(Internal(resolve_peer))
}

/// Finds an address to listen on.
// SIZE: the host knows its own names, so a guest that only listens links no resolver.
pub(crate) fn local_addrs<T: ToSocketAddrs>(arg: T) -> T::Resolving {
    arg.resolve(Internal(resolve_local))
}

/// Returns the addresses of a peer's name: the resolver's answer if it has one, otherwise the host's.
fn resolve_peer(name: String, port: u16) -> LookupFuture {
    if HOST_NET.resolver == Resolver::Never {
        return resolve_local(name, port);
    }
    Box::pin(async move {
        if let Some(answer) = dns::lookup(&name) {
            if let Some(ips) = answer.await? {
                return Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect());
            }
        }
        ask_host(name, port).await
    })
}

/// Returns the addresses that the host has for a name.
fn resolve_local(name: String, port: u16) -> LookupFuture {
    Box::pin(ask_host(name, port))
}

async fn ask_host(name: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    sys::lookup(&name, port).await.map_err(|e| error::lookup(&name, e))
}
