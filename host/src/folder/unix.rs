//! Folders where files have owners and modes.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::{Entry, random_name, refused};

/// The flag for opening a folder that is only traversed and need not be readable.
#[cfg(any(target_os = "linux", target_os = "android"))]
const THROUGH: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const THROUGH: OFlags = OFlags::RDONLY;

/// The maximum number of links to follow, the same as on Linux.
const MAX_LINKS: u32 = 40;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    /// The mode of new files, before the process's mask is applied.
    mode: Mode,
}

impl Folder {
    pub(super) fn private(path: &Path) -> io::Result<Folder> {
        let rule = Private { user: rustix::process::geteuid().as_raw() };
        Ok(Folder { fd: walk(path, &rule)?, mode: Mode::RUSR | Mode::WUSR })
    }

    pub(super) fn outside(path: &Path, granted: &[PathBuf]) -> io::Result<Folder> {
        let granted = granted.iter().filter_map(|path| path.metadata().ok());
        let rule = Outside { granted: granted.map(|found| id(&found)).collect() };
        let everybody = Mode::from_raw_mode(0o666);
        Ok(Folder { fd: walk(path, &rule)?, mode: everybody })
    }

    pub(super) fn read(&self, name: &str, most: u64) -> io::Result<Vec<u8>> {
        let (file, len) = self.open_short(name, most)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(usize::try_from(len).map_err(io::Error::other)?)?;
        file.take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn open_used(&self, name: &str, most: u64) -> io::Result<(File, u64)> {
        let (file, len) = self.open_short(name, most)?;
        // On a read-only file system, no file is removed for its age either.
        let _ = file.set_modified(SystemTime::now());
        Ok((file, len))
    }

    fn open_short(&self, name: &str, most: u64) -> io::Result<(File, u64)> {
        let (file, found) = self.open(name)?;
        if found.len() > most {
            return Err(refused(format_args!("{name} is longer than {most} bytes")));
        }
        Ok((file, found.len()))
    }

    /// Opens a regular file that belongs to the user. Does not block if the name is something else.
    fn open(&self, name: &str) -> io::Result<(File, Metadata)> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.fd, name, flags, Mode::empty())?);
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(refused(format_args!("{name} is not a regular file")));
        }
        not_others(Path::new(name), &found, rustix::process::geteuid().as_raw())?;
        // Others may be able to write at the other name.
        if found.nlink() != 1 {
            return Err(refused(format_args!("{name} has another name, as a hard link")));
        }
        Ok((file, found))
    }

    pub(super) fn replace(&self, name: &OsStr, parts: &[&[u8]]) -> io::Result<()> {
        let temporary = random_name()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.fd, &temporary, flags, self.mode)?);
        let written = parts.iter().try_for_each(|part| file.write_all(part));
        let renamed =
            written.and_then(|()| Ok(rustix::fs::renameat(&self.fd, &temporary, &self.fd, name)?));
        if renamed.is_err() {
            let _ = rustix::fs::unlinkat(&self.fd, &temporary, AtFlags::empty());
        }
        renamed
    }

    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let listed = Dir::new(rustix::fs::openat(&self.fd, ".", flags, Mode::empty())?)?;
        let mut entries = Vec::new();
        for entry in listed {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if let Ok((_, found)) = self.open(name) {
                let (name, used) = (name.to_owned(), found.modified()?);
                entries.push(Entry { name, len: found.len(), used });
            }
        }
        Ok(entries)
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }
}

/// The rules for a walk to a folder.
trait Rule {
    /// Whether missing folders are created.
    const MAKES: bool;
    /// Whether the last part of the path may be a link.
    const FOLLOWS_LAST: bool;

    fn folder(&self, path: &Path, found: &Metadata, is_last: bool) -> io::Result<()>;

    /// Checks a link with this owner, in the folder `at`.
    fn link(&self, path: &Path, owner: u32, at: &OwnedFd) -> io::Result<()>;
}

/// Only the user and root can change where the path leads.
struct Private {
    user: u32,
}

impl Rule for Private {
    const MAKES: bool = true;
    const FOLLOWS_LAST: bool = false;

    fn folder(&self, path: &Path, found: &Metadata, is_last: bool) -> io::Result<()> {
        if is_last {
            return not_others(path, found, self.user);
        }
        self.link_or_folder(path, found.uid())?;
        let mode = found.mode();
        // On systems where each user has their own group, the group's number is the user's.
        let group = mode & GROUP_WRITES != 0 && found.gid() != self.user;
        if mode & STICKY == 0 && (group || mode & OTHERS_WRITE != 0) {
            return Err(writable(path, mode));
        }
        Ok(())
    }

