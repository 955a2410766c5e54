//! `HOST[::GUEST]`: directories to grant, as named on the command line or in a variable.
//!
//! A grant is exactly the directory that was named. Text that could mean two directories is an error.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// The separator between the folder's name and the guest's name of it.
pub(crate) const GUEST: &[u8] = b"::";

/// Returns the folder, and its name in the guest. The last `::` separates them.
pub(crate) fn parse(text: &OsStr) -> Result<(PathBuf, String)> {
    let bytes = text.as_encoded_bytes();
    let Some(at) = bytes.windows(GUEST.len()).rposition(|pair| pair == GUEST) else {
        if text.is_empty() {
            bail!("the name of a folder to grant is empty");
        }
        let guest = text.to_str().with_context(|| {
            format!("the folder {text:?} needs a name in UTF-8 for the guest: HOST::GUEST")
        })?;
        return Ok((text.into(), guest.to_owned()));
    };
    let (host, guest) = (part(text, 0, at)?, part(text, at + GUEST.len(), bytes.len())?);
    if host.is_empty() || guest.is_empty() {
        bail!("{text:?} is not HOST::GUEST: one of the names is empty");
    }
    if Path::new(text).is_dir() {
        bail!(
            "{text:?} is a folder, and it could also mean the folder {host:?} under the name {guest:?}: append \
             `::` and the guest's name for it, or write a `/` before the last `::`"
        );
    }
    let guest = guest.to_str().with_context(|| {
        format!("the guest's name {guest:?} of the folder {host:?} is not UTF-8")
    })?;
    Ok((host.into(), guest.to_owned()))
}

/// Returns a part of a text. `from` and `to` are the positions of ASCII bytes, or the ends of the text.
#[cfg(unix)]
pub(crate) fn part(text: &OsStr, from: usize, to: usize) -> Result<OsString> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(OsStr::from_bytes(&text.as_bytes()[from..to]).to_owned())
}

/// Returns a part of a text. `from` and `to` are the positions of ASCII bytes, or the ends of the text.
#[cfg(not(unix))]
pub(crate) fn part(text: &OsStr, from: usize, to: usize) -> Result<OsString> {
    let text = text.to_str().with_context(|| format!("{text:?} is not Unicode"))?;
    Ok(text[from..to].into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(PathBuf, String)> {
        parse(text.as_ref()).ok()
    }

    #[test]
    fn a_folder_is_what_was_named() {
        let dir = |host: &str, guest: &str| Some((PathBuf::from(host), guest.to_owned()));
        assert_eq!(parsed("x,/etc"), dir("x,/etc", "x,/etc"));
        assert_eq!(parsed("x::/y"), dir("x", "/y"));
        assert_eq!(parsed("a::b::/y"), dir("a::b", "/y"));
        assert_eq!(parsed("a:b"), dir("a:b", "a:b"));
        assert_eq!(parsed("a:::b"), dir("a:", "b"));
        assert_eq!([parsed(""), parsed("::y"), parsed("x::")], [None, None, None]);
    }
}
