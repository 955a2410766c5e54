//! Whether clang is here and can compile for WebAssembly: crates with C code, such as ring, need it.

use std::process::Command;
use std::sync::OnceLock;

/// Whether crates with C code can be built for WASI.
///
/// Most of their build scripts call `clang`, or the compiler named in `CC_wasm32_wasip1` and similar variables.
pub fn compiles_wasm() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let listed = Command::new("clang").arg("--print-targets").output();
        listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains("wasm32"))
    })
}
