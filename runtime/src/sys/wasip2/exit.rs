//! Exit codes on WASI 0.2, where `exit` knows only success and failure.
//!
//! The C library ends a program through `_Exit`, with the code that `std::process::exit` was given. This `_Exit` takes its
//! place. It first tells the host the code, through a duration that `host/SIGNALS.md` describes. Any other host makes a
//! timer of it and reports every failure as 1.
#![allow(unsafe_code)] // A symbol of the C library, and the host's functions.

/// Stands for the code 0; the code is added.
const CODES: u64 = 0xffff_ffff_d345_5800;

// SIZE: the functions and versions that every guest imports already; the crate `wasip2` would import newer versions beside
// them (400 bytes).
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
// SAFETY: the C library's `_Exit` has this signature, and nothing that runs before the program's end.
#[unsafe(no_mangle)]
extern "C" fn _Exit(status: i32) -> ! {
    // A shell sees no more than these bits natively either.
    let code = status as u8;
    // SAFETY: both functions have these signatures in the component model's canonical ABI. The pollable ends with the
    // program.
    unsafe {
        if code != 0 {
            subscribe_duration(CODES + u64::from(code));
        }
        exit(u32::from(code != 0))
    }
}
