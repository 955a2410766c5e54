//! `read-directory`, a piece at a time. wasmtime-wasi would keep all entries of a directory for each stream.
//!
//! A stream has a descriptor of its own, so it holds a permit like an open file.

use std::fs::File;
use std::io;
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, DirEntry, FileType, statat};
use rustix::io::Errno;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, ErrorCode};
use wasmtime_wasi::p2::{FsError, FsResult};

use crate::opening::entries;
use crate::p2::filesystem::{FilesView, outcome};
use crate::p2::state::{Ctx, State, Store};
use crate::permits::Permit;

/// The maximum number of entries that a stream keeps.
const PIECE: usize = 64;

/// A directory that is being read.
struct Entries {
    dir: Dir,
    /// Used to look up the types of entries if the directory does not store them.
    file: Arc<File>,
    /// The next entries, in reverse.
    read: Vec<FsResult<DirectoryEntry>>,
    _permit: Permit,
}

/// Replaces the functions of `linker` with these.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    types.resource(
        "directory-entry-stream",
        ResourceType::host::<Entries>(),
        |mut store: Store<'_>, rep| {
            let entries = Resource::<Entries>::new_own(rep);
            store.data_mut().wasi.table.delete(entries)?;
            Ok(())
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.read-directory",
        |mut store: Store<'_>, (fd,): (Resource<Descriptor>,)| {
            Box::new(async move {
                let wasi = &mut store.data_mut().wasi;
                let opened = match wasi.permit() {
                    Some(permit) => wasi.on_thread(move |ctx| open(ctx, &fd, permit)).await,
                    // There is no error code for too many open files.
                    None => Err(ErrorCode::InsufficientMemory.into()),
                };
                Ok((outcome(&mut FilesView(wasi), opened)?,))
            })
        },
    )?;
    types.func_wrap_async(
        "[method]directory-entry-stream.read-directory-entry",
        |mut store: Store<'_>, (entries,): (Resource<Entries>,)| {
            Box::new(async move {
                let wasi = &mut store.data_mut().wasi;
                let next = match wasi.table.get_mut(&entries)?.read.pop() {
                    Some(next) => next.map(Some),
                    None => wasi.on_thread(move |ctx| next(ctx, &entries)).await,
                };
                Ok((outcome(&mut FilesView(wasi), next)?,))
            })
        },
    )
}

fn open(ctx: &mut Ctx, fd: &Resource<Descriptor>, permit: Permit) -> FsResult<Resource<Entries>> {
    let Descriptor::Dir(found) = ctx.table.get(fd)? else {
        return Err(ErrorCode::NotDirectory.into());
    };
    let file = found.dir.clone();
    let dir = entries(&file)?;
    let entries = Entries { dir, file, read: Vec::new(), _permit: permit };
    Ok(ctx.table.push(entries)?)
}

/// Reads a piece, and takes its first entry.
fn next(ctx: &mut Ctx, entries: &Resource<Entries>) -> FsResult<Option<DirectoryEntry>> {
    let Entries { dir, file, read, .. } = ctx.table.get_mut(entries)?;
    while read.len() < PIECE
        && let Some(entry) = dir.read()
    {
        match entry.map_err(io::Error::from).map_err(FsError::from) {
            Ok(entry) if [c".", c".."].contains(&entry.file_name()) => {}
            Ok(entry) => read.extend(described(file, &entry).transpose()),
            Err(error) => {
                read.push(Err(error));
                break;
            }
        }
    }
    read.reverse();
    read.pop().transpose()
}

/// Returns the entry as a component sees it, if it still exists.
fn described(dir: &File, entry: &DirEntry) -> FsResult<Option<DirectoryEntry>> {
    let name = entry.file_name();
    let file_type = match entry.file_type() {
        FileType::Unknown => match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => FileType::from_raw_mode(stat.st_mode),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(io::Error::from(error).into()),
        },
        known => known,
    };
    let name = name.to_str().map_err(|_| ErrorCode::IllegalByteSequence)?;
    Ok(Some(DirectoryEntry { type_: type_of(file_type), name: name.to_owned() }))
}

fn type_of(file_type: FileType) -> DescriptorType {
    match file_type {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::Fifo => DescriptorType::Fifo,
        FileType::Socket => DescriptorType::Socket,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        FileType::Unknown => DescriptorType::Unknown,
    }
}
