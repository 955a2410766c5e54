//! The functions of the crate's root with a `Result`. A variable that is not set has a default.

use std::env;
use std::ffi::OsString;
use std::io::{Error, ErrorKind};

use crate::Result;

fn text(name: OsString) -> Result<String> {
    name.into_string().map_err(|_| Error::new(ErrorKind::InvalidData, "not valid unicode"))
}

fn variable(name: &str, otherwise: &str) -> OsString {
    env::var_os(name).filter(|value| !value.is_empty()).unwrap_or_else(|| otherwise.into())
}

macro_rules! variables {
    ($($(#[doc = $what:literal])+ $name:ident, $name_os:ident: $variable:literal, $otherwise:literal;)*) => {$(
        $(#[doc = $what])+
        ///
        /// # Errors
        ///
        /// [`InvalidData`](ErrorKind::InvalidData) if it is not UTF-8.
        pub fn $name() -> Result<String> {
            $name_os().and_then(text)
        }

        $(#[doc = $what])+
        ///
        /// # Errors
        ///
        /// Never fails.
        pub fn $name_os() -> Result<OsString> {
            Ok(variable($variable, $otherwise))
        }
    )*};
}

variables! {
    /// The account's name: `USER`.
    account, account_os: "USER", "anonymous";
    /// The user's name: `USER`.
    username, username_os: "USER", "anonymous";
    /// The user's full name: `USER`, too.
    realname, realname_os: "USER", "Anonymous";
    /// The machine's name, for people: `NAME`.
    devicename, devicename_os: "NAME", "Unknown";
}

/// The machine's name in the network: `HOSTNAME`.
///
/// # Errors
///
/// [`InvalidData`](ErrorKind::InvalidData) if it is not UTF-8.
pub fn hostname() -> Result<String> {
    text(variable("HOSTNAME", "localhost"))
}

/// The system's name.
///
/// # Errors
///
/// Never fails.
pub fn distro() -> Result<String> {
    Ok(if cfg!(target_family = "wasm") {
        "Unknown WASI".to_owned()
    } else {
        format!("Unknown {}", env::consts::OS)
    })
}
