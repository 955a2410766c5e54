//! A component's files: wasmtime-wasi's `wasi:filesystem`, on threads for files (`wasi.rs`).
//!
//! The streams of files are wasmtime-wasi's, too: each operation moves the stream to a thread and back.

use wasmtime::component::{HasData, Linker, Resource, WasmList};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, Host, HostDescriptor, HostDirectoryEntryStream,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, FsError, FsResult, InputStream, OutputStream, Pollable,
    StreamError, StreamResult,
};
use wasmtime_wasi_io::bytes::Bytes;

use crate::fuel::burn;
use crate::opening;
use crate::p2::state::{Ctx, State, Store};
use crate::pool::{Client, Running};
use crate::wasi::{Wasi, at_once};

/// The number of bytes that are read ahead when a stream is only waited for, and the maximum of one read or write.
const PIECE: usize = 1 << 16;

/// Replaces the functions of `linker` with these.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    types::add_to_linker::<State, Files>(linker, |state| FilesView(&mut state.wasi))?;
    linker.instance("wasi:filesystem/types@0.2.12")?.func_wrap_async(
        "[method]descriptor.write",
        |store: Store<'_>, (fd, bytes, offset): (Resource<Descriptor>, WasmList<u8>, Filesize)| {
            Box::new(write(store, fd, bytes, offset))
        },
    )
}

/// Writes any number of bytes, in pieces: the host keeps at most one, and other tasks run in between. If an error
/// occurs, the bytes written before it are reported first.
async fn write(
    mut store: Store<'_>,
    fd: Resource<Descriptor>,
    bytes: WasmList<u8>,
    offset: Filesize,
) -> wasmtime::Result<(Result<Filesize, ErrorCode>,)> {
    let mut done = 0;
    loop {
        let left = &bytes.as_le_slice(&store)[done..];
        let piece = left[..left.len().min(PIECE)].to_vec();
        let (len, at) = (piece.len(), offset.saturating_add(done as Filesize));
        let mut files = FilesView(&mut store.data_mut().wasi);
        let written = match files.write(Resource::new_borrow(fd.rep()), piece, at).await {
            Ok(written) => written as usize,
            Err(error) => match files.convert_error_code(error)? {
                _ if done > 0 => break,
                code => return Ok((Err(code),)),
            },
        };
        burn(&mut store, written)?;
        done += written;
        if written < len || done == bytes.len() {
            break;
        }
    }
    Ok((Ok(done as Filesize),))
}

struct Files;

impl HasData for Files {
    type Data<'a> = FilesView<'a>;
}

pub(crate) struct FilesView<'a>(pub(crate) &'a mut Wasi<Ctx>);

/// Converts a result for the component.
pub(crate) fn outcome<T>(
    files: &mut FilesView<'_>,
    result: FsResult<T>,
) -> wasmtime::Result<Result<T, ErrorCode>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(files.convert_error_code(error)?)),
    }
}

impl Host for FilesView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.0.filesystem().convert_error_code(error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.0.filesystem().filesystem_error_code(error)
    }
}

/// Returns the outcome of an operation that blocks where it is called.
fn done<T>(operation: impl Future<Output = FsResult<T>>) -> FsResult<T> {
    at_once(operation).unwrap_or_else(|error| Err(FsError::trap(error)))
}

/// Defines methods of wasmtime-wasi that are called on a thread for files.
macro_rules! on_thread {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $returned:ty;)*) => {
        $(async fn $name(&mut self, fd: Resource<Descriptor>, $($arg: $ty),*) -> $returned {
            let called = self.0.on_thread(move |ctx| {
                done(HostDescriptor::$name(&mut ctx.filesystem(), fd, $($arg),*))
            });
            called.await
        })*
    };
}

