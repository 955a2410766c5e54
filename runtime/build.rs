//! Refuses targets with threads in wasm, with a sentence, and sets `small_code` where code is shipped to its user as a guest:
//! there a call is cheaper than a copy of the code. Without the attributes that ask for it, the echo guest is 1,252 bytes
//! larger on preview 1 and 2,397 on WASI 0.2; with them everywhere, an echo takes 6 % more instructions natively.
//!
//! Threads are refused here and not by `cfg`: stable compilers hide the feature `atomics`, so that `wasm32-wasip1-threads`
//! looks to the code like `wasm32-wasip1`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name| std::env::var(name).unwrap_or_default();
    let target = variable("TARGET");
    let atomics = variable("CARGO_ENCODED_RUSTFLAGS").contains("+atomics");
    println!("cargo::rustc-check-cfg=cfg(small_code)");
    println!("cargo::rustc-check-cfg=cfg(wasio_shell)");
    if target.starts_with("wasm") {
        println!("cargo::rustc-cfg=small_code");
    }
    if target.starts_with("wasm") && (target.ends_with("-threads") || atomics) {
        println!(
            "cargo::error=wasio runs on one thread: build for `wasm32-wasip1` or `wasm32-wasip2`, not for \
             a target with wasm threads such as `wasm32-wasip1-threads`"
        );
    }
}
