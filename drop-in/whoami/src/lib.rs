//! whoami 1 over the environment.
//!
//! This package replaces whoami through `[patch.crates-io]`. The published versions below 2 do not compile for wasip2.
//! sqlx 0.8 and older versions of tokio-postgres depend on them for the name of the user, `USER`.
//!
//! The defaults are those of the published version on WASI: the user is `anonymous`, the machine `localhost`. The
//! behaviour is the same natively.

pub mod fallible;
mod kinds;
mod language;

use std::ffi::OsString;
use std::io;

pub use kinds::{Arch, DesktopEnv, Platform, Width};
pub use language::{Country, Language, langs};

/// The result of functions that may fail.
pub type Result<T = (), E = io::Error> = std::result::Result<T, E>;

/// The processor's architecture.
pub fn arch() -> Arch {
    Arch::here()
}

/// The user's name, as for logging in.
pub fn username() -> String {
    fallible::username().unwrap_or_else(|_| "unknown".to_owned())
}

/// Like [`username`].
pub fn username_os() -> OsString {
    fallible::username_os().unwrap_or_else(|_| "unknown".into())
}

/// The user's full name.
pub fn realname() -> String {
    fallible::realname().unwrap_or_else(|_| "Unknown".to_owned())
}

/// Like [`realname`].
pub fn realname_os() -> OsString {
    fallible::realname_os().unwrap_or_else(|_| "Unknown".into())
}

/// The machine's name, for people.
pub fn devicename() -> String {
    fallible::devicename().unwrap_or_else(|_| "LocalHost".to_owned())
}

/// Like [`devicename`].
pub fn devicename_os() -> OsString {
    fallible::devicename_os().unwrap_or_else(|_| "LocalHost".into())
}

/// The machine's name in the network, in small letters.
#[deprecated(note = "use `fallible::hostname()`")]
pub fn hostname() -> String {
    let name = fallible::hostname();
    name.map_or_else(|_| "localhost".to_owned(), |name| name.to_ascii_lowercase())
}

/// The machine's name in the network, in small letters.
#[deprecated(note = "use `fallible::hostname()`")]
pub fn hostname_os() -> OsString {
    #[allow(deprecated)]
    hostname().into()
}

/// The system's name.
pub fn distro() -> String {
    fallible::distro().unwrap_or_else(|_| format!("Unknown {}", platform()))
}

/// The system's name.
#[deprecated(note = "use `distro()`")]
pub fn distro_os() -> OsString {
    distro().into()
}

/// The desktop.
pub fn desktop_env() -> DesktopEnv {
    DesktopEnv::here()
}

/// The kind of system.
pub fn platform() -> Platform {
    Platform::here()
}

/// The languages that the user prefers, as `en-US`.
#[deprecated(note = "use `langs()`")]
pub fn lang() -> impl Iterator<Item = String> {
    let preferred: Vec<String> = match langs() {
        Ok(all) => all.map(|language| language.to_string().replace('/', "-")).collect(),
        Err(_) => vec!["en-US".to_owned()],
    };
    preferred.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_an_answer() {
        let user = std::env::var("USER").unwrap_or_else(|_| "anonymous".to_owned());
        assert_eq!((username(), username_os()), (user.clone(), user.into()));
        assert!(!realname().is_empty() && !devicename().is_empty() && !distro().is_empty());
        assert!(arch().width().is_ok(), "{}", arch());
        #[cfg(target_family = "wasm")]
        assert_eq!((arch(), platform().to_string().as_str()), (Arch::Wasm32, "Unknown: WASI"));
    }
}
