//! The state in a guest's store, and how imports access it.

use wasmtime::{Caller, Extern, Memory};

use crate::clock::Monotonic;
use crate::limits::Limits;
#[cfg(unix)]
use crate::output::Output;
use crate::p1::errno::Errno;
use crate::p1::memory::GuestMemory;
use crate::p1::poll::Scratch;
use crate::p1::sockets::table::Table;
use crate::p2::sockets::Opened;
use crate::policy::Grants;
use crate::signals::Heard;
use crate::stats::Tally;
use crate::wasi::Wasi;

/// WASI's descriptor flag for a descriptor that does not block.
pub(crate) const NONBLOCK: u16 = 4;

/// What an import is called with.
pub(crate) type Cx<'a> = Caller<'a, State>;

pub(crate) struct State {
    /// A component's sockets, as far as they are counted.
    pub(crate) opened: Opened,
    /// wasmtime-wasi's preview 1: files, environment, clocks, random, stdio.
    pub(crate) wasi: Wasi,
    /// This process's streams, if the guest has them.
    #[cfg(unix)]
    pub(crate) outputs: Vec<Output>,
    pub(crate) sockets: Table,
    pub(crate) grants: Grants,
    pub(crate) signals: Heard,
    /// What a component said its exit code will be.
    pub(crate) exit_code: Option<u8>,
    pub(crate) tally: Tally,
    pub(crate) clock: Monotonic,
    pub(crate) limits: Limits,
    /// What it began with; nothing, if it is not metered.
    pub(crate) fuel: u64,
    /// The guest's memory, once it is known.
    pub(crate) memory: Option<Memory>,
    pub(crate) poll: Scratch,
    /// A component's last poll did not wait.
    pub(crate) polls_without_waiting: bool,
    /// Blocking operations in a row that did not have to wait.
    pub(crate) streak: u8,
}

/// The guest's state alone.
#[inline]
pub(crate) fn state<'a>(cx: &'a mut Cx<'_>) -> &'a mut State {
    cx.data_mut()
}

/// The guest's memory and state side by side.
///
/// # Errors
///
/// `FAULT` when the guest exports no memory named `memory`.
#[inline(always)]
pub(crate) fn parts<'a>(cx: &'a mut Cx<'_>) -> Result<(GuestMemory<'a>, &'a mut State), Errno> {
    let memory = memory(cx).ok_or(Errno::FAULT)?;
    let (bytes, state) = memory.data_and_store_mut(cx);
    Ok((GuestMemory(bytes), state))
}

/// The guest's memory, which is known once there is an instance. Code that runs before, in a start function, has it
/// looked up; only not for the imports of `shortcut.rs`, which it does not call itself.
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

/// How a guest's exit travels up the guest's stack.
#[derive(Debug, thiserror::Error)]
#[error("the guest exited with code {0}")]
pub(crate) struct Exited(pub(crate) i32);