    fn link(&self, path: &Path, owner: u32, _at: &OwnedFd) -> io::Result<()> {
        self.link_or_folder(path, owner)
    }
}

impl Private {
    fn link_or_folder(&self, path: &Path, owner: u32) -> io::Result<()> {
        if owner != 0 && owner != self.user { Err(foreign(path, owner)) } else { Ok(()) }
    }
}

/// Nothing inside these folders can change where the path leads.
struct Outside {
    granted: Vec<(u64, u64)>,
}

impl Rule for Outside {
    const MAKES: bool = false;
    const FOLLOWS_LAST: bool = true;

    fn folder(&self, _path: &Path, _found: &Metadata, _is_last: bool) -> io::Result<()> {
        Ok(())
    }

    fn link(&self, path: &Path, _owner: u32, at: &OwnedFd) -> io::Result<()> {
        let mut above = File::from(at.try_clone()?);
        let mut here = id(&above.metadata()?);
        loop {
            if self.granted.contains(&here) {
                let path = path.display();
                return Err(refused(format_args!(
                    "{path} is a link in a folder that the guest can write to"
                )));
            }
            above = File::from(through(&OwnedFd::from(above), OsStr::new(".."))?);
            let next = id(&above.metadata()?);
            if next == here {
                return Ok(());
            }
            here = next;
        }
    }
}

/// Checks that a file or folder belongs to the user and that no other user can write to it.
fn not_others(path: &Path, found: &Metadata, user: u32) -> io::Result<()> {
    if found.uid() != user {
        return Err(foreign(path, found.uid()));
    }
    let mode = found.mode();
    if mode & (GROUP_WRITES | OTHERS_WRITE) != 0 { Err(writable(path, mode)) } else { Ok(()) }
}

fn foreign(path: &Path, owner: u32) -> io::Error {
    refused(format_args!("{} belongs to another user, number {owner}", path.display()))
}

fn writable(path: &Path, mode: u32) -> io::Error {
    let (path, mode) = (path.display(), mode & 0o7777);
    refused(format_args!("{path} can be written by others: its mode is {mode:o}, try `chmod go-w`"))
}

fn id(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// Opens a folder, or fails if it is a link.
fn through(at: &OwnedFd, name: &OsStr) -> rustix::io::Result<OwnedFd> {
    let flags = THROUGH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::empty())
}

/// Reads the metadata of a folder.
fn look(folder: OwnedFd) -> io::Result<(OwnedFd, Metadata)> {
    let file = File::from(folder);
    let found = file.metadata()?;
    Ok((file.into(), found))
}

/// Walks to a folder step by step, so that each step starts from the folder that was checked.
fn walk<R: Rule>(path: &Path, rule: &R) -> io::Result<OwnedFd> {
    let top =
        || rustix::fs::open("/", THROUGH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let mut at = top()?;
    let mut here = PathBuf::from("/");
    let mut left: Vec<OsString> = Vec::new();
    push(&mut left, path);
    let found;
    (at, found) = look(at)?;
    rule.folder(&here, &found, left.is_empty())?;
    let (mut links, mut made) = (0, false);
    while let Some(part) = left.pop() {
        let next = here.join(&part);
        match through(&at, &part) {
            Ok(folder) => {
                let found;
                (at, found) = look(folder)?;
                rule.folder(&next, &found, left.is_empty())?;
                here = if part == ".." { here.parent().unwrap_or(&here).to_owned() } else { next };
                made = false;
            }
            Err(Errno::NOENT) if R::MAKES && !made => {
                match rustix::fs::mkdirat(&at, &part, Mode::RWXU) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                made = true;
                left.push(part);
            }
            Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                let Ok(target) = rustix::fs::readlinkat(&at, &part, Vec::new()) else {
                    return Err(Errno::NOTDIR.into());
                };
                if left.is_empty() && !R::FOLLOWS_LAST {
                    return Err(refused(format_args!("{} is a link", next.display())));
                }
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::LOOP.into());
                }
                let found = rustix::fs::statat(&at, &part, AtFlags::SYMLINK_NOFOLLOW)?;
                rule.link(&next, found.st_uid, &at)?;
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                if target.is_absolute() {
                    (at, here) = (top()?, PathBuf::from("/"));
                }
                push(&mut left, &target);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(at)
}

/// Pushes the parts of a path in reverse, so that the first part is popped first.
fn push(left: &mut Vec<OsString>, path: &Path) {
    for part in path.components().rev() {
        if let Component::Normal(_) | Component::ParentDir = part {
            left.push(part.as_os_str().to_owned());
        }
    }
}
