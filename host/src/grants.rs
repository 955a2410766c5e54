//! Refuses grants that cannot be given to a guest exactly as they were named, so that a guest is never given anything
//! else.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::code_folders::CodeFolders;
use crate::error::Error;

const NUL: &str = "it contains a NUL character";

/// Refuses folders whose files become code, and names that stand for two folders.
pub(crate) fn check_dirs(
    dirs: &[(PathBuf, String)],
    code_folders: &CodeFolders,
) -> Result<(), Error> {
    let mut names = HashMap::new();
    for (path, name) in dirs {
        let refused = |reason| Err(Error::Grant { path: path.clone(), reason });
        if let Some(own) = code_folders.overlapping(path) {
            return refused(format!(
                "it overlaps {}, whose files wasio runs or builds. Grant another folder, or set WASIO_CACHE (for \
                 compiled programs alone WASIO_CACHE_DIR) so that wasio keeps them elsewhere",
                own.display()
            ));
        }
        if name.is_empty() || name.contains('\0') {
            return refused(format!("{name:?} is not a valid name for it in the guest"));
        }
        match names.insert(name, path) {
            Some(other) if other != path => {
                return refused(format!(
                    "{} is also granted under the name {name:?}",
                    other.display()
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn check_args(args: &[String]) -> Result<(), Error> {
    match args.iter().position(|arg| arg.contains('\0')) {
        Some(index) => {
            let what = format!("the argument {:?}, number {index}", args[index]);
            Err(Error::Text { what, reason: NUL })
        }
        None => Ok(()),
    }
}

pub(crate) fn check_env(env: &[(String, String)]) -> Result<(), Error> {
    for (name, value) in env {
        let refused = |reason| Err(Error::Text { what: format!("the variable {name:?}"), reason });
        if name.is_empty() || name.contains('=') {
            return refused("a name must not be empty or contain `=`");
        }
        if name.contains('\0') || value.contains('\0') {
            return refused(NUL);
        }
    }
    Ok(())
}
