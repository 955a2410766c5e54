//! The state in the store of a component.

use wasmtime::StoreContextMut;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::limits::Limits;
#[cfg(unix)]
use crate::output::Output;
use crate::p2::open_sockets::OpenSockets;
use crate::policy::Grants;
use crate::signals::Receiver;
use crate::stats::Stats;
use crate::wasi::Wasi;

/// The context in which an import is called.
pub(crate) type Store<'a> = StoreContextMut<'a, State>;

pub(crate) struct State {
    pub(crate) wasi: Wasi<Ctx>,
    pub(crate) sockets: OpenSockets,
    /// This process's output streams, if the guest has them.
    #[cfg(unix)]
    pub(crate) outputs: Vec<Output>,
    pub(crate) grants: Grants,
    pub(crate) signals: Receiver,
    pub(crate) stats: Stats,
    pub(crate) limits: Limits,
    /// The exit code that the component has announced.
    pub(crate) exit_code: Option<u8>,
    /// Whether the last poll did not wait.
    pub(crate) polls_without_waiting: bool,
}

/// wasmtime-wasi's state.
pub(crate) struct Ctx {
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
}

impl WasiView for Ctx {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}
