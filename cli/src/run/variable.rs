//! `WASIO_DIR`: several directories in one variable.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::{Result, bail};

use crate::dirs::{GUEST, part};

/// The separator of folders, as in `PATH`.
const SEPARATOR: u8 = if cfg!(windows) { b';' } else { b':' };

/// Splits a variable into folders, each for [`parse`](crate::dirs::parse).
pub(crate) fn split(list: &OsStr) -> Result<Vec<OsString>> {
    let bytes = list.as_encoded_bytes();
    let mut ends = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let colons = bytes[at..].iter().take_while(|byte| **byte == b':').count();
        if SEPARATOR == b':' && colons > GUEST.len() {
            bail!("{list:?} has more than two colons in a row: use --dir");
        }
        if bytes[at] == SEPARATOR && colons < GUEST.len() {
            ends.push(at);
        }
        at += colons.max(1);
    }
    ends.push(bytes.len());
    let starts: Vec<usize> = std::iter::once(0).chain(ends.iter().map(|end| end + 1)).collect();
    let mut found = Vec::new();
    for (i, end) in ends.iter().enumerate() {
        for start in &starts[..i] {
            let whole = part(list, *start, *end)?;
            if Path::new(&whole).is_dir() {
                let separator = char::from(SEPARATOR);
                bail!(
                    "{whole:?} is a folder, and `{separator}` separates folders in a variable: use --dir"
                );
            }
        }
        found.push(part(list, starts[i], *end)?);
    }
    Ok(found)
}

#[cfg(all(test, not(windows)))]
mod tests {
    use super::*;

    fn listed(text: &str) -> Option<Vec<OsString>> {
        split(text.as_ref()).ok()
    }

    #[test]
    fn a_variable_has_several() {
        let all = |all: &[&str]| Some(all.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(listed("a"), all(&["a"]));
        assert_eq!(listed("x,/etc"), all(&["x,/etc"]));
        assert_eq!(listed("/a:/b::/y:c d"), all(&["/a", "/b::/y", "c d"]));
        assert_eq!(listed("a:::b"), None);
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("x:y");
        std::fs::create_dir(&odd).unwrap();
        assert_eq!(listed(odd.to_str().unwrap()), None);
        assert_eq!(listed(&format!("a:{}:b", odd.display())), None);
    }
}
