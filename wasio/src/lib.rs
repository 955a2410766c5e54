//! tokio for WebAssembly guests.
//!
//! wasio is a small single-threaded async runtime with tokio's API. A program written for tokio runs with
//! it in a WASI guest: on WasmEdge, on `wasio run`, and natively, for development. Everything is where
//! tokio has it, under the same features, so tokio's own documentation and the crates built on it apply.
//!
//! ```
//! # #[cfg(all(feature = "macros", feature = "rt-multi-thread", feature = "time"))]
//! #[wasio::main]
//! async fn main() {
//!     let answer = wasio::spawn(async {
//!         wasio::time::sleep(std::time::Duration::from_millis(1)).await;
//!         42
//!     });
//!     assert_eq!(answer.await.unwrap(), 42);
//! }
//! # #[cfg(not(all(feature = "macros", feature = "rt-multi-thread", feature = "time")))] fn main() {}
//! ```
//!
//! # Features
//!
//! As in tokio, none is on by default; applications switch on `full`, libraries what they use.
//!
//! | feature | what it makes visible |
//! |---|---|
//! | `full` | everything below but `test-util` |
//! | `rt` | [`spawn`], [`task`], [`runtime`] |
//! | `rt-multi-thread` | the multi-thread flavour (on WASI: one thread all the same) |
//! | `macros` | `#[main]`, `#[test]`, `select!`, `join!`, `try_join!` |
//! | `net` | TCP, UDP and Unix sockets, names |
//! | `time` | [`time`]: sleeping, timeouts, intervals |
//! | `sync` | [`sync`]: channels, locks, semaphores |
//! | `io-util` | the combinators in [`io`] |
//! | `io-std` | stdin, stdout, stderr |
//! | `fs` | [`fs`]: files and directories |
//! | `signal` | [`signal`]: Ctrl-C |
//! | `process` | [`process`]: starting programs, natively |
//! | `test-util` | a clock that tests can stop |
//!
//! The other names are tokio's too, and are accepted so that a dependency may ask for them.
//!
//! # On WASI
//!
//! There is one thread. Blocking functions (`spawn_blocking`, files) run on it when their turn comes. A
//! panic ends the guest, whichever task it happens in. Where a single function differs from tokio, its
//! documentation has a section of this name.

#![cfg_attr(
    not(all(
        feature = "rt",
        feature = "time",
        feature = "sync",
        feature = "fs",
        feature = "signal",
        feature = "process"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

#[cfg(feature = "fs")]
pub mod fs;
pub mod io;
pub mod net;
#[cfg(feature = "process")]
pub mod process;
#[cfg(feature = "rt")]
pub mod runtime;
#[cfg(feature = "signal")]
pub mod signal;
#[cfg(feature = "sync")]
pub mod sync;
pub mod task;
#[cfg(feature = "time")]
pub mod time;
#[cfg(feature = "rt")]
#[allow(unused_imports, unreachable_pub)] // Not every target has any.
pub use wasio_runtime::additions::root::*;

/// Streams live in the crate `tokio-stream`; the module is here because tokio has it.
pub mod stream {}

#[cfg(feature = "rt")]
pub use wasio_runtime::task::spawn;

pub use wasio_runtime::pin;
#[cfg(feature = "rt")]
pub use wasio_runtime::task_local;

#[cfg(feature = "macros")]
pub use wasio_runtime::join;
#[cfg(feature = "macros")]
pub use wasio_runtime::select;
#[cfg(feature = "macros")]
pub use wasio_runtime::try_join;

#[cfg(all(feature = "macros", feature = "rt-multi-thread"))]
pub use wasio_macros::main;
#[cfg(all(feature = "macros", feature = "rt-multi-thread"))]
pub use wasio_macros::test;

#[cfg(all(feature = "macros", feature = "rt", not(feature = "rt-multi-thread")))]
pub use wasio_macros::main_rt as main;
#[cfg(all(feature = "macros", feature = "rt", not(feature = "rt-multi-thread")))]
pub use wasio_macros::test_rt as test;

#[cfg(all(feature = "macros", not(feature = "rt")))]
pub use wasio_macros::main_fail as main;
#[cfg(all(feature = "macros", not(feature = "rt")))]
pub use wasio_macros::test_fail as test;
