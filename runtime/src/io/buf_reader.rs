//! A reader with a buffer.

use std::fmt;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, DEFAULT_BUF_SIZE, ReadBuf};

pin_project! {
    /// Reads ahead, so that many small reads become few large ones.
    ///
    /// Bytes that were read ahead are lost when it is dropped or taken apart with [`into_inner`](Self::into_inner). A
    /// seek discards them. If the reader is a writer too, writing bypasses the buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use wasio::io::{AsyncBufReadExt, BufReader};
    ///
    /// let mut reader = BufReader::new(&b"one\ntwo\n"[..]);
    /// let mut line = String::new();
    /// reader.read_line(&mut line).await?;
    /// assert_eq!(line, "one\n");
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub struct BufReader<R> {
        #[pin]
        pub(super) inner: R,
        pub(super) ahead: ReadAhead,
    }
}

/// The state of a [`BufReader`]: bytes that were read and not requested yet, and a seek that is under way.
#[derive(Debug)]
pub(super) struct ReadAhead {
    memory: Box<[u8]>,
    start: usize,
    end: usize,
    seek: Seek,
}

#[derive(Debug, Clone, Copy)]
enum Seek {
    No,
    Requested(SeekFrom),
    /// The inner reader is seeking. `then` follows.
    Running {
        then: Option<SeekFrom>,
    },
}

impl ReadAhead {
    fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.end]
    }

    fn discard(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

impl<R: AsyncRead> BufReader<R> {
    /// Creates a reader with a buffer of 8 KiB.
    pub fn new(inner: R) -> Self {
        Self::with_capacity(DEFAULT_BUF_SIZE, inner)
    }

    /// Creates a reader with a buffer of `capacity` bytes.
    ///
    /// # Panics
    ///
    /// Panics if `capacity` is 0.
    #[track_caller]
    pub fn with_capacity(capacity: usize, inner: R) -> Self {
        assert!(capacity > 0, "capacity must be greater than zero");
        let memory = vec![0; capacity].into_boxed_slice();
        BufReader { inner, ahead: ReadAhead { memory, start: 0, end: 0, seek: Seek::No } }
    }

    /// Returns the inner reader.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Returns the inner reader. Reading from it skips the buffered bytes.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Returns the inner reader. Reading from it skips the buffered bytes.
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut R> {
        self.project().inner
    }

    /// Returns the inner reader. Buffered bytes are lost.
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// Returns the buffered bytes. Unlike `fill_buf` it does not read if there are none.
    pub fn buffer(&self) -> &[u8] {
        self.ahead.bytes()
    }
}

impl<R: AsyncRead> AsyncRead for BufReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A read of at least the buffer's size bypasses it.
        if self.buffer().is_empty() && buf.remaining() >= self.ahead.memory.len() {
            return self.get_pin_mut().poll_read(cx, buf);
        }
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let n = bytes.len().min(buf.remaining());
        buf.put_slice(&bytes[..n]);
        self.consume(n);
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncRead> AsyncBufRead for BufReader<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let me = self.project();
        if me.ahead.bytes().is_empty() {
            let mut buf = ReadBuf::new(&mut me.ahead.memory);
            ready!(me.inner.poll_read(cx, &mut buf))?;
            (me.ahead.start, me.ahead.end) = (0, buf.filled_len());
        }
        Poll::Ready(Ok(me.ahead.bytes()))
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        let ahead = self.project().ahead;
        ahead.start = ahead.end.min(ahead.start + amt);
    }
}

/// Seeking discards the buffer. It may take several inner seeks, so nothing happens before `poll_complete`.
impl<R: AsyncRead + AsyncSeek> AsyncSeek for BufReader<R> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        self.project().ahead.seek = Seek::Requested(position);
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let mut me = self.project();
        loop {
            match me.ahead.seek {
                Seek::No => return me.inner.poll_complete(cx),
                Seek::Requested(position) => {
                    me.ahead.seek = Seek::No;
                    // The inner position is ahead of this reader's by the number of buffered bytes.
                    let ahead = me.ahead.bytes().len() as i64;
                    let (position, then) = match position {
                        SeekFrom::Current(offset) => match offset.checked_sub(ahead) {
                            Some(offset) => (SeekFrom::Current(offset), None),
                            None => (SeekFrom::Current(-ahead), Some(position)),
                        },
                        _ => (position, None),
                    };
                    me.inner.as_mut().start_seek(position)?;
                    me.ahead.seek = Seek::Running { then };
                }
                Seek::Running { then } => {
                    let result = ready!(me.inner.as_mut().poll_complete(cx));
                    me.ahead.seek = Seek::No;
                    let position = result?;
                    me.ahead.discard();
                    let Some(then) = then else { return Poll::Ready(Ok(position)) };
                    me.inner.as_mut().start_seek(then)?;
                    me.ahead.seek = Seek::Running { then: None };
                }
            }
        }
    }
}

impl<R: AsyncRead + AsyncWrite> AsyncWrite for BufReader<R> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_pin_mut().poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_pin_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_pin_mut().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_pin_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

impl<R: fmt::Debug> fmt::Debug for BufReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, capacity) = (self.ahead.bytes().len(), self.ahead.memory.len());
        f.debug_struct("BufReader")
            .field("reader", &self.inner)
            .field("buffer", &format_args!("{len}/{capacity}"))
            .finish()
    }
}
