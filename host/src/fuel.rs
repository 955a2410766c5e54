//! Fuel for work of the host whose amount is chosen by a guest.

use wasmtime::{AsContextMut, Trap};

/// Burns a unit of fuel for each byte that is moved or made for the guest, as `memory.copy` does.
///
/// # Errors
///
/// An error ends the guest when it has too little fuel.
pub(crate) fn burn(mut store: impl AsContextMut, bytes: usize) -> wasmtime::Result<()> {
    let mut store = store.as_context_mut();
    // The call succeeds only if the engine meters fuel.
    let Ok(fuel) = store.get_fuel() else { return Ok(()) };
    let left = fuel.checked_sub(bytes as u64);
    store.set_fuel(left.unwrap_or(0))?;
    left.map(drop).ok_or_else(|| Trap::OutOfFuel.into())
}
