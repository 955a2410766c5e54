//! Packages and features that are known not to work, or to work differently,
//! in a WASI guest, each with the way out.

use super::Level::{self, Error, Note, Warning};
use crate::cargo::args::Wasi;

/// One thing that is known.
pub(super) struct Known {
    pub(super) package: &'static str,
    /// The versions it is true of.
    pub(super) versions: &'static str,
    /// True only if one of these features is on; empty: always.
    pub(super) features: &'static [&'static str],
    /// True only on this generation of WASI.
    pub(super) only: Option<Wasi>,
    /// Not true if this package is in the guest: the way out was taken.
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

const C_CODE: &str = "compiles C code, which needs clang and a C library for WASI";
const C_INSTEAD: &str = "switch off the feature that pulls it in, use a pure Rust package, or \
                         install clang and wasi-libc and set CC and CFLAGS for the target";
const AWS_LC_INSTEAD: &str = "switch off the default features of rustls, tokio-rustls and hyper-rustls, and give \
                              reqwest 0.13 the feature `rustls-no-provider`; then install a provider at the \
                              start: rustls' `ring`, or one in Rust alone, as wasio's examples/crates do";
const NO_COMPILE: &str = "does not compile for WASI";
const NO_THREADS: &str = "starts threads, which WASI does not have";

/// The package with resolvers for hyper-util and reqwest.
const RESOLVE: &str = "wasio-resolve";

/// Everything that is known.
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
        "rustls-rustcrypto",
        Warning,
        "its authors say: use at your own risk, do not use in production",
        "use rustls' provider `ring`, which needs clang",
    ),
    // C libraries
    known("libz-sys", Warning, C_CODE, "use flate2 with its feature `rust_backend`"),
    known("zstd-sys", Warning, C_CODE, C_INSTEAD),
    known("bzip2-sys", Warning, C_CODE, "use bzip2 0.6 or newer, which is pure Rust"),
    known("lzma-sys", Warning, C_CODE, C_INSTEAD),
    known("libsqlite3-sys", Warning, C_CODE, C_INSTEAD),
    known("tikv-jemalloc-sys", Error, NO_COMPILE, "use it on native targets only"),
    known("libmimalloc-sys", Error, NO_COMPILE, "use it on native targets only"),
    // Sockets and readiness beside tokio
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
        "update the package that asks for it to one that uses socket2 0.6, or switch off the \
         feature that does",
    ),
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
    .unless(RESOLVE),
    known(
        "tokio-postgres",
        Error,
        "its feature `runtime` does not compile for wasm32",
        "use `default-features = false` and `Config::connect_raw` over a `tokio::net::TcpStream`",
    )
    .with(&["runtime"]),
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
        "use `MultiplexedConnection::new` or `PubSub::new` over a `tokio::net::TcpStream`",
    )
    .with(&["tokio-comp"])
    .on(Wasi::P1),
    // Threads, processes, signals
    known("rayon-core", Warning, NO_THREADS, "use it on native targets only"),
    known("threadpool", Warning, NO_THREADS, "use `tokio::task::spawn_blocking`"),
    known("blocking", Warning, NO_THREADS, "use `tokio::task::spawn_blocking`"),
    known("signal-hook", Error, NO_COMPILE, "use `tokio::signal::ctrl_c`"),
    known("signal-hook-registry", Error, NO_COMPILE, "use `tokio::signal::ctrl_c`"),
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
        Note,
        "the multi-threaded runtime has one thread: WASI has no more",
        "nothing has to be done; work that computes for long should `yield_now`",
    )
    .with(&["rt-multi-thread"]),
    // Made for other places
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
