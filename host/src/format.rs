//! Identifies the kind of a file that was given as a program.

use crate::error::Error;

const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// The kinds of file that can be run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A core module: WASI preview 1.
    Module,
    /// A component: WASI 0.2.
    Component,
}

/// Returns the kind of a runnable file. The error for any other file says what it is and what to do.
pub(crate) fn check(bytes: &[u8]) -> Result<Kind, Error> {
    if bytes.starts_with(MODULE) {
        return Ok(Kind::Module);
    }
    if bytes.starts_with(COMPONENT) {
        return Ok(Kind::Component);
    }
    let no = |what, hint| Err(Error::NotAModule { what, hint });
    if bytes.starts_with(b"\0asm") {
        return no(
            "the file is WebAssembly of an unknown version or kind",
            "build it for wasm32-wasip1 or wasm32-wasip2",
        );
    }
    if bytes.is_empty() {
        return no("the file is empty, not a WebAssembly module", "was the build interrupted?");
    }
    if bytes.starts_with(b"\x7fELF") || bytes.starts_with(b"MZ") || is_mach_o(bytes) {
        return no(
            "the file is a native program, not a WebAssembly module",
            "build it with --target wasm32-wasip1",
        );
    }
    if bytes.starts_with(b"!<arch>") {
        return no("the file is a library archive, not a WebAssembly module", "name a .wasm file");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let text = text.trim_start();
        if text.starts_with("(module") || text.starts_with("(component") || text.starts_with(";;") {
            return no(
                "the file is WebAssembly's text format, not a WebAssembly module",
                "translate it with `wasm-tools parse` first",
            );
        }
        return no("the file is text, not a WebAssembly module", "name a .wasm file");
    }
    no("the file is not a WebAssembly module", "name a .wasm file built for wasm32-wasip1")
}

fn is_mach_o(bytes: &[u8]) -> bool {
    matches!(bytes.first_chunk(), Some([0xcf | 0xce, 0xfa, 0xed, 0xfe] | [0xca, 0xfe, 0xba, 0xbe]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart() {
        assert_eq!(check(b"\0asm\x01\0\0\0 and so on").unwrap(), Kind::Module);
        assert_eq!(check(b"\0asm\x0d\0\x01\0 and so on").unwrap(), Kind::Component);
        for (bytes, said) in [
            (&b"\0asm\x02\0\0\0"[..], "version"),
            (b"", "empty"),
            (b"\x7fELF\x02", "native program"),
            (b"  (module)", "text format"),
            (b"#!/bin/sh", "is text"),
            (b"\xff\xfe\x00", "the file is not a WebAssembly module"),
        ] {
            let error = check(bytes).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
