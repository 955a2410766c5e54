//! Everything that a guest is given before it starts, whatever its ABI.

use wasmtime_wasi::WasiCtxBuilder;

use crate::clock::Monotonic;
use crate::limits::Limits;
#[cfg(unix)]
use crate::output::Output;
use crate::policy::Grants;
use crate::signals::Receiver;
use crate::stats::Stats;
use crate::wasi::Threads;

pub(crate) struct Setup {
    pub(crate) wasi: WasiCtxBuilder,
    /// This process's output streams, if the guest has them.
    #[cfg(unix)]
    pub(crate) outputs: Vec<Output>,
    pub(crate) grants: Grants,
    pub(crate) signals: Receiver,
    pub(crate) stats: Stats,
    pub(crate) clock: Monotonic,
    pub(crate) limits: Limits,
    pub(crate) threads: Threads,
    pub(crate) max_sockets: usize,
    /// How many files and sockets all guests together may have open.
    pub(crate) max_descriptors: usize,
}
