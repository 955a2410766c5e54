//! Packages and features that are known not to work in a WASI guest, or to work differently, each with a way out.

mod libraries;
mod network;
mod system;
mod threads;

use super::Level;
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

const NO_COMPILE: &str = "does not compile for WASI";
const NO_THREADS: &str = "starts threads, which WASI does not have";

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

/// Returns all entries.
pub(super) fn table() -> impl Iterator<Item = &'static Known> {
    [libraries::TABLE, network::TABLE, threads::TABLE, system::TABLE].into_iter().flatten()
}

#[cfg(test)]
mod tests;
