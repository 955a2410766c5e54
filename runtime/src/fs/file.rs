//! An open file.

use std::fmt;
use std::fs::{File as StdFile, Metadata, Permissions};
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice, Seek, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use super::{FileTimes, OpenOptions, asyncify};
use crate::io::{
    AsyncRead, AsyncSeek, AsyncWrite, Buf, Job, MAX_BUF_SIZE, ReadBuf, run, run_to_end,
};
use crate::sync::Mutex;

/// An open file.
///
/// Reading, writing and seeking are the methods of [`AsyncReadExt`](crate::io::AsyncReadExt),
/// [`AsyncWriteExt`](crate::io::AsyncWriteExt) and [`AsyncSeekExt`](crate::io::AsyncSeekExt).
///
/// A write is accepted before it is done: its error is the result of the next write or of `flush`. **Call
/// [`flush`](crate::io::AsyncWriteExt::flush) before the file is dropped**, or errors go unnoticed, and the
/// file may be closed and complete only some time later. [`sync_all`](Self::sync_all) waits for the disk, too.
///
/// # Cancel safety
///
/// A cancelled read loses nothing: its bytes are kept for the next one. A write is accepted as a whole or not at all.
///
/// # On WASI
///
/// A write is done when it is accepted. Its error comes with the next operation there, too.
///
/// # Examples
///
/// ```
/// use wasio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let path = format!("wasio-doc-file-{}.txt", std::process::id());
/// let mut file = wasio::fs::File::create_new(&path).await?;
/// file.write_all(b"hello, world").await?;
/// file.rewind().await?;
/// let mut text = String::new();
/// file.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello, world");
/// # wasio::fs::remove_file(&path).await?;
/// # Ok(())
/// # }
/// ```
pub struct File {
    // Shared with the operation that is under way.
    pub(crate) std: Arc<StdFile>,
    inner: Mutex<Inner>,
    max_buf_size: usize,
}

/// The state of the file's operations. One operation runs at a time.
struct Inner {
    state: State,
    /// The error of a write that was found by an operation other than a write or a flush.
    write_error: Option<io::ErrorKind>,
    /// The result of the last seek.
    position: u64,
}

enum State {
    /// No operation is running. The buffer has bytes that were read ahead.
    Idle(Buf),
    Busy(Job<(Done, Buf)>),
}

/// The result of an operation.
enum Done {
    Read(io::Result<()>),
    Write(io::Result<()>),
    Seek(io::Result<u64>),
    SetLen(io::Result<()>),
}

impl File {
    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// See [`OpenOptions::open`].
    pub async fn open(path: impl AsRef<Path>) -> io::Result<File> {
        Self::options().read(true).open(path).await
    }

    /// Opens a file for writing. Creates the file, or removes its contents.
    ///
    /// # Errors
    ///
    /// See [`OpenOptions::open`].
    pub async fn create(path: impl AsRef<Path>) -> io::Result<File> {
        Self::options().write(true).create(true).truncate(true).open(path).await
    }

    /// Creates a new file for reading and writing. An existing file is an error.
    ///
    /// # Errors
    ///
    /// See [`OpenOptions::open`]; `AlreadyExists` when it was.
    pub async fn create_new<P: AsRef<Path>>(path: P) -> io::Result<File> {
        Self::options().read(true).write(true).create_new(true).open(path).await
    }

    /// Returns options for opening a file.
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Converts a file of the standard library.
    pub fn from_std(std: StdFile) -> File {
        let state = State::Idle(Buf::default());
        File {
            std: Arc::new(std),
            inner: Mutex::new(Inner { state, write_error: None, position: 0 }),
            max_buf_size: MAX_BUF_SIZE,
        }
    }

