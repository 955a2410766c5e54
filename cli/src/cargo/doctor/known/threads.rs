//! Packages that start threads.

use super::Level::{Error, Note, Warning};
use super::{Known, NO_THREADS, known};

pub(super) const TABLE: &[Known] = &[
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
        "reqwest",
        Warning,
        "a client of its `blocking` runs on a thread (src/blocking/client.rs), which WASI does not have",
        "use the asynchronous client; in a program without tasks, within tokio's `Runtime::block_on`",
    )
    .of(">=0.13")
    .with(&["blocking"]),
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
];
