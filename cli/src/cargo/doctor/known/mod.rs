//! Packages and features that are known not to work in a WASI guest, or to work differently, each with a way out.

use super::Level::{self, Error, Note, Warning};
use crate::targets::Target as Wasi;

/// An entry about a package.
pub(super) struct Known {
    pub(super) package: &'static str,
    /// The versions concerned.
    pub(super) versions: &'static str,
    /// The features concerned: one of them must be on. If empty, the entry does not depend on features.
    pub(super) features: &'static [&'static str],
    /// The only generation of WASI concerned. `None` means every one.
    pub(super) only: Option<Wasi>,
    /// A package that is the way out: if it is in the guest, the entry does not apply.
    pub(super) unless: Option<&'static str>,
    pub(super) level: Level,
    pub(super) what: &'static str,
    pub(super) instead: &'static str,
}

const fn known(
    package: &'static str,
    level: Level,
    what: &'static str,
    instead: &'static str,
) -> Known {
    Known { package, versions: "*", features: &[], only: None, unless: None, level, what, instead }
}

impl Known {
    const fn of(mut self, versions: &'static str) -> Self {
        self.versions = versions;
        self
    }

    const fn with(mut self, features: &'static [&'static str]) -> Self {
        self.features = features;
        self
    }

    const fn on(mut self, only: Wasi) -> Self {
        self.only = Some(only);
        self
    }

    const fn unless(mut self, package: &'static str) -> Self {
        self.unless = Some(package);
        self
    }
}

const AWS_LC_INSTEAD: &str = "switch off the default features of rustls, tokio-rustls and hyper-rustls, and give \
                              reqwest 0.13 the feature `rustls-no-provider`; then install a provider at the \
                              start: rustls' `ring`, or one in Rust alone, as wasio's examples/crates do";
const NO_COMPILE: &str = "does not compile for WASI";
const NO_THREADS: &str = "starts threads, which WASI does not have";

const SYSTEM_LIBRARY: &str = "needs a library of the system, which WASI does not have";

/// A package with C code that compiles for WASI.
pub(super) struct CCode {
    pub(super) package: &'static str,
    /// Whether it includes headers of the C library.
    pub(super) needs_headers: bool,
    /// Another way out, as the end of a sentence.
    pub(super) or: &'static str,
}

const fn c_code(package: &'static str, or: &'static str) -> CCode {
    CCode { package, needs_headers: true, or }
}

/// Packages with C code that compiles for WASI, given a compiler and, except for ring, headers.
pub(super) const C_CODE: &[CCode] = &[
    CCode {
        package: "ring",
        needs_headers: false,
        or: ", or give rustls a provider in Rust alone",
    },
    c_code("libz-sys", ", or use flate2 with its feature `rust_backend`"),
    c_code("zstd-sys", ", or switch off the feature that pulls it in (`zstd`)"),
    c_code("bzip2-sys", ", or use bzip2 0.6 or newer, which is Rust alone"),
    c_code("lzma-sys", ", or use lzma-rs, which is Rust alone"),
    c_code("libsqlite3-sys", ", or keep SQLite on native targets"),
];

/// The package with resolvers for hyper-util and reqwest.
const RESOLVE: &str = "wasio-resolve";

