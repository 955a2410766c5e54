//! The types that functions accept as an address.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::sys::HOST_NET;
use sealed::{Addrs, Internal, Known, Resolve, Resolving, Single};

/// Something that names one or more socket addresses: an address, an IP address with a port, or text such as
/// `"example.com:80"`. Names are looked up without blocking other tasks.
///
/// Functions of this module accept it as an argument. [`lookup_host`](crate::lookup_host) converts it into addresses.
/// The trait is sealed: other crates cannot implement it.
///
/// # On WASI
///
/// A lookup may block the guest: see [`lookup_host`](crate::lookup_host).
///
/// # Examples
///
/// ```
/// use wasio::net::TcpListener;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// TcpListener::bind("127.0.0.1:0").await?;
/// TcpListener::bind(("localhost", 0)).await?;
/// TcpListener::bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))).await?;
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub trait ToSocketAddrs: Resolve {}

macro_rules! known {
    ($($type:ty: |$this:ident| $addr:expr;)*) => {$(
        impl ToSocketAddrs for $type {}

        impl Resolve for $type {
            type Addrs = Single;
            type Resolving = Known;

            fn resolve(&self, _: Internal) -> Known {
                let $this = *self;
                Known($addr)
            }
        }
    )*};
}

known! {
    SocketAddr: |addr| addr;
    SocketAddrV4: |addr| SocketAddr::V4(addr);
    SocketAddrV6: |addr| SocketAddr::V6(addr);
    (IpAddr, u16): |addr| SocketAddr::from(addr);
    (Ipv4Addr, u16): |addr| SocketAddr::from(addr);
    (Ipv6Addr, u16): |addr| SocketAddr::from(addr);
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {}

impl<T: Resolve + ?Sized> Resolve for &T {
    type Addrs = T::Addrs;
    type Resolving = T::Resolving;

    fn resolve(&self, internal: Internal) -> T::Resolving {
        (**self).resolve(internal)
    }
}

impl ToSocketAddrs for &[SocketAddr] {}

impl Resolve for &[SocketAddr] {
    type Addrs = Addrs;
    type Resolving = Resolving;

    fn resolve(&self, _: Internal) -> Resolving {
        Resolving::many(self.to_vec())
    }
}

impl ToSocketAddrs for str {}

impl Resolve for str {
    type Addrs = Addrs;
    type Resolving = Resolving;

    fn resolve(&self, internal: Internal) -> Resolving {
        text(self, internal)
    }
}

impl ToSocketAddrs for String {}

impl Resolve for String {
    type Addrs = Addrs;
    type Resolving = Resolving;

    fn resolve(&self, internal: Internal) -> Resolving {
        self.as_str().resolve(internal)
    }
}

impl ToSocketAddrs for (&str, u16) {}

impl Resolve for (&str, u16) {
    type Addrs = Addrs;
    type Resolving = Resolving;

    fn resolve(&self, internal: Internal) -> Resolving {
        name(self.0, self.1, internal)
    }
}

impl ToSocketAddrs for (String, u16) {}

impl Resolve for (String, u16) {
    type Addrs = Addrs;
    type Resolving = Resolving;

    fn resolve(&self, internal: Internal) -> Resolving {
        (self.0.as_str(), self.1).resolve(internal)
    }
}

/// Resolves `HOST:PORT`.
fn text(text: &str, internal: Internal) -> Resolving {
    if let Ok(addr) = text.parse() {
        return Resolving::known(addr);
    }
    let invalid = |what| Resolving::failed(io::Error::new(io::ErrorKind::InvalidInput, what));
    let Some((host, port)) = text.rsplit_once(':') else {
        return invalid("invalid socket address");
    };
    match port.parse() {
        Ok(port) => name(host, port, internal),
        Err(_) => invalid("invalid port value"),
    }
}

/// Resolves a name, or an IP address as a text.
fn name(host: &str, port: u16, Internal(look_up): Internal) -> Resolving {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Resolving::known(SocketAddr::new(ip, port));
    }
    if !HOST_NET.resolves_localhost && is_localhost(host) {
        let ips = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Resolving::many(ips.map(|ip| SocketAddr::new(ip, port)).to_vec());
    }
    Resolving::later(look_up(host.to_owned(), port))
}

/// `localhost` and everything below it (RFC 6761).
fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
    let (above, last) = host.split_at(host.len().saturating_sub("localhost".len()));
    last.eq_ignore_ascii_case(b"localhost") && (above.is_empty() || above.ends_with(b"."))
}

/// Seals the trait: these items cannot be named outside the crate.
pub(crate) mod sealed {
    use std::future::Future;
    use std::net::SocketAddr;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::{fmt, io, option, vec};

    /// The part of the trait that is not public.
    pub trait Resolve {
        /// The addresses that are found.
        type Addrs: Found + Send + Sync + Unpin + 'static;

