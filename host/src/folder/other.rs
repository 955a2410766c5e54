//! Folders on systems where access lists define their owners.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Entry, random_name, refused};

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn private(path: &Path) -> io::Result<Folder> {
        fs::create_dir_all(path)?;
        if path.symlink_metadata()?.is_symlink() {
            return Err(refused(format_args!("{} is a link", path.display())));
        }
        Ok(Folder { path: path.to_owned() })
    }

    /// On these systems a guest needs a privilege to create links that ordinary users lack.
    pub(super) fn outside(path: &Path, _granted: &[PathBuf]) -> io::Result<Folder> {
        Ok(Folder { path: path.canonicalize()? })
    }

    pub(super) fn read(&self, name: &str, most: u64) -> io::Result<Vec<u8>> {
        let (file, len) = self.open(name, most, false)?;
        let mut bytes = Vec::new();
        file.take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn open_used(&self, name: &str, most: u64) -> io::Result<(File, u64)> {
        let (file, len) = self.open(name, most, true)?;
        let _ = file.set_modified(SystemTime::now());
        Ok((file, len))
    }

    fn open(&self, name: &str, most: u64, is_use: bool) -> io::Result<(File, u64)> {
        let path = self.path.join(name);
        let found = path.symlink_metadata()?;
        if !found.is_file() || found.len() > most {
            return Err(refused(format_args!("{name} is not a regular file, or too long")));
        }
        Ok((File::options().read(true).write(is_use).open(path)?, found.len()))
    }

    pub(super) fn replace(&self, name: &OsStr, parts: &[&[u8]]) -> io::Result<()> {
        let temporary = self.path.join(random_name()?);
        let mut file = File::create_new(&temporary)?;
        let written = parts.iter().try_for_each(|part| file.write_all(part));
        drop(file);
        let renamed = written.and_then(|()| fs::rename(&temporary, self.path.join(name)));
        if renamed.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        renamed
    }

    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let found = entry.metadata()?;
            if let (true, Ok(name)) = (found.is_file(), entry.file_name().into_string()) {
                entries.push(Entry { name, len: found.len(), used: found.modified()? });
            }
        }
        Ok(entries)
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }
}
