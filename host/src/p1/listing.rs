//! A folder's entries, as `fd_readdir` lists them, from any of them on.
//!
//! wasmtime-wasi reads the whole folder for every call, and its cookies count entries: a guest that removes entries while
//! it lists them misses others. Here a cookie is the position that the file system gives to the next entry, and a call
//! reads no more than it returns, plus one buffer.

use std::fs::File;
use std::io;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, statat};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView as _};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;
use wasmtime_wasi::p2::bindings::filesystem::types::{ErrorCode, HostDescriptor as _, PathFlags};

use crate::opening::entries;
use crate::p1::errno::Errno;
use crate::p1::frame::Frame;
use crate::wasi::at_once;

/// The cookie of a folder's first entry.
const FIRST: i64 = 0;
/// The offsets of the inode and the type in a `filestat`, and its size.
const INODE: usize = 8;
const TYPE: usize = 16;
const FILESTAT: usize = 64;
/// The number of a folder's type.
const FOLDER: u8 = 3;

/// The inode of an entry that the guest has to ask for.
const UNKNOWN: u64 = 0;

/// Returns `room` bytes of the list from `cookie` on, or fewer if they are the last ones. The last entry may be cut off.
pub(super) fn piece(
    ctx: &mut WasiP1Ctx,
    fd: i32,
    room: u32,
    cookie: i64,
) -> wasmtime::Result<Result<Vec<u8>, Errno>> {
    let (folder, inode) = match find(ctx, fd)? {
        Ok(found) => found,
        Err(errno) => return Ok(Err(errno)),
    };
    let file = match ctx.filesystem().table.get(&folder)? {
        Descriptor::Dir(opened) => opened.dir.clone(),
        Descriptor::File(_) => return Ok(Err(Errno::BADF)),
    };
    Ok(list(&file, room as usize, cookie, |name| {
        if [".", ".."].contains(&name) {
            return Some(inode);
        }
        let (folder, flags) = (Resource::new_borrow(folder.rep()), PathFlags::empty());
        match at_once(ctx.filesystem().metadata_hash_at(folder, flags, name.to_owned())) {
            Ok(Ok(hash)) => Some(hash.lower),
            Ok(Err(error)) if matches!(error.downcast_ref(), Some(ErrorCode::NoEntry)) => None,
            _ => Some(UNKNOWN),
        }
    }))
}

/// Returns wasmtime-wasi's resource for the folder `fd`, and its inode as the guest sees it.
///
/// wasmtime-wasi keeps the resource to itself. Any other descriptor of the same folder will do.
fn find(
    ctx: &mut WasiP1Ctx,
    fd: i32,
) -> wasmtime::Result<Result<(Resource<Descriptor>, u64), Errno>> {
    let mut stat = Frame::zeroed(FILESTAT);
    let errno = at_once(wasi::fd_filestat_get(ctx, &mut stat.memory(), fd, 0))??;
    let stat = stat.bytes();
    if errno != 0 {
        return Ok(Err(Errno(errno as u16)));
    }
    if stat[TYPE] != FOLDER {
        return Ok(Err(Errno::BADF));
    }
    let inode = u64::from_le_bytes(*stat[INODE..].first_chunk().unwrap_or(&[0; 8]));
    let mut left = ctx.filesystem().table.iter_mut().count();
    let mut rep = 0;
    while left > 0 {
        let folder = Resource::<Descriptor>::new_borrow(rep);
        rep += 1;
        let mut files = ctx.filesystem();
        let Ok(resource) = files.table.get_any_mut(folder.rep()) else { continue };
        left -= 1;
        if !matches!(resource.downcast_ref(), Some(Descriptor::Dir(_))) {
            continue;
        }
        let hash = at_once(files.metadata_hash(Resource::new_borrow(folder.rep())))?;
        if hash.is_ok_and(|hash| hash.lower == inode) {
            return Ok(Ok((folder, inode)));
        }
    }
    Ok(Err(Errno::BADF))
}

/// Lists `folder`. `inode` returns that of an entry, or `None` if the entry is gone.
fn list(
    folder: &Arc<File>,
    room: usize,
    cookie: i64,
    mut inode: impl FnMut(&str) -> Option<u64>,
) -> Result<Vec<u8>, Errno> {
    let mut dir = entries(folder)?;
    if cookie != FIRST {
        dir.seek(cookie).map_err(io::Error::from)?;
    }
    let mut list = Vec::new();
    while list.len() < room {
        let Some(entry) = dir.read() else { break };
        let entry = entry.map_err(io::Error::from)?;
        let name = entry.file_name().to_str().map_err(|_| Errno::ILSEQ)?;
        let Some(inode) = inode(name) else { continue };
        let file_type = match entry.file_type() {
            FileType::Unknown => statat(&**folder, name, AtFlags::SYMLINK_NOFOLLOW)
                .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
            known => known,
        };
        list.extend_from_slice(&entry.offset().to_le_bytes());
        list.extend_from_slice(&inode.to_le_bytes());
        list.extend_from_slice(&(name.len() as u32).to_le_bytes());
        list.extend_from_slice(&u32::from(number(file_type)).to_le_bytes());
        list.extend_from_slice(name.as_bytes());
    }
    list.truncate(room);
    Ok(list)
}

/// Returns the number of a type. FIFOs have none, and those of sockets tell streams from datagrams.
fn number(file_type: FileType) -> u8 {
    match file_type {
        FileType::BlockDevice => 1,
        FileType::CharacterDevice => 2,
        FileType::Directory => FOLDER,
        FileType::RegularFile => 4,
        FileType::Symlink => 7,
        FileType::Fifo | FileType::Socket | FileType::Unknown => 0,
    }
}