        /// The future that finds them.
        // SIZE: a separate type where nothing is looked up, so that such a program links no other case (decision 0011).
        type Resolving: Future<Output = io::Result<Self::Addrs>> + Send + Sync + Unpin + 'static;

        /// Begins to find the addresses.
        fn resolve(&self, internal: Internal) -> Self::Resolving;
    }

    /// Keeps other crates from calling `resolve`, and holds the function that looks names up.
    // SIZE: a pointer, so that a program without names links no lookup (decision 0011).
    #[derive(Debug)]
    pub struct Internal(pub(crate) fn(String, u16) -> LookupFuture);

    /// A future of the addresses of a name.
    pub(crate) type LookupFuture =
        Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + Sync>>;

    /// Addresses that were found.
    pub trait Found: Iterator<Item = SocketAddr> {
        /// Calls `op` with each address until one succeeds. Returns the last error if none does.
        fn each<R>(mut self, mut op: impl FnMut(SocketAddr) -> io::Result<R>) -> io::Result<R>
        where
            Self: Sized,
        {
            let Some(mut addr) = self.next() else { return Err(crate::error::no_address()) };
            loop {
                match (op(addr), self.next()) {
                    (Ok(result), _) => return Ok(result),
                    (Err(error), None) => return Err(error),
                    (Err(error), Some(next)) => {
                        wasio_runtime::io::forget(error);
                        addr = next;
                    }
                }
            }
        }
    }

    /// An address that is known.
    #[derive(Debug)]
    pub struct Known(pub(crate) SocketAddr);

    impl Future for Known {
        type Output = io::Result<Single>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(Ok(Single { addr: self.0, is_taken: false }))
        }
    }

    /// One address.
    #[derive(Debug)]
    pub struct Single {
        addr: SocketAddr,
        is_taken: bool,
    }

    impl Iterator for Single {
        type Item = SocketAddr;

        fn next(&mut self) -> Option<SocketAddr> {
            (!std::mem::replace(&mut self.is_taken, true)).then_some(self.addr)
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            let left = usize::from(!self.is_taken);
            (left, Some(left))
        }
    }

    impl Found for Single {
        // SIZE: exactly one address: no loop or empty case is linked (decision 0011).
        fn each<R>(self, mut op: impl FnMut(SocketAddr) -> io::Result<R>) -> io::Result<R> {
            op(self.addr)
        }
    }

    /// The addresses, now or later.
    pub struct Resolving(State);

    enum State {
        Now(Option<io::Result<Addrs>>),
        Later(LookupFuture),
    }

    impl Resolving {
        pub(crate) fn known(addr: SocketAddr) -> Resolving {
            Resolving(State::Now(Some(Ok(Addrs::One(Some(addr).into_iter())))))
        }

        pub(crate) fn many(addrs: Vec<SocketAddr>) -> Resolving {
            Resolving(State::Now(Some(Ok(Addrs::Many(addrs.into_iter())))))
        }

        pub(crate) fn failed(error: io::Error) -> Resolving {
            Resolving(State::Now(Some(Err(error))))
        }

        pub(crate) fn later(answer: LookupFuture) -> Resolving {
            Resolving(State::Later(answer))
        }
    }

    impl fmt::Debug for Resolving {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Resolving").finish_non_exhaustive()
        }
    }

    impl Future for Resolving {
        type Output = io::Result<Addrs>;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            match &mut self.0 {
                State::Now(addrs) => {
                    Poll::Ready(addrs.take().unwrap_or_else(|| Err(crate::error::no_address())))
                }
                State::Later(answer) => {
                    answer.as_mut().poll(cx).map_ok(|addrs| Addrs::Many(addrs.into_iter()))
                }
            }
        }
    }

    /// The addresses that were found.
    #[derive(Debug)]
    pub enum Addrs {
        /// One address, the usual case: no allocation.
        One(option::IntoIter<SocketAddr>),
        /// Any number of addresses.
        Many(vec::IntoIter<SocketAddr>),
    }

    impl Found for Addrs {}

    impl Iterator for Addrs {
        type Item = SocketAddr;

        fn next(&mut self) -> Option<SocketAddr> {
            match self {
                Addrs::One(addrs) => addrs.next(),
                Addrs::Many(addrs) => addrs.next(),
            }
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            match self {
                Addrs::One(addrs) => addrs.size_hint(),
                Addrs::Many(addrs) => addrs.size_hint(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_localhost;

    #[test]
    fn what_is_this_machine() {
        for name in ["localhost", "LocalHost.", "a.localhost", "a.b.localhost."] {
            assert!(is_localhost(name), "{name}");
        }
        for name in ["", ".", "local", "notlocalhost", "localhost.test", "éocalhost"] {
            assert!(!is_localhost(name), "{name}");
        }
    }
}