/// All entries.
pub(super) const TABLE: &[Known] = &[
    // TLS and cryptography
    known(
        "aws-lc-sys",
        Error,
        "does not build for WASI (C code and assembler)",
        AWS_LC_INSTEAD,
    ),
    known(
        "aws-lc-fips-sys",
        Error,
        "does not build for WASI (C code and assembler)",
        AWS_LC_INSTEAD,
    ),
    known(
        "openssl-sys",
        Error,
        "needs an OpenSSL built for WASI",
        "use rustls: most crates have a feature for it (`rustls-tls` or the like)",
    ),
    known(
        "tiberius",
        Error,
        "its feature `rustls` takes tokio-rustls with its default features, and so aws-lc, which does not build for WASI \
         (Cargo.toml)",
        "switch off `rustls` and `native-tls`, and reach the server over a tunnel that encrypts",
    )
    .with(&["rustls"]),
    known(
        "rustls-rustcrypto",
        Warning,
        "its authors say: use at your own risk, do not use in production",
        "use rustls' provider `ring`, which needs clang",
    ),
    // Libraries of the system, and C++
    known("libpq-sys", Error, SYSTEM_LIBRARY, "use tokio-postgres or sqlx, which are Rust alone"),
    known("pq-sys", Error, SYSTEM_LIBRARY, "use tokio-postgres or sqlx, which are Rust alone"),
    known(
        "mysqlclient-sys",
        Error,
        SYSTEM_LIBRARY,
        "use mysql_async or sqlx, which are Rust alone",
    ),
    known(
        "libssh2-sys",
        Error,
        SYSTEM_LIBRARY,
        "no package in Rust alone is known to work: russh needs a patch",
    ),
    known("libgit2-sys", Error, SYSTEM_LIBRARY, "use gix without its network features"),
    known(
        "rdkafka-sys",
        Error,
        "builds librdkafka, which does not compile for WASI",
        "use rskafka, which is Rust alone",
    ),
    known(
        "librocksdb-sys",
        Error,
        "builds RocksDB (C++), which does not compile for WASI",
        "use redb, which is Rust alone",
    ),
    known("tikv-jemalloc-sys", Error, NO_COMPILE, "use it on native targets only"),
    known("libmimalloc-sys", Error, NO_COMPILE, "use it on native targets only"),
    // Sockets and readiness without tokio
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
    // Threads
    known(
        "indicatif",
        Warning,
        "`enable_steady_tick` starts a thread, which WASI does not have; the bar itself works",
        "call `tick` from a task with `tokio::time::interval`",
    ),
    known(
        "tracing-appender",
        Warning,
        "`non_blocking` starts a thread, which WASI does not have",
        "give `tracing_subscriber::fmt` a writer that writes itself, such as `std::io::stdout`",
    ),
    known(
        "opentelemetry_sdk",
        Warning,
        "its batch processors and periodic readers start threads, which WASI does not have, unless they are given a \
         runtime",
        "use those of `span_processor_with_async_runtime` and its neighbours with `runtime::Tokio` (`TokioCurrentThread` \
         starts a thread, too), or a simple processor",
    )
    .of(">=0.28"),
    known(
        "opentelemetry-otlp",
        Warning,
        "its default client for HTTP runs on a thread, which WASI does not have, and is left out on wasm32",
        "switch off its default features, for `grpc-tonic` or for `http-proto` with `hyper-client`",
    )
    .with(&["reqwest-blocking-client"]),
    known(
        "wiremock",
        Warning,
        "its servers run on threads, which WASI does not have",
        "test natively, or with a server of hyper on a task",
    ),
    known(
        "mockito",
        Warning,
        "its servers run on threads, which WASI does not have",
        "test natively, or with a server of hyper on a task",
    ),
    known(
        "moka",
        Error,
        "starts threads for its housekeeping in this version, which WASI does not have",
        "use moka 0.12, which does it in its callers",
    )
    .of("<0.12"),
    known(
        "actix-server",
        Error,
        "accepts connections on threads of its own, over mio",
        "use axum or hyper",
    ),
    known(
        "actix-rt",
        Warning,
        "`Arbiter::new` starts a thread, which WASI does not have",
        "use `actix_rt::spawn`, or tokio's runtime itself",
    ),
    known(
        "lapin",
        Warning,
        "runs its I/O on a thread of its own, which WASI does not have",
        "use a client of AMQP that runs on tokio's tasks, such as amqprs",
    ),
    known(
        "async-rs",
        Error,
        "knows the descriptors of Unix and Windows only, and does not compile for WASI (src/sys/mod.rs)",
        "lapin pulls it in from version 4 on: use a client of AMQP that runs on tokio's tasks, such as amqprs",
    ),
    known(
        "futures-lite",
        Note,
        "its `block_on` waits on a condition variable, which panics in a guest",
        "nothing has to be done unless the program uses it; then use tokio's `Runtime::block_on`, or the `block_on` of \
         futures or pollster, which wasio replaces",
    )
    .with(&["std"]),
    known(
        "async-global-executor",
        Error,
        NO_THREADS,
        "switch off the feature that pulls it in, for one for tokio",
    ),
    known(
        "async-std",
        Error,
        NO_THREADS,
        "switch off the feature that pulls it in, for one for tokio",
    ),
    known("scheduled-thread-pool", Error, NO_THREADS, "use bb8 or deadpool instead of r2d2"),
    known(
        "sqlx-sqlite",
        Error,
        "runs each connection on a thread, which WASI does not have",
        "use rusqlite with its feature `bundled`",
    ),
    known(
        "notify",
        Warning,
        "watches on a thread, which WASI does not have",
        "ask for the files' times with `tokio::time::interval`",
    ),
    known("rayon-core", Warning, NO_THREADS, "use it on native targets only"),
    known("httpmock", Warning, NO_THREADS, "test natively, or with a server of hyper on a task"),
    known("futures-timer", Warning, NO_THREADS, "use `tokio::time::sleep`"),
    known("threadpool", Warning, NO_THREADS, "use `tokio::task::spawn_blocking`"),
    known("blocking", Warning, NO_THREADS, "use `tokio::task::spawn_blocking`"),
    // Time zones
    known(
        "chrono",
        Note,
        "`Local` is UTC on WASI, whatever TZ says (src/offset/local/mod.rs)",
        "nothing has to be done for UTC; for a zone, read TZ and use chrono-tz, which brings all zones along",
    )
    .with(&["clock"]),
    known(
        "time",
        Warning,
        "the local offset is an error on WASI, which has no time zone",
        "use UTC, or time-tz with the zone that the program reads from TZ",
    )
    .with(&["local-offset"]),
    // Signals, processes, the system
    known("signal-hook", Error, NO_COMPILE, "use `tokio::signal::ctrl_c`"),
    known("signal-hook-registry", Error, NO_COMPILE, "use `tokio::signal::ctrl_c`"),
    known(
        "gethostname",
        Error,
        NO_COMPILE,
        "switch off the feature that pulls it in, or use hostname, which wasio replaces",
    ),
    known("ctrlc", Error, NO_COMPILE, "use `tokio::signal::ctrl_c`"),
    known("nix", Error, NO_COMPILE, "use it on native targets only"),
    known(
        "tokio",
        Note,
        "`tokio::process` cannot start anything: WASI has no processes",
        "nothing has to be done unless the program uses it",
    )
    .with(&["process"]),
    known(
        "tokio",
        Error,
        "versions before 1 reach the system through mio 0.6, which does not compile for WASI",
        "update the package that asks for it to one that uses tokio 1",
    )
    .of("<1"),
    known(
        "tokio",
        Note,
        "the multi-threaded runtime has one thread: WASI has no more",
        "nothing has to be done; work that computes for long should `yield_now`",
    )
    .with(&["rt-multi-thread"]),
    // Made for other platforms
    known(
        "wasm-bindgen",
        Warning,
        "calls JavaScript, which no WASI host has",
        "switch off the feature that pulls it in (`js`, `wasm-bindgen`, `wasmbind`)",
    ),
    known("crossterm", Error, NO_COMPILE, "use it on native targets only"),
    known(
        "tempfile",
        Warning,
        "`tempfile()` panics: WASI has no temporary folder",
        "use `tempfile_in` and `TempDir::new_in` with a folder that was granted",
    ),
];

#[cfg(test)]
mod tests;