impl HostDescriptor for FilesView<'_> {
    on_thread! {
        advise(offset: Filesize, len: Filesize, advice: Advice) -> FsResult<()>;
        sync_data() -> FsResult<()>;
        get_flags() -> FsResult<DescriptorFlags>;
        get_type() -> FsResult<DescriptorType>;
        read(len: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)>;
        write(bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize>;
        set_size(size: Filesize) -> FsResult<()>;
        set_times(accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()>;
        read_directory() -> FsResult<Resource<DirectoryEntryStream>>;
        sync() -> FsResult<()>;
        create_directory_at(path: String) -> FsResult<()>;
        stat() -> FsResult<DescriptorStat>;
        stat_at(flags: PathFlags, path: String) -> FsResult<DescriptorStat>;
        set_times_at(flags: PathFlags, path: String, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()>;
        link_at(flags: PathFlags, old: String, to: Resource<Descriptor>, new: String) -> FsResult<()>;
        readlink_at(path: String) -> FsResult<String>;
        remove_directory_at(path: String) -> FsResult<()>;
        rename_at(old: String, to: Resource<Descriptor>, new: String) -> FsResult<()>;
        symlink_at(old: String, new: String) -> FsResult<()>;
        unlink_file_at(path: String) -> FsResult<()>;
        metadata_hash() -> FsResult<MetadataHashValue>;
        metadata_hash_at(flags: PathFlags, path: String) -> FsResult<MetadataHashValue>;
    }

    async fn is_same_object(
        &mut self,
        fd: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        let compared = self.0.on_thread(move |ctx| {
            at_once(HostDescriptor::is_same_object(&mut ctx.filesystem(), fd, other))?
        });
        compared.await
    }

    /// Does not open FIFOs: opening one would wait for its other end, and wasmtime-wasi could neither read nor write
    /// it. wasmtime-wasi reports the type of a FIFO as unknown. A FIFO may still appear after the check: see
    /// `opening.rs`.
    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let rep = fd.rep();
        // There is no error code for too many open files.
        let permit = self.0.permit().ok_or(ErrorCode::InsufficientMemory)?;
        let opened = self.0.on_thread(move |ctx| {
            let attempt = || {
                let (mut files, looked_at) = (ctx.filesystem(), Resource::new_borrow(rep));
                let stat = HostDescriptor::stat_at(&mut files, looked_at, path_flags, path.clone());
                if matches!(done(stat), Ok(stat) if matches!(stat.type_, DescriptorType::Unknown | DescriptorType::Fifo))
                {
                    return Err(ErrorCode::Unsupported.into());
                }
                let (fd, path) = (Resource::new_borrow(rep), path.clone());
                done(HostDescriptor::open_at(&mut files, fd, path_flags, path, open_flags, flags))
            };
            opening::retried(attempt, |opened| {
                let error = opened.as_ref().err().and_then(FsError::downcast_ref);
                matches!(error, Some(ErrorCode::Interrupted))
            })
        });
        let opened = opened.await;
        if opened.is_ok() {
            self.0.keep(permit);
        }
        opened
    }

    fn read_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynInputStream>> {
        let threads = self.0.threads.files.clone();
        let mut files = self.0.filesystem();
        let stream = files.read_via_stream(fd, offset)?;
        let slot = files.table.get_mut(&stream)?;
        let inner = std::mem::replace(slot, Box::new(wasmtime_wasi::p2::pipe::ClosedInputStream));
        *slot = Box::new(Reader { threads, state: Reading::Idle(inner) });
        Ok(stream)
    }

    fn write_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.0.filesystem().write_via_stream(fd, offset)?;
        self.writer(stream)
    }

    fn append_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.0.filesystem().append_via_stream(fd)?;
        self.writer(stream)
    }

    /// Closing a deleted file may take long, so it is not awaited.
    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        let descriptor = self.0.filesystem().table.delete(fd)?;
        self.0.closed();
        self.0.threads.files.begin(move || drop(descriptor));
        Ok(())
    }
}

impl FilesView<'_> {
    fn writer(&mut self, stream: Resource<DynOutputStream>) -> FsResult<Resource<DynOutputStream>> {
        let threads = self.0.threads.files.clone();
        let slot = self.0.filesystem().table.get_mut(&stream)?;
        let inner = std::mem::replace(slot, Box::new(wasmtime_wasi::p2::pipe::ClosedOutputStream));
        *slot = Box::new(Writer { threads, state: Writing::Idle(inner) });
        Ok(stream)
    }
}

