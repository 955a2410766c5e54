//! The targets that guests are compiled for, and the engines that run them: one entry each, defined only here.
//!
//! `xtask` and the tests include this file by its path, so that they need not compile an engine. The code that starts
//! an engine is in `cargo/runner.rs`, and for tests in `xtask/src/engine.rs`.

use std::fmt;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// Declares an enum, the list of its values, and their entries.
macro_rules! registry {
    ($(#[$doc:meta])* enum $name:ident of $entry:ident { $($id:ident $values:tt)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $(#[allow(missing_docs, reason = "its entry says what it is")] $id),+
        }

        impl $name {
            /// All values, in the order of reports.
            pub const ALL: &[$name] = &[$($name::$id),+];

            const fn entry(self) -> $entry {
                match self { $($name::$id => $entry $values),+ }
            }
        }
    };
}

struct TargetEntry {
    /// rustc's name of the target.
    triple: &'static str,
    /// The target's short name, for tests and reports.
    name: &'static str,
    /// The value of `cargo wasio --wasi`.
    wasi: &'static str,
    /// The help text of that value.
    about: &'static str,
}

registry! {
    /// A target that guests are compiled for.
    enum Target of TargetEntry {
        P1 {
            triple: "wasm32-wasip1",
            name: "wasip1",
            wasi: "p1",
            about: "Preview 1 with WasmEdge's sockets (wasm32-wasip1)",
        }
        P2 {
            triple: "wasm32-wasip2",
            name: "wasip2",
            wasi: "p2",
            about: "WASI 0.2, a component (wasm32-wasip2)",
        }
    }
}

struct EngineEntry {
    /// The engine's name on the command line, which is also its program's.
    name: &'static str,
    /// The environment variable that names the engine's program.
    variable: &'static str,
    /// The targets whose guests the engine runs.
    runs: &'static [Target],
    /// The help text of the engine.
    about: &'static str,
    /// Advice if the engine is missing.
    install: &'static str,
}

registry! {
    /// A WebAssembly engine.
    enum Engine of EngineEntry {
        Wasio {
            name: "wasio",
            variable: "WASIO_BIN",
            runs: Target::ALL,
            about: "`wasio run`: beside this command, on the PATH, or named in WASIO_BIN",
            install: "Install both with `cargo install --path cli` in wasio's repository, or build it there with \
                      `cargo build --release --package wasio-cli --bin wasio`.",
        }
        Wasmedge {
            name: "wasmedge",
            variable: "WASIO_WASMEDGE",
            runs: &[Target::P1],
            about: "WasmEdge: on the PATH, or named in WASIO_WASMEDGE. Dev builds are interpreted, and --release builds \
                    are compiled first",
            install: "See https://wasmedge.org/docs/start/install, or use `--engine wasio`.",
        }
    }
}

impl Target {
    /// Returns rustc's name of the target.
    pub const fn triple(self) -> &'static str {
        self.entry().triple
    }

    /// Returns the target's short name, for tests and reports.
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// Returns the value of `cargo wasio --wasi`.
    pub const fn wasi(self) -> &'static str {
        self.entry().wasi
    }

    /// Parses the value of `--wasi`. The target's short name is accepted, too.
    pub fn wasi_parser() -> impl TypedValueParser<Value = Target> {
        parser(Target::ALL.to_vec(), |target| {
            PossibleValue::new(target.wasi()).alias(target.name()).help(target.entry().about)
        })
    }
}

impl Engine {
    /// Returns the engine's name on the command line, which is also its program's.
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// Returns the environment variable that names the engine's program.
    pub const fn variable(self) -> &'static str {
        self.entry().variable
    }

    /// Returns whether the engine runs guests that are compiled for `target`.
    pub fn runs(self, target: Target) -> bool {
        self.entry().runs.contains(&target)
    }

    /// Returns advice for when the engine is missing.
    pub const fn install(self) -> &'static str {
        self.entry().install
    }

    /// Parses the name of an engine.
    pub fn parser() -> impl TypedValueParser<Value = Engine> {
        parser(Engine::ALL.to_vec(), |engine| {
            PossibleValue::new(engine.name()).help(engine.entry().about)
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Parses one of `values`, named by `possible`.
pub fn parser<T: Copy + Send + Sync + 'static>(
    values: Vec<T>,
    possible: impl Fn(T) -> PossibleValue + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = T> {
    let names: Vec<_> = values.iter().copied().map(&possible).collect();
    PossibleValuesParser::new(names).map(move |name| {
        let named = values.iter().find(|value| possible(**value).matches(&name, false));
        *named.expect("clap accepts only possible values")
    })
}
