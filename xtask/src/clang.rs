//! Whether clang is here and can compile for WebAssembly: crates with C code, such as ring, need it.

use std::process::Command;
use std::sync::OnceLock;

/// Whether crates with C code can be built for WASI.
///
/// The build scripts of most of them call `clang`, or what `CC_wasm32_wasip1` and the like name.
pub fn compiles_wasm() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let listed = Command::new("clang").arg("--print-targets").output();
        listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains("wasm32"))
    })
}
