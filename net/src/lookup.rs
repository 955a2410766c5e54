//! From names to addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::addr::{ToSocketAddrs, sealed::Resolving, to_socket_addrs};
use crate::{error, sys};

/// Finds the addresses of a host.
///
/// What is given may be anything that names an address; a text is `HOST:PORT`. Literal addresses are not
/// looked up. The order is the system's; who connects tries them all.
///
/// # Errors
///
/// Fails when the text has no valid port, and when the name is not known. The message says which name.
///
/// # Panics
///
/// Natively and on wasip2, looking a name up panics outside of a runtime.
///
/// # Cancel safety
///
/// Dropping the future forgets the answer; natively the thread that asks finishes on its own.
///
/// # On WASI
///
/// `localhost` is answered without asking: `127.0.0.1`, then `::1`. Any other name is asked of the host: on
/// wasip2 through `wasi:sockets`, which suspends only the task that asks; on wasip1 through WasmEdge's
/// `sock_getaddrinfo`, which **blocks the whole guest** until it answers.
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

/// Resolves `HOST:PORT`.
pub(crate) fn text(text: &str) -> Resolving {
    if let Ok(addr) = text.parse() {
        return Resolving::known(addr);
    }
    let invalid = |what| Resolving::failed(io::Error::new(io::ErrorKind::InvalidInput, what));
    let Some((host, port)) = text.rsplit_once(':') else {
        return invalid("invalid socket address");
    };
    match port.parse() {
        Ok(port) => name(host, port),
        Err(_) => invalid("invalid port value"),
    }
}

/// Resolves a name, or an IP address as a text.
pub(crate) fn name(host: &str, port: u16) -> Resolving {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Resolving::known(SocketAddr::new(ip, port));
    }
    if cfg!(target_os = "wasi") && host.eq_ignore_ascii_case("localhost") {
        let ips = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Resolving::many(ips.map(|ip| SocketAddr::new(ip, port)).to_vec());
    }
    #[cfg(unix)]
    {
        let host = host.to_owned();
        Resolving::later(wasio_runtime::task::spawn_blocking(move || look_up(&host, port)))
    }
    #[cfg(all(target_os = "wasi", target_env = "p2"))]
    match sys::Lookup::new(host, port) {
        Ok(lookup) => Resolving::asking(host, lookup),
        Err(error) => Resolving::failed(error::lookup(host, error)),
    }
    #[cfg(all(target_os = "wasi", target_env = "p1"))]
    match look_up(host, port) {
        Ok(addrs) => Resolving::many(addrs),
        Err(error) => Resolving::failed(error),
    }
}

#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    sys::lookup(host, port).map_err(|e| error::lookup(host, e))
}
