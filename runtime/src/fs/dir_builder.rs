//! Creating directories with options.

use std::io;
use std::path::Path;

use super::asyncify;
use crate::sys;

/// Creates directories with options.
///
/// The counterpart of [`std::fs::DirBuilder`].
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// wasio::fs::DirBuilder::new().recursive(true).create("a/b/c").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct DirBuilder {
    recursive: bool,
    pub(crate) mode: Option<u32>,
}

impl DirBuilder {
    /// Creates options with which [`create`](Self::create) does what [`create_dir`](super::create_dir) does.
    pub fn new() -> Self {
        DirBuilder::default()
    }

    /// Sets whether missing parent directories are created too. An existing directory is then no error.
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.recursive = recursive;
        self
    }

    /// Creates the directory.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::DirBuilder::create`].
    pub async fn create(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref().to_owned();
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(self.recursive);
        if let Some(mode) = self.mode {
            sys::set_mode(&mut builder, mode);
        }
        asyncify(move || builder.create(path)).await
    }
}
