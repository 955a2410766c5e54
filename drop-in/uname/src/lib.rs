//! uname, for systems without a call of that name.
//!
//! This package replaces uname through `[patch.crates-io]`. The published crate does not compile for WASI. sentry uses
//! it for the system's name and version.

use std::io;

/// Information about the system.
#[derive(Debug)]
#[non_exhaustive]
pub struct Info {
    /// The system. *On WASI* `wasi`.
    pub sysname: String,
    /// The machine's name. *On WASI* the environment variable `HOSTNAME`, or `localhost` without one.
    pub nodename: String,
    /// The system's release. *On WASI* empty, because a guest cannot find out.
    pub release: String,
    /// The system's version. *On WASI* empty.
    pub version: String,
    /// The kind of machine. *On WASI* `wasm32`.
    pub machine: String,
}

impl Info {
    /// Returns the same as [`uname`].
    ///
    /// # Errors
    ///
    /// Never fails.
    pub fn new() -> io::Result<Info> {
        uname()
    }
}

/// Returns information about the system.
///
/// # Errors
///
/// Never fails.
#[cfg(not(target_os = "wasi"))]
pub fn uname() -> io::Result<Info> {
    let of = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    Ok(Info {
        sysname: text(of.sysname()),
        nodename: text(of.nodename()),
        release: text(of.release()),
        version: text(of.version()),
        machine: text(of.machine()),
    })
}

/// Returns the information about the guest's system.
///
/// # Errors
///
/// Never fails.
#[cfg(target_os = "wasi")]
pub fn uname() -> io::Result<Info> {
    let named = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
    Ok(Info {
        sysname: "wasi".to_owned(),
        nodename: named.unwrap_or_else(|| "localhost".to_owned()),
        release: String::new(),
        version: String::new(),
        machine: std::env::consts::ARCH.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_has_a_name() {
        let info = Info::new().unwrap();
        assert!(!info.sysname.is_empty() && !info.nodename.is_empty() && !info.machine.is_empty());
        #[cfg(target_os = "wasi")]
        assert_eq!((info.sysname.as_str(), info.machine.as_str()), ("wasi", "wasm32"));
    }
}
