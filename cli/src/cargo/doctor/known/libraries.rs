//! Cryptography, and libraries in C and C++.

use super::Level::{Error, Warning};
use super::{Known, NO_COMPILE, known};

const AWS_LC_INSTEAD: &str = "switch off the default features of rustls, tokio-rustls and hyper-rustls, and give \
                              reqwest 0.13 the feature `rustls-no-provider`; then install a provider at the \
                              start: rustls' `ring`, or one in Rust alone, as wasio's examples/crates do";
const SYSTEM_LIBRARY: &str = "needs a library of the system, which WASI does not have";

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
        "apply wasio's docs/upstream/tiberius.patch to a copy, and patch it in, or switch off `rustls` and `native-tls`, and \
         reach the server over a tunnel that encrypts",
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
        "compiles librdkafka for the host, whatever the target (build.rs:198)",
        "use rskafka with `default-features = false`, which is Rust alone",
    ),
    known(
        "lz4-sys",
        Error,
        "is compiled with a shim for browsers on every wasm32 (build.rs:43 in 1.11.1), which its Rust code has for browsers \
         only, so that the program cannot be linked, or does not start",
        "use lz4_flex, which is Rust alone, or switch off the feature that pulls it in (`lz4`)",
    ),
    known(
        "librocksdb-sys",
        Error,
        "builds RocksDB (C++), which does not compile for WASI",
        "use redb, which is Rust alone",
    ),
    known("tikv-jemalloc-sys", Error, NO_COMPILE, "use it on native targets only"),
    known("libmimalloc-sys", Error, NO_COMPILE, "use it on native targets only"),
];
