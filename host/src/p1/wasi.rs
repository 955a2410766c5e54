//! Calls of wasmtime-wasi's preview 1.

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1;

/// Lifts wasmtime-wasi's limit on copied bytes for the next call, whose arguments have been bounded before.
pub(crate) fn unbounded(ctx: &mut WasiP1Ctx) {
    WasiSnapshotPreview1::set_hostcall_fuel(ctx, usize::MAX);
}

/// Runs one of wasmtime-wasi's functions on the guest's memory.
macro_rules! on_wasi {
    ($caller:ident, $state:ident, $memory:ident, $numbers:ident => $call:expr) => {{
        let fuel = wasmtime::AsContextMut::as_context_mut(&mut $caller).hostcall_fuel();
        let memory = $crate::p1::state::memory(&mut $caller)
            .ok_or_else(|| wasmtime::Error::msg("the guest exports no memory named `memory`"))?;
        let (bytes, state) = memory.data_and_store_mut(&mut $caller);
        #[allow(unused_variables, reason = "not all functions take descriptors")]
        let $numbers = state.sockets.numbers();
        let $state = &mut *state.wasi;
        wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1::set_hostcall_fuel(
            $state, fuel,
        );
        let mut $memory = wiggle::GuestMemory::Unshared(bytes);
        $call
    }};
}
pub(crate) use on_wasi;