    /// Runs `f` with the file, after the running operation has ended.
    async fn run_alone<T: Send + 'static>(
        &self,
        f: impl FnOnce(&StdFile) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let mut inner = self.inner.lock().await;
        inner.settle().await;
        let std = self.std.clone();
        asyncify(move || f(&std)).await
    }

    /// Waits until contents and metadata are on the disk.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::File::sync_all`]. An error of an earlier write is left for the next write or flush.
    pub async fn sync_all(&self) -> io::Result<()> {
        self.run_alone(StdFile::sync_all).await
    }

    /// Waits until the contents are on the disk, and as much metadata as reading them needs.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::File::sync_data`]. An error of an earlier write is left for the next write or flush.
    pub async fn sync_data(&self) -> io::Result<()> {
        self.run_alone(StdFile::sync_data).await
    }

    /// Truncates the file to `size` bytes, or extends it with zeros. The position does not change.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::File::set_len`]. `InvalidInput` if the file is not open for writing.
    pub async fn set_len(&self, size: u64) -> io::Result<()> {
        let mut inner = self.inner.lock().await;
        inner.settle().await;
        let std = self.std.clone();
        let (mut buf, ahead) = inner.take_buf();
        buf.discard();
        // Run as the file's operation, so that nothing overtakes it if this future is dropped.
        inner.state = State::Busy(run(move || {
            let result = step_back(&std, ahead).and_then(|()| std.set_len(size));
            (Done::SetLen(result), buf)
        }));
        match poll_fn(|cx| inner.poll_done(cx)).await? {
            Some(Done::SetLen(result)) => result,
            _ => unreachable!("nothing else was begun"),
        }
    }

    /// Returns the metadata of the file.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::File::metadata`].
    pub async fn metadata(&self) -> io::Result<Metadata> {
        let std = self.std.clone();
        asyncify(move || std.metadata()).await
    }

    /// Creates another handle of the same open file, which shares the position.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::File::try_clone`].
    ///
    /// # On WASI
    ///
    /// [`Unsupported`](std::io::ErrorKind::Unsupported) on preview 1.
    pub async fn try_clone(&self) -> io::Result<File> {
        let mut file = File::from_std(self.run_alone(StdFile::try_clone).await?);
        file.max_buf_size = self.max_buf_size;
        Ok(file)
    }

    /// Waits for the running operation, and converts into the standard library's file.
    pub async fn into_std(mut self) -> StdFile {
        self.inner.get_mut().settle().await;
        Arc::try_unwrap(self.std).expect("only a running operation shares the file")
    }

    /// Converts into the standard library's file without waiting.
    ///
    /// # Errors
    ///
    /// Returns the file if an operation is running.
    #[allow(clippy::result_large_err)] // It is the file.
    pub fn try_into_std(mut self) -> Result<StdFile, Self> {
        match Arc::try_unwrap(self.std) {
            Ok(std) => Ok(std),
            Err(std) => {
                self.std = std;
                Err(self)
            }
        }
    }

    /// Sets the permissions of the file.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::File::set_permissions`].
    ///
    /// # On WASI
    ///
    /// Always [`Unsupported`](std::io::ErrorKind::Unsupported): WASI has no permissions.
    pub async fn set_permissions(&self, perm: Permissions) -> io::Result<()> {
        let std = self.std.clone();
        asyncify(move || std.set_permissions(perm)).await
    }

    /// Sets the times of the file.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::File::set_times`].
    pub async fn set_times(&self, times: FileTimes) -> io::Result<()> {
        let times = times.into_std();
        self.run_alone(move |std| std.set_times(times)).await
    }

    /// Sets when the file was last written.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::File::set_modified`].
    pub async fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.set_times(FileTimes::new().set_modified(time)).await
    }

    /// Sets how many bytes one operation reads or writes at most. The default is 2 MiB.
    ///
    /// The file has a buffer of its own, which grows up to this size.
    ///
    /// # Panics
    ///
    /// Panics if it is 0.
    #[track_caller]
    pub fn set_max_buf_size(&mut self, max_buf_size: usize) {
        assert!(max_buf_size > 0, "`max_buf_size` must be greater than 0");
        self.max_buf_size = max_buf_size;
    }

    /// Returns how many bytes one operation reads or writes at most.
    pub fn max_buf_size(&self) -> usize {
        self.max_buf_size
    }
}

/// Moves the position back by the bytes that were read ahead and are no longer wanted.
fn step_back(mut std: &StdFile, ahead: i64) -> io::Result<()> {
    if ahead > 0 { std.seek(SeekFrom::Current(-ahead)).map(drop) } else { Ok(()) }
}