impl HostDirectoryEntryStream for FilesView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.0.filesystem().read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.0.filesystem(), stream)
    }
}

/// A stream that reads a file.
struct Reader {
    threads: Client,
    state: Reading,
}

enum Reading {
    Idle(DynInputStream),
    Under(Running<(DynInputStream, StreamResult<Bytes>)>),
    Here(DynInputStream, StreamResult<Bytes>),
    Over,
}

impl Reader {
    fn start(&mut self, size: usize) {
        self.state = match std::mem::replace(&mut self.state, Reading::Over) {
            Reading::Idle(mut inner) => Reading::Under(self.threads.run(move || {
                let read = at_once(inner.blocking_read(size.min(PIECE)));
                (inner, read.unwrap_or_else(|e| Err(StreamError::Trap(e))))
            })),
            state => state,
        };
    }

    async fn here(&mut self) {
        if let Reading::Under(running) = &mut self.state {
            let (inner, read) = running.await;
            self.state = Reading::Here(inner, read);
        }
    }
}

#[async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        self.start(PIECE);
        self.here().await;
    }
}

#[async_trait]
impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match std::mem::replace(&mut self.state, Reading::Over) {
            Reading::Here(inner, Ok(mut bytes)) => {
                let read = bytes.split_to(size.min(bytes.len()));
                self.state = match bytes.is_empty() {
                    true => Reading::Idle(inner),
                    false => Reading::Here(inner, Ok(bytes)),
                };
                Ok(read)
            }
            Reading::Here(_, Err(error)) => Err(error),
            Reading::Over => Err(StreamError::Closed),
            state => {
                self.state = state;
                if size > 0 {
                    self.start(size);
                }
                Ok(Bytes::new())
            }
        }
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size > 0 {
            self.start(size);
        }
        self.here().await;
        self.read(size)
    }

    async fn cancel(&mut self) {
        self.state = Reading::Over;
    }
}

/// A stream that writes a file.
struct Writer {
    threads: Client,
    state: Writing,
}

enum Writing {
    Idle(DynOutputStream),
    Under(Running<(DynOutputStream, StreamResult<()>)>),
    Failed(StreamError),
    Over,
}

impl Writer {
    fn start(&mut self, bytes: Bytes) -> StreamResult<()> {
        match std::mem::replace(&mut self.state, Writing::Over) {
            Writing::Idle(mut inner) => {
                self.state = Writing::Under(self.threads.run(move || {
                    let written = at_once(inner.blocking_write_and_flush(bytes));
                    (inner, written.unwrap_or_else(|e| Err(StreamError::Trap(e))))
                }));
                Ok(())
            }
            Writing::Failed(error) => Err(error),
            Writing::Over => Err(StreamError::Closed),
            Writing::Under(running) => {
                self.state = Writing::Under(running);
                Err(StreamError::trap("write not permitted: check_write not called first"))
            }
        }
    }
}

#[async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {
        if let Writing::Under(running) = &mut self.state {
            self.state = match running.await {
                (inner, Ok(())) => Writing::Idle(inner),
                (_, Err(error)) => Writing::Failed(error),
            };
        }
    }
}

#[async_trait]
impl OutputStream for Writer {
    fn check_write(&mut self) -> StreamResult<usize> {
        match std::mem::replace(&mut self.state, Writing::Over) {
            Writing::Failed(error) => Err(error),
            Writing::Over => Err(StreamError::Closed),
            state => {
                let room = if matches!(state, Writing::Idle(_)) { PIECE } else { 0 };
                self.state = state;
                Ok(room)
            }
        }
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > PIECE {
            return Err(StreamError::trap("more was written than check_write allowed"));
        }
        self.start(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        // The write in progress is the only data that is buffered.
        match self.check_write() {
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.ready().await;
        self.start(bytes)?;
        self.ready().await;
        self.check_write().map(drop)
    }

    /// Completes a write that has begun: the guest has been told that it succeeded.
    async fn cancel(&mut self) {
        self.ready().await;
    }
}
