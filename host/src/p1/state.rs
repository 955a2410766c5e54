//! The state in the store of a preview 1 guest, and how imports access it.

use wasmtime::{Caller, Extern, Memory};
use wasmtime_wasi::p1::WasiP1Ctx;

use crate::clock::Monotonic;
use crate::limits::Limits;
use crate::p1::errno::Errno;
use crate::p1::memory::GuestMemory;
use crate::p1::poll::subscription::Scratch;
use crate::p1::sockets::table::Table;
use crate::policy::Grants;
use crate::signals::Receiver;
use crate::stats::Tally;
use crate::wasi::Wasi;

/// WASI's flag of a descriptor that does not block.
pub(crate) const NONBLOCK: u16 = 4;

/// The context in which an import is called.
pub(crate) type Cx<'a> = Caller<'a, State>;

pub(crate) struct State {
    /// wasmtime-wasi's preview 1: files, environment, clocks, random, stdio.
    pub(crate) wasi: Wasi<WasiP1Ctx>,
    pub(crate) sockets: Table,
    pub(crate) grants: Grants,
    pub(crate) signals: Receiver,
    pub(crate) tally: Tally,
    pub(crate) clock: Monotonic,
    pub(crate) limits: Limits,
    /// The guest's memory, once it has been looked up.
    pub(crate) memory: Option<Memory>,
    pub(crate) poll: Scratch,
    /// The number of blocking operations in a row that did not have to wait.
    pub(crate) streak: u8,
}

/// Returns the guest's state alone.
#[inline]
pub(crate) fn state<'a>(cx: &'a mut Cx<'_>) -> &'a mut State {
    cx.data_mut()
}

/// Returns the guest's memory and state side by side.
///
/// # Errors
///
/// `FAULT` if the guest exports no memory named `memory`.
// PERF: inlined into the fast path (`sockets/fast_path.rs`).
#[inline(always)]
pub(crate) fn parts<'a>(cx: &'a mut Cx<'_>) -> Result<(GuestMemory<'a>, &'a mut State), Errno> {
    let memory = memory(cx).ok_or(Errno::FAULT)?;
    let (bytes, state) = memory.data_and_store_mut(cx);
    Ok((GuestMemory(bytes), state))
}

/// Returns the guest's memory, which is known once there is an instance. For code that runs earlier, in a start
/// function, it is looked up, except in the imports of `trampoline.rs`: the guest does not call these directly.
#[inline]
pub(crate) fn memory(cx: &mut Cx<'_>) -> Option<Memory> {
    cx.data().memory.or_else(|| find_memory(cx))
}

#[cold]
fn find_memory(cx: &mut Cx<'_>) -> Option<Memory> {
    let Some(Extern::Memory(memory)) = cx.get_export("memory") else {
        return None;
    };
    cx.data_mut().memory = Some(memory);
    Some(memory)
}
