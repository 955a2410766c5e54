//! Refuses targets with threads in wasm, with a sentence.
//!
//! Here and not by `cfg`: stable compilers hide the feature `atomics`, so that `wasm32-wasip1-threads`
//! looks to the code like `wasm32-wasip1`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name| std::env::var(name).unwrap_or_default();
    let target = variable("TARGET");
    let atomics = variable("CARGO_ENCODED_RUSTFLAGS").contains("+atomics");
    if target.starts_with("wasm") && (target.ends_with("-threads") || atomics) {
        println!(
            "cargo::error=wasio runs on one thread: build for `wasm32-wasip1` or `wasm32-wasip2`, not for \
             a target with wasm threads such as `wasm32-wasip1-threads`"
        );
    }
}
