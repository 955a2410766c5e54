//! Sockets, names and readiness.

use super::Level::{Error, Note, Warning};
use super::{Known, NO_COMPILE, known};
use crate::targets::Target as Wasi;

/// The package with resolvers for hyper-util and reqwest.
const RESOLVE: &str = "wasio-resolve";

pub(super) const TABLE: &[Known] = &[
    known(
        "mio",
        Warning,
        "is used beside tokio: on wasip1 it can neither bind nor connect, and has no waker",
        "use tokio's own types, which wasio provides",
    )
    .with(&["net", "os-poll"]),
    known(
        "socket2",
        Error,
        "does not compile for WASI in this version",
        "update the package that asks for it to one that uses socket2 0.5 or 0.6, or switch off the \
         feature that does",
    )
    .of("<0.5"),
    known(
        "ureq",
        Warning,
        "uses std's sockets, which on wasip1 can neither connect nor look up names",
        "use reqwest 0.13 or hyper-util's client, or build for wasip2",
    )
    .on(Wasi::P1),
    known("polling", Error, NO_COMPILE, "use tokio's types: smol's reactor has no WASI backend"),
    known("async-io", Error, NO_COMPILE, "use tokio's types: smol's reactor has no WASI backend"),
    known(
        "hyper-util",
        Warning,
        "its default resolver asks std for addresses, which on wasip1 always fails",
        "give the connector wasio's: `HttpConnector::new_with_resolver(wasio_resolve::Resolver)`, \
         from wasio's folder `resolve` with its feature `hyper-util`",
    )
    .with(&["client-legacy"])
    .on(Wasi::P1)
    .unless(RESOLVE),
    known(
        "hyper-util",
        Warning,
        "its default resolver asks std for addresses, which stops the whole guest meanwhile",
        "give the connector wasio's: `HttpConnector::new_with_resolver(wasio_resolve::Resolver)`, \
         from wasio's folder `resolve` with its feature `hyper-util`",
    )
    .with(&["client-legacy"])
    .on(Wasi::P2)
    .unless(RESOLVE),
    known(
        "reqwest",
        Warning,
        "its default resolver asks std for addresses, which fails on wasip1 and stops the whole \
         guest on wasip2",
        "give the client wasio's: `ClientBuilder::dns_resolver(wasio_resolve::Resolver)`, from \
         wasio's folder `resolve` with its feature `reqwest`",
    )
    .of(">=0.13")
    .unless(RESOLVE),
    known(
        "reqwest",
        Error,
        "takes its half for browsers on every wasm32 in this version (src/lib.rs, `cfg(target_arch = \"wasm32\")`): it \
         calls JavaScript, which no WASI host has",
        "use reqwest 0.13, which takes its other half on WASI; update the package that asks for the older one, or \
         switch off its feature that does",
    )
    .of("<0.13"),
    known(
        "quinn",
        Warning,
        "`Endpoint::server` binds with std, which cannot on wasip1 (src/endpoint.rs:106 in 0.11.12)",
        "make the server's socket with tokio: `Endpoint::new(EndpointConfig::default(), Some(config), \
         tokio::net::UdpSocket::bind(address).await?.into_std()?, Arc::new(TokioRuntime))`; `Endpoint::client` works",
    )
    .of("<0.12")
    .on(Wasi::P1),
    known(
        "russh",
        Error,
        "leaves out its connections on every wasm32, meaning browsers (`cfg(not(target_arch = \"wasm32\"))`)",
        "apply wasio's docs/upstream/russh.patch to a copy, and patch it in",
    ),
    known(
        "tokio-util",
        Note,
        "leaves out `udp::UdpFramed` on every wasm32, meaning browsers (src/lib.rs, `cfg_net!`)",
        "nothing has to be done unless the program uses it; then apply wasio's docs/upstream/tokio-util.patch to a \
         copy, and patch it in",
    )
    .with(&["net"]),
    known(
        "tokio-postgres",
        Error,
        "its feature `runtime` does not compile for wasm32",
        "use `default-features = false` and `Config::connect_raw` over a `tokio::net::TcpStream`, or apply wasio's \
         docs/upstream/tokio-postgres.patch to a copy, and patch it in",
    )
    .with(&["runtime"]),
    known(
        "deadpool-postgres",
        Warning,
        "leaves out `Config::create_pool` and `Manager::new` on every wasm32, meaning browsers (src/config.rs:154)",
        "give `Manager::from_connect` a `Connect` that uses `Config::connect_raw` over a `tokio::net::TcpStream`, or \
         apply wasio's docs/upstream/deadpool-postgres.patch to a copy, and patch it in",
    ),
    known(
        "jsonrpsee-core",
        Error,
        "its client for WebSocket does not compile on any wasm32 but a browser's: futures need not be `Send` there \
         (src/client/mod.rs:157), and `tokio::spawn` wants it",
        "switch off jsonrpsee's features `ws-client`, `async-client` and `client`, for `http-client`, or apply wasio's \
         docs/upstream/jsonrpsee.patch to a copy, and patch it in",
    )
    .with(&["async-client"]),
    known(
        "bollard",
        Error,
        "has a default address for Unix and Windows only (src/docker.rs:853 in 0.21.1), and so does not compile for WASI",
        "apply wasio's docs/upstream/bollard.patch to a copy, and patch it in; it then reaches Docker over HTTP",
    ),
    known(
        "mongodb",
        Error,
        "its feature `dns-resolver` reads the system's configuration, which hickory-resolver does not do on WASI \
         (src/runtime/resolver.rs:23 in 3.9.1)",
        "use `default-features = false` with `compat-3-3-0`, `bson-3` and `rustls-tls`, and a connection string that names \
         the servers: `mongodb://`, not `mongodb+srv://`",
    )
    .with(&["dns-resolver"]),
    known(
        "reqwest",
        Error,
        "its feature `hickory-dns` reads the system's configuration, which hickory-resolver does not do on WASI \
         (src/dns/hickory.rs in 0.13)",
        "switch it off, and give the client wasio's resolver: `ClientBuilder::dns_resolver(wasio_resolve::Resolver)`, from \
         wasio's folder `resolve` with its feature `reqwest`",
    )
    .of(">=0.13")
    .with(&["hickory-dns"]),
    known(
        "hickory-resolver",
        Note,
        "has no `builder_tokio` on WASI, which reads the system's configuration (src/resolver.rs:74)",
        "nothing has to be done for `Resolver::builder_with_config`, which is told the name servers",
    )
    .with(&["system-config"]),
    known(
        "wasite",
        Error,
        "imports a function of WASI 0.2 (src/lib.rs:162), so no host of preview 1 starts the guest",
        "tokio-postgres pulls it in from 0.7.16 on: ask for `=0.7.15` on wasip1; otherwise switch off whoami's feature \
         `wasi-wasite`, or build for wasip2",
    )
    .of(">=1")
    .on(Wasi::P1),
    known(
        "whoami",
        Error,
        "does not compile for wasip2 in this version (src/conversions.rs:17, unstable in std)",
        "update the package that asks for it to one that uses whoami 2: tokio-postgres to 0.7.16 or newer",
    )
    .of("<2")
    .on(Wasi::P2),
    known(
        "redis",
        Warning,
        "its own way to connect calls std's `set_nodelay`, which wasip1 refuses",
        "use `MultiplexedConnection::new` or `PubSub::new` over a `tokio::net::TcpStream`, or apply wasio's \
         docs/upstream/redis.patch to a copy, and patch it in",
    )
    .with(&["tokio-comp"])
    .on(Wasi::P1),
];
