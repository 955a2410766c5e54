//! What can be given where an address is expected.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
use crate::dns;
use crate::lookup;
use sealed::{Addrs, Internal, Resolve, Resolving};

/// What names one or more socket addresses: an address, an IP address with a port, or a text such as
/// `"example.com:80"`, whose name is looked up without blocking the other tasks.
///
/// Functions of this module take it as an argument. To turn one into addresses, call
/// [`lookup_host`](crate::lookup_host). The trait is sealed: it cannot be implemented elsewhere.
///
/// # On WASI
///
/// See [`lookup_host`](crate::lookup_host): looking a name up may block the guest.
pub trait ToSocketAddrs: Resolve {}

/// Finds the addresses of somebody else. Several are tried one after the other by those who ask.
pub(crate) async fn to_socket_addrs<T: ToSocketAddrs>(arg: T) -> io::Result<Addrs> {
    let addrs = arg.resolve(Internal);
    // On WASI 0.2 the host's own look-up suspends only the task, and the resolver would be 100 KB of guest.
    #[cfg(not(all(target_os = "wasi", target_env = "p2")))]
    if let Some((name, port)) = addrs.name() {
        if let Some(answer) = dns::lookup(name) {
            if let Some(ips) = answer.await? {
                let addrs: Vec<_> = ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
                return Ok(Addrs::Many(addrs.into_iter()));
            }
        }
    }
    addrs.await
}

/// Finds an address to listen at: one's own. A name is the host's to know, and a guest that only listens is
/// spared the resolver.
pub(crate) fn own_addrs<T: ToSocketAddrs>(arg: T) -> Resolving {
    arg.resolve(Internal)
}

/// Calls `op` with each address until one succeeds; the error is that of the last.
pub(crate) fn each_addr<R>(
    addrs: impl Iterator<Item = SocketAddr>,
    mut op: impl FnMut(SocketAddr) -> io::Result<R>,
) -> io::Result<R> {
    let mut last = None;
    for addr in addrs {
        match op(addr) {
            Ok(result) => return Ok(result),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(crate::error::no_address))
}

macro_rules! known {
    ($($type:ty: |$this:ident| $addr:expr;)*) => {$(
        impl ToSocketAddrs for $type {}

        impl Resolve for $type {
            fn resolve(&self, _: Internal) -> Resolving {
                let $this = *self;
                Resolving::known($addr)
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
    fn resolve(&self, internal: Internal) -> Resolving {
        (**self).resolve(internal)
    }
}

impl ToSocketAddrs for &[SocketAddr] {}

impl Resolve for &[SocketAddr] {
    fn resolve(&self, _: Internal) -> Resolving {
        Resolving::many(self.to_vec())
    }
}

impl ToSocketAddrs for str {}

impl Resolve for str {
    fn resolve(&self, _: Internal) -> Resolving {
        lookup::text(self)
    }
}

impl ToSocketAddrs for String {}

impl Resolve for String {
    fn resolve(&self, internal: Internal) -> Resolving {
        self.as_str().resolve(internal)
    }
}

impl ToSocketAddrs for (&str, u16) {}

impl Resolve for (&str, u16) {
    fn resolve(&self, _: Internal) -> Resolving {
        lookup::name(self.0, self.1)
    }
}

impl ToSocketAddrs for (String, u16) {}

impl Resolve for (String, u16) {
    fn resolve(&self, internal: Internal) -> Resolving {
        (self.0.as_str(), self.1).resolve(internal)
    }
}

/// What keeps the trait ours: nobody outside can name these.
pub(crate) mod sealed {
    use std::future::Future;
    use std::net::SocketAddr;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::{io, option, vec};

    #[cfg(unix)]
    use wasio_runtime::task::JoinHandle;

    /// The part of the trait that is not public.
    pub trait Resolve {
        /// Begins to find the addresses.
        fn resolve(&self, internal: Internal) -> Resolving;
    }

    /// Keeps others from calling.
    #[derive(Debug)]
    pub struct Internal;

    /// The addresses, now or later.
    #[derive(Debug)]
    pub struct Resolving(State);

    #[derive(Debug)]
    enum State {
        Now(Option<io::Result<Addrs>>),
        /// The host is asked when it is polled, by this function: a guest without names does not link it.
        Name(String, u16, fn(&str, u16) -> Resolving),
        #[cfg(unix)]
        Later(JoinHandle<io::Result<Vec<SocketAddr>>>),
        #[cfg(all(target_os = "wasi", target_env = "p2"))]
        Asking(String, crate::sys::Lookup),
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

        pub(crate) fn named(name: &str, port: u16) -> Resolving {
            Resolving(State::Name(name.to_owned(), port, crate::lookup::ask_host))
        }

        /// The name that is still to be looked up, and the port.
        pub(crate) fn name(&self) -> Option<(&str, u16)> {
            match &self.0 {
                State::Name(name, port, _) => Some((name, *port)),
                _ => None,
            }
        }

        #[cfg(all(target_os = "wasi", target_env = "p2"))]
        pub(crate) fn asking(name: &str, lookup: crate::sys::Lookup) -> Resolving {
            Resolving(State::Asking(name.to_owned(), lookup))
        }

        #[cfg(unix)]
        pub(crate) fn later(task: JoinHandle<io::Result<Vec<SocketAddr>>>) -> Resolving {
            Resolving(State::Later(task))
        }
    }

    impl Future for Resolving {
        type Output = io::Result<Addrs>;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            // Not every target's look-ups wait.
            let _ = &cx;
            if let State::Name(name, port, ask_host) = &self.0 {
                *self = ask_host(name, *port);
            }
            match &mut self.0 {
                State::Name(..) => unreachable!("the host was asked"),
                State::Now(addrs) => Poll::Ready(addrs.take().expect("polled after completion")),
                #[cfg(unix)]
                State::Later(task) => {
                    Pin::new(task).poll(cx)?.map(|addrs| Ok(Addrs::Many(addrs?.into_iter())))
                }
                #[cfg(all(target_os = "wasi", target_env = "p2"))]
                State::Asking(name, lookup) => lookup.poll(cx).map(|addrs| match addrs {
                    Ok(addrs) => Ok(Addrs::Many(addrs.into_iter())),
                    Err(error) => Err(crate::error::lookup(name, error)),
                }),
            }
        }
    }

    /// The addresses that were found.
    #[derive(Debug)]
    pub enum Addrs {
        /// The usual case, without an allocation.
        One(option::IntoIter<SocketAddr>),
        /// Any number.
        Many(vec::IntoIter<SocketAddr>),
    }

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
