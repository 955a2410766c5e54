//! hostname, for systems without a host name.
//!
//! This package replaces hostname through `[patch.crates-io]`. The published crate does not compile for WASI, which has
//! no name for the machine. lettre and other crates depend on it.

#[cfg(feature = "set")]
use std::ffi::OsStr;
use std::ffi::OsString;
use std::{env, io};

/// Returns the value of the environment variable `HOSTNAME`, or `localhost` if it is not set.
///
/// `wasio run --env HOSTNAME` passes on the caller's variable. The behaviour is the same natively.
///
/// # Errors
///
/// Never fails.
pub fn get() -> io::Result<OsString> {
    let named = env::var_os("HOSTNAME").filter(|name| !name.is_empty());
    Ok(named.unwrap_or_else(|| OsString::from("localhost")))
}

/// Fails: a guest cannot rename the machine.
///
/// # Errors
///
/// [`Unsupported`](io::ErrorKind::Unsupported), always.
#[cfg(feature = "set")]
pub fn set<T: AsRef<OsStr>>(hostname: T) -> io::Result<()> {
    let _ = hostname;
    Err(io::Error::new(io::ErrorKind::Unsupported, "a guest cannot rename the machine"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_it() {
        let expected = env::var_os("HOSTNAME").unwrap_or_else(|| "localhost".into());
        assert_eq!(get().unwrap(), expected);
    }

    #[cfg(feature = "set")]
    #[test]
    fn no_machine_is_renamed() {
        assert_eq!(set("other").unwrap_err().kind(), io::ErrorKind::Unsupported);
    }
}
