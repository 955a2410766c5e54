//! Components: running them.

use std::time::Instant;

use wasmtime::Store;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::call::ended;
use crate::error::Error;
use crate::exit::Exit;
use crate::p2::addresses;
use crate::p2::open_sockets::OpenSockets;
use crate::p2::state::{Ctx, State};
use crate::setup::Setup;
use crate::wasi::Wasi;

/// How many handles a component may have, in addition to those of its sockets.
const HANDLES: usize = 100_000;

/// How many handles a component may have for each socket: the socket, two streams, a pollable of each, as many while
/// they are lent to a call, and some to spare.
const HANDLES_PER_SOCKET: usize = 10;

/// How many bytes a component may pass to one call, in strings and lists. More than that ends the component.
///
/// wasmtime's own limit, 128 MiB, is meant for bytes that it copies, and a component may write more to a file at once.
/// Here nothing is copied before its length is known. The length of a string is known only after its validation,
/// though, which takes up to 0.1 s for 256 MiB. A string in UTF-16 is converted as well: a code unit of two bytes becomes up
/// to three, 384 MiB altogether. `WasmStr` has no length that could be asked for first.
const HOSTCALL_FUEL: usize = 256 << 20;

/// A compiled component whose imports are all provided.
pub(crate) struct Program {
    command: CommandPre<State>,
}

impl Program {
    /// Finds the definitions of the component's imports among those of `host`.
    pub(crate) fn new(component: &Component, host: &Linker<State>) -> Result<Program, Error> {
        let command = host.instantiate_pre(component).and_then(CommandPre::new);
        Ok(Program { command: command.map_err(Error::MissingInterface)? })
    }

    /// Creates the state of a guest.
    pub(crate) fn state(setup: Setup) -> State {
        let Setup { mut wasi, threads, max_sockets, max_descriptors, .. } = setup;
        addresses::guard(&setup.grants, &mut wasi);
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles(max_sockets).max(table.max_capacity()));
        State {
            wasi: Wasi::new(Ctx { wasi: wasi.build(), table }, threads, max_descriptors),
            sockets: OpenSockets::new(max_sockets, max_descriptors),
            #[cfg(unix)]
            outputs: setup.outputs,
            grants: setup.grants,
            signals: setup.signals,
            stats: setup.stats,
            limits: setup.limits,
            exit_code: None,
            polls_without_waiting: false,
        }
    }

    /// Sets the limits of a component's store.
    pub(crate) fn limit(store: &mut Store<State>) {
        let handles = handles(store.data().sockets.limit);
        store.set_max_component_handles(handles);
        store.set_hostcall_fuel(HOSTCALL_FUEL);
    }

    /// Runs the component until it exits.
    pub(crate) async fn run(&self, store: &mut Store<State>) -> Result<Exit, Error> {
        let begun = Instant::now();
        let command = match self.command.instantiate_async(&mut *store).await {
            Ok(command) => command,
            Err(e) if e.is::<wasmtime::WasmBacktrace>() => return ended(e),
            Err(e) => return Err(Error::start(e)),
        };
        store.data().stats.took_to_start(begun.elapsed());
        let result = command.wasi_cli_run().call_run(&mut *store).await;
        #[cfg(unix)]
        for output in store.data().outputs.clone() {
            output.settle().await;
        }
        store.data().sockets.lingering.clone().settle().await;
        let code = match result {
            Ok(result) => i32::from(result.is_err()),
            Err(e) => match e.downcast_ref::<I32Exit>() {
                Some(exit) => exit.0,
                None => return ended(e),
            },
        };
        // A failure is reported without its code, which may have been announced before.
        let announced = store.data().exit_code.filter(|_| code == 1);
        Ok(Exit::new(announced.map_or(code, i32::from)))
    }
}

/// Returns how many handles a component may have. Exceeding this number traps, so the limit on sockets must be reached
/// first.
fn handles(max_sockets: usize) -> usize {
    HANDLES.saturating_add(max_sockets.saturating_mul(HANDLES_PER_SOCKET))
}
