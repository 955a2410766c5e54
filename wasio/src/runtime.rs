//! The runtime: polls tasks, fires timers, waits for I/O.
//!
//! Most programs get one from `#[wasio::main]`. With [`Builder`] it can be configured, with [`Runtime`] it
//! can be entered and left by hand, with [`Handle`] tasks can be spawned on it from elsewhere.
//!
//! ```
//! use wasio::runtime::Builder;
//!
//! let runtime = Builder::new_current_thread().enable_all().build()?;
//! let answer = runtime.block_on(async { 42 });
//! assert_eq!(answer, 42);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # On WASI
//!
//! Every flavour runs on the guest's one thread. Natively the multi-thread flavour has one worker.

pub use wasio_runtime::runtime::{
    Builder, EnterGuard, Handle, Id, LocalOptions, LocalRuntime, Runtime, RuntimeFlavor,
    RuntimeMetrics, TryCurrentError, is_rt_shutdown_err, worker_index,
};
