//! Ends a guest in a state that only a bug in wasio can explain.

/// Panics with the message. Release builds trap without a message. The trap names the function.
// SIZE: the checks are in dozens of places, and a call with a message would make each of them a third larger.
#[cold]
#[inline(always)]
pub(crate) fn bug(_what: &str) -> ! {
    #[cfg(debug_assertions)]
    panic!("{_what}: a bug in wasio");
    #[cfg(not(debug_assertions))]
    std::arch::wasm32::unreachable()
}
