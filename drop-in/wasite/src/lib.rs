//! wasite over the standard library.
//!
//! This package replaces wasite through `[patch.crates-io]`. The published crate calls WASI 0.2 on wasip1, too, and no
//! host of preview 1 starts a guest that contains it. Every whoami 2 does, and so does every tokio-postgres.

mod terminal;

use std::env;

pub use terminal::{Command, Cursor, Dimensions, Error, Result, State, execute, state};

/// The languages that the user prefers, in their order: the parts of `LANGS`, between colons.
#[derive(Debug)]
#[non_exhaustive]
pub struct Languages(String);

/// Iterators over the languages for one purpose, written as `Purpose=language`.
macro_rules! purposes {
    ($($(#[doc = $what:literal])+ $name:ident: $key:literal;)*) => {$(
        $(#[doc = $what])+
        pub fn $name(&self) -> impl Iterator<Item = &str> {
            self.parts().filter_map(|part| part.strip_prefix(concat!($key, "=")))
        }
    )*};
}

impl Languages {
    fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split(':')
    }

    purposes! {
        /// For the order of words.
        collation: "Collation";
        /// For the classes of characters.
        char_class: "CharClass";
        /// For amounts of money.
        monetary: "Monetary";
        /// For messages.
        message: "Message";
        /// For numbers.
        numeric: "Numeric";
        /// For times and dates.
        time: "Time";
    }

    /// For everything else.
    pub fn other(&self) -> impl Iterator<Item = &str> {
        self.parts().filter(|part| !part.contains('='))
    }
}

/// The user.
#[derive(Debug)]
#[non_exhaustive]
pub struct User {
    /// The value of `USER`, or nothing.
    pub username: String,
    /// The value of `LANGS`.
    pub langs: Languages,
}

/// The machine.
#[derive(Debug)]
#[non_exhaustive]
pub struct Host {
    /// The value of `NAME`, or nothing.
    pub name: String,
    /// The value of `HOSTNAME`, or nothing.
    pub hostname: String,
    /// The value of `TZ`, or nothing.
    pub timezone: String,
}

/// The environment's values. Missing ones are empty.
#[derive(Debug)]
#[non_exhaustive]
pub struct Environment {
    /// The user.
    pub user: User,
    /// The machine.
    pub host: Host,
}

/// The environment's values. Missing ones are empty.
pub fn environment() -> Environment {
    let value = |name: &str| env::var(name).unwrap_or_default();
    Environment {
        user: User { username: value("USER"), langs: Languages(value("LANGS")) },
        host: Host { name: value("NAME"), hostname: value("HOSTNAME"), timezone: value("TZ") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_environment_says() {
        let said = environment();
        assert_eq!(said.user.username, env::var("USER").unwrap_or_default());
        assert_eq!(said.host.hostname, env::var("HOSTNAME").unwrap_or_default());
    }

    #[test]
    fn languages_have_purposes() {
        let languages = Languages("en/GB:Time=de/DE:nl:Time=en/US:Message=fr".to_owned());
        assert_eq!(languages.other().collect::<Vec<_>>(), ["en/GB", "nl"]);
        assert_eq!(languages.time().collect::<Vec<_>>(), ["de/DE", "en/US"]);
        assert_eq!(languages.message().collect::<Vec<_>>(), ["fr"]);
        assert_eq!(languages.monetary().count(), 0);
    }
}
