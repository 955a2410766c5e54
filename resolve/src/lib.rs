//! A resolver for hyper-util and reqwest that looks names up with `tokio::net::lookup_host`.
//!
//! The default resolvers of both call the standard library on a thread for blocking work. A WASI guest has no such
//! thread. Its standard library cannot look names up (wasip1), or blocks the whole guest during a lookup (wasip2).
//! [`Resolver`] calls `tokio`. With wasio in place of tokio, a lookup suspends only its task wherever the host allows
//! it (see wasio's `lookup_host`). Natively, with the published tokio, it does the same as the default resolvers, so
//! one program serves for both.
//!
//! The features `hyper-util` and `reqwest` implement it for these crates. Neither is on by default.
//!
//! # Examples
//!
//! ```
//! # #[cfg(feature = "hyper-util")]
//! # {
//! use hyper_util::client::legacy::connect::HttpConnector;
//! use wasio_resolve::Resolver;
//!
//! let connector = HttpConnector::new_with_resolver(Resolver);
//! # }
//! ```
//!
//! ```
//! # #[cfg(feature = "reqwest")]
//! # {
//! use wasio_resolve::Resolver;
//!
//! let client = reqwest::Client::builder().dns_resolver(Resolver).build()?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]
#![forbid(unsafe_code)]

/// A resolver for hyper-util's `HttpConnector::new_with_resolver` and reqwest's `ClientBuilder::dns_resolver`.
///
/// Lookups are not cached. The addresses are in the order of `tokio::net::lookup_host`, with port 0: the connector sets
/// the port and tries all of them.
///
/// # Errors
///
/// The errors of `tokio::net::lookup_host`.
///
/// # Panics
///
/// A lookup panics outside of a runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resolver;

#[cfg(any(feature = "hyper-util", feature = "reqwest"))]
async fn addresses(name: &str) -> std::io::Result<std::vec::IntoIter<std::net::SocketAddr>> {
    let found: Vec<_> = tokio::net::lookup_host((name, 0)).await?.collect();
    Ok(found.into_iter())
}

#[cfg(feature = "hyper-util")]
mod hyper_util {
    use std::future::Future;
    use std::io;
    use std::net::SocketAddr;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper_util::client::legacy::connect::dns::Name;

    use super::{Resolver, addresses};

    impl tower_service::Service<Name> for Resolver {
        type Response = std::vec::IntoIter<SocketAddr>;
        type Error = io::Error;
        type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, name: Name) -> Self::Future {
            Box::pin(async move { addresses(name.as_str()).await })
        }
    }
}

#[cfg(feature = "reqwest")]
mod reqwest {
    use reqwest::dns::{Addrs, Name, Resolve, Resolving};

    use super::{Resolver, addresses};

    impl Resolve for Resolver {
        fn resolve(&self, name: Name) -> Resolving {
            Box::pin(async move { Ok(Box::new(addresses(name.as_str()).await?) as Addrs) })
        }
    }
}
