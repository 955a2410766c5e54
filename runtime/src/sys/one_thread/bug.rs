//! Ends a guest that finds itself in a state which only a bug in wasio can explain.

/// Says so and ends. In release builds without a word, as the checks are in dozens of places: a call with a message would
/// make each of them a third larger. The trap names the function.
#[cold]
#[inline(always)]
pub(crate) fn bug(_what: &str) -> ! {
    #[cfg(debug_assertions)]
    panic!("{_what}: a bug in wasio");
    #[cfg(not(debug_assertions))]
    std::arch::wasm32::unreachable()
}
