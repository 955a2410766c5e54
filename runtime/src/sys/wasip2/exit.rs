//! Exit codes on WASI 0.2, where `exit` knows only success and failure.
//!
//! The C library ends a program through `_Exit`, with the code that was passed to `std::process::exit`. This `_Exit`
//! replaces the C library's. It first passes the code to the host, as a duration that `host/SIGNALS.md` describes. Any
//! other host makes a timer of the duration, and reports every failure as 1.
#![allow(unsafe_code)] // A symbol of the C library, and the host's functions.

/// The duration that stands for code 0. The code is added to it.
const CODES: u64 = 0xffff_ffff_d345_5800;

// SIZE: the functions and versions that every guest imports already. The crate `wasip2` would import newer versions
// beside them (400 bytes).
#[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.2.0")]
unsafe extern "C" {
    #[link_name = "subscribe-duration"]
    fn subscribe_duration(nanos: u64) -> u32;
}

#[link(wasm_import_module = "wasi:cli/exit@0.2.0")]
unsafe extern "C" {
    #[link_name = "exit"]
    fn exit(is_failure: u32) -> !;
}

/// Ends the program.
// SAFETY: the C library's `_Exit` has this signature, and only ends the program.
#[unsafe(no_mangle)]
extern "C" fn _Exit(status: i32) -> ! {
    // Natively, too, a shell sees only these bits.
    let code = status as u8;
    // SAFETY: both functions have these signatures in the component model's canonical ABI. The pollable is dropped with
    // the program.
    unsafe {
        if code != 0 {
            subscribe_duration(CODES + u64::from(code));
        }
        exit(u32::from(code != 0))
    }
}
