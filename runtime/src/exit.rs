//! Exit codes on WASI 0.2, whose `exit` knows success and failure alone.
//!
//! The C library ends a program through `_Exit`, with the code that `std::process::exit` was given. This one takes the
//! place of the C library's, and tells the host the code before, by an instant that `host/SIGNALS.md` describes; a host
//! that knows nothing of it makes a timer of it, and any failure has the code 1 there.
#![allow(unsafe_code)] // A symbol of the C library.

use wasip2::cli::exit::exit;
use wasip2::clocks::monotonic_clock::subscribe_instant;

/// Stands for the code 0; the code is added.
const CODES: u64 = 0xffff_ffff_d345_5800;

/// Ends the program.
// SAFETY: the C library's `_Exit` has this signature, and nothing that runs before the program's end.
#[unsafe(no_mangle)]
extern "C" fn _Exit(status: i32) -> ! {
    // Of which a shell sees as much natively.
    let code = status as u8;
    if code != 0 {
        drop(subscribe_instant(CODES + u64::from(code)));
    }
    exit(if code == 0 { Ok(()) } else { Err(()) });
    // `exit` does not return.
    std::process::abort()
}
