//! Signals and exit codes of components, conveyed by `wasi:clocks` (`SIGNALS.md`).

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::Host as _;
use wasmtime_wasi_io::poll::{Pollable, subscribe};

use crate::p2::state::{State, Store};
use crate::signals::{ALL, Mask, Receiver};

/// The instant for an empty set of signals. The mask is added to it.
const FIRST_INSTANT: u64 = 0xffff_ffff_d349_4700;
/// The duration, in nanoseconds, for the exit code 0. The code is added to it.
const FIRST_CODE: u64 = 0xffff_ffff_d345_5800;

/// Returns the signals of an instant. 0 asks whether the host has this convention.
fn signals(when: u64) -> Option<Mask> {
    let mask = when.checked_sub(FIRST_INSTANT)?;
    (mask <= u64::from(ALL)).then_some(mask as Mask)
}

/// Returns the exit code that a duration announces.
fn exit_code(nanos: u64) -> Option<u8> {
    u8::try_from(nanos.checked_sub(FIRST_CODE)?).ok()
}

/// A pollable that becomes ready, and stays so, when a signal is sent after its creation. With an empty set of signals
/// it is ready at once.
struct Sent {
    receiver: Receiver,
    mask: Mask,
}

#[async_trait]
impl Pollable for Sent {
    async fn ready(&mut self) {
        if self.mask != 0 {
            self.receiver.wait(self.mask).await;
        }
    }
}

/// Adds the meanings for signals and exit codes to `subscribe-instant` and `subscribe-duration`.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut clock = linker.instance("wasi:clocks/monotonic-clock@0.2.12")?;
    clock.func_wrap("subscribe-instant", |mut store: Store<'_>, (when,): (u64,)| {
        let State { wasi, signals: receiver, .. } = store.data_mut();
        let mut clocks = wasi.clocks();
        let pollable: Resource<DynPollable> = match signals(when) {
            None => clocks.subscribe_instant(when)?,
            Some(mask) => {
                let sent = clocks.table.push(Sent { receiver: receiver.fork(mask), mask })?;
                subscribe(clocks.table, sent)?
            }
        };
        Ok((pollable,))
    })?;
    clock.func_wrap("subscribe-duration", |mut store: Store<'_>, (nanos,): (u64,)| {
        let State { wasi, exit_code: announced, .. } = store.data_mut();
        *announced = exit_code(nanos).or(*announced);
        Ok((wasi.clocks().subscribe_duration(nanos)?,))
    })
}
