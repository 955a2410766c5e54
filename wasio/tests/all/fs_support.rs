//! Provides a directory of its own for each test.
#![allow(dead_code, unreachable_pub)] // Each test file uses some of it.

use std::path::{Path, PathBuf};

/// A new empty directory, removed when dropped.
pub struct TempDir(PathBuf);

impl TempDir {
    /// `name` is that of the test, so that no two directories are the same.
    pub fn new(name: &str) -> TempDir {
        // A guest sees only its current directory, and knows it as `.`.
        let parent = if cfg!(target_family = "wasm") { "." } else { env!("CARGO_TARGET_TMPDIR") };
        let path = Path::new(parent).join(format!("wasio-test-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the current directory can be written");
        TempDir(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
