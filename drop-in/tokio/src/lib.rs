//! wasio under the name tokio.
//!
//! This package replaces tokio through `[patch.crates-io]`, or is used as a dependency named `tokio`. Every crate that
//! depends on `tokio` then runs on wasio, unchanged. It defines only the attribute macros, which expand to `tokio::…`.
//! Everything else, and its documentation, is [`wasio`]'s.

#[cfg(feature = "fs")]
pub use wasio::fs;
pub use wasio::io;
pub use wasio::net;
#[cfg(feature = "process")]
pub use wasio::process;
#[cfg(feature = "rt")]
pub use wasio::runtime;
#[cfg(feature = "signal")]
pub use wasio::signal;
pub use wasio::stream;
#[cfg(feature = "sync")]
pub use wasio::sync;
pub use wasio::task;
#[cfg(feature = "time")]
pub use wasio::time;

#[cfg(feature = "rt")]
pub use wasio::spawn;

pub use wasio::pin;
#[cfg(feature = "rt")]
pub use wasio::task_local;

#[cfg(feature = "macros")]
pub use wasio::{join, select, try_join};

#[cfg(all(feature = "macros", feature = "rt-multi-thread"))]
pub use wasio_macros::{tokio_main as main, tokio_test as test};

#[cfg(all(feature = "macros", feature = "rt", not(feature = "rt-multi-thread")))]
pub use wasio_macros::{tokio_main_rt as main, tokio_test_rt as test};

#[cfg(all(feature = "macros", not(feature = "rt")))]
pub use wasio_macros::{tokio_main_fail as main, tokio_test_fail as test};

/// Items that upstream's macros use. Some crates use them although they are not documented.
#[doc(hidden)]
pub mod macros {
    pub mod support {
        pub use std::future::{Future, IntoFuture, poll_fn};
        pub use std::pin::Pin;
        pub use std::task::{Context, Poll};
    }
}
