//! The languages that the user prefers.

use std::env;
use std::fmt;
use std::io::{Error, ErrorKind};

use crate::Result;

/// A country.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[repr(u32)]
pub enum Country {
    /// Any language, or no known one.
    Any,
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("**")
    }
}

/// A language, shown as `en` or `en/US`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Language {
    #[doc(hidden)]
    __(Box<String>),
}

impl Language {
    /// The country, if it is known: [`Country::Any`], so far.
    pub fn country(&self) -> Country {
        Country::Any
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Language::__(code) = self;
        f.write_str(code)
    }
}

/// The languages of `LC_ALL` or `LANG`, or of `LANGUAGE` if the former is not `C`.
///
/// # Errors
///
/// [`NotFound`](ErrorKind::NotFound) if the environment does not say.
pub fn langs() -> Result<impl Iterator<Item = Language>> {
    let variable = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    let locale = variable("LC_ALL").or_else(|| variable("LANG"));
    let locale = locale.ok_or_else(|| Error::new(ErrorKind::NotFound, "LANG is not set"))?;
    let all = if locale == "C" { locale } else { variable("LANGUAGE").unwrap_or(locale) };
    Ok(parse(&all).into_iter())
}

fn parse(all: &str) -> Vec<Language> {
    let codes = all.split([';', ':']).filter_map(|locale| locale.split('.').next());
    let named = codes.filter(|code| !code.is_empty() && *code != "C");
    named.map(|code| Language::__(Box::new(code.replace(['_', '-'], "/")))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_languages() {
        let shown = |all| parse(all).iter().map(Language::to_string).collect::<Vec<_>>();
        assert_eq!(shown("de_DE.UTF-8"), ["de/DE"]);
        assert_eq!(shown("nl:en-GB"), ["nl", "en/GB"]);
        assert!(shown("C").is_empty() && shown("C.UTF-8").is_empty());
    }
}