/// Moves the position, counted from the position that the reader of the file sees.
fn seek(mut std: &StdFile, ahead: i64, position: SeekFrom) -> io::Result<u64> {
    match position {
        SeekFrom::Current(offset) => match offset.checked_sub(ahead) {
            Some(offset) => std.seek(SeekFrom::Current(offset)),
            None => step_back(std, ahead).and_then(|()| std.seek(position)),
        },
        _ => std.seek(position),
    }
}

impl Inner {
    /// Waits for the running operation. Returns its result.
    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Done>>> {
        let State::Busy(job) = &mut self.state else { return Poll::Ready(Ok(None)) };
        let (done, buf) = match ready!(Pin::new(job).poll(cx)) {
            Ok((done, buf)) => (Ok(Some(done)), buf),
            Err(e) => (Err(e), Buf::default()),
        };
        self.state = State::Idle(buf);
        if let Ok(Some(Done::Seek(Ok(position)))) = done {
            self.position = position;
        }
        Poll::Ready(done)
    }

    /// Waits for the running operation. The error of a write is kept for later.
    async fn settle(&mut self) {
        if let Err(e) = poll_fn(|cx| self.poll_flush(cx)).await {
            self.write_error = Some(e.kind());
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(kind) = self.write_error.take() {
            return Poll::Ready(Err(kind.into()));
        }
        match ready!(self.poll_done(cx))? {
            Some(Done::Write(result)) => Poll::Ready(result),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Returns the buffer, while no operation is running.
    fn buf(&mut self) -> &mut Buf {
        match &mut self.state {
            State::Idle(buf) => buf,
            State::Busy(_) => unreachable!("an operation is running"),
        }
    }

    /// Takes the buffer. Returns it with the number of bytes in it that were read ahead.
    fn take_buf(&mut self) -> (Buf, i64) {
        let buf = std::mem::take(self.buf());
        let ahead = buf.bytes().len() as i64;
        (buf, ahead)
    }
}

impl AsyncRead for File {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        dst: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let inner = me.inner.get_mut();
        loop {
            if let State::Idle(ref mut buf) = inner.state {
                if !buf.bytes().is_empty() || dst.remaining() == 0 {
                    buf.move_to(dst);
                    return Poll::Ready(Ok(()));
                }
                let (mut buf, std) = (std::mem::take(buf), me.std.clone());
                let max = dst.remaining().min(me.max_buf_size);
                inner.state =
                    State::Busy(run(move || (Done::Read(buf.read_from(&mut &*std, max)), buf)));
            }
            match ready!(inner.poll_done(cx))? {
                Some(Done::Read(result)) => {
                    result?;
                    inner.buf().move_to(dst);
                    return Poll::Ready(Ok(()));
                }
                Some(Done::Write(Err(e))) => inner.write_error = Some(e.kind()),
                _ => {}
            }
        }
    }
}

impl AsyncWrite for File {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        src: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(src)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.get_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let inner = me.inner.get_mut();
        ready!(inner.poll_flush(cx))?;
        let (mut buf, ahead) = inner.take_buf();
        let n = buf.copy_from(bufs, me.max_buf_size);
        let std = me.std.clone();
        inner.state = State::Busy(run_to_end(move || {
            let result = step_back(&std, ahead).and_then(|()| buf.write_to(&mut &*std));
            buf.discard();
            (Done::Write(result), buf)
        })?);
        Poll::Ready(Ok(n))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

impl AsyncSeek for File {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        let me = self.get_mut();
        let inner = me.inner.get_mut();
        if let State::Busy(_) = inner.state {
            return Err(io::Error::other(
                "other file operation is pending, call poll_complete before start_seek",
            ));
        }
        let (mut buf, ahead) = inner.take_buf();
        buf.discard();
        let std = me.std.clone();
        inner.state = State::Busy(run(move || (Done::Seek(seek(&std, ahead, position)), buf)));
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let inner = self.inner.get_mut();
        match ready!(inner.poll_done(cx))? {
            Some(Done::Seek(result)) => return Poll::Ready(result),
            Some(Done::Write(Err(e))) => inner.write_error = Some(e.kind()),
            _ => {}
        }
        Poll::Ready(Ok(inner.position))
    }
}

impl From<StdFile> for File {
    fn from(std: StdFile) -> Self {
        Self::from_std(std)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("tokio::fs::File").field("std", &self.std).finish()
    }
}
