//! Looks what the C library of `wasm32-wasip2` offers: see `src/sys/wasip2/libc/mod.rs`.

use std::path::Path;
use std::process::Command;

/// What adds a socket to the C library's table. Those that have it have the rest.
const ADD: &[u8] = b"__wasilibc_add_tcp_socket";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(wasio_c_sockets)");
    println!("cargo::rustc-check-cfg=cfg(wasio_shell)");
    let variable = |name| std::env::var(name).unwrap_or_default();
    let target = variable("TARGET");
    if target == "wasm32-wasip2" && has_sockets(&variable("RUSTC"), &target).unwrap_or(false) {
        println!("cargo::rustc-cfg=wasio_c_sockets");
    }
}

/// Whether the C library that the compiler brings along has the function. Without one of its own it links another,
/// of which nothing is known.
fn has_sockets(rustc: &str, target: &str) -> Option<bool> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    let library = Path::new(sysroot.trim_end())
        .join("lib/rustlib")
        .join(target)
        .join("lib/self-contained/libc.a");
    let archive = std::fs::read(library).ok()?;
    Some(archive.windows(ADD.len()).any(|name| name == ADD))
}
