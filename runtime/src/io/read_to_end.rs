//! The futures of `read_to_end` and `read_to_string`.

use std::future::Future;
use std::io;
use std::marker::PhantomPinned;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{AsyncRead, ReadBuf, append_utf8, fill, retry, take_bytes};

/// The least room that is offered to a read.
const LEAST_ROOM: usize = 32;

/// The progress of reading to the end.
#[derive(Debug)]
struct Progress {
    /// The capacity of the caller's vector. The data may be exactly that long.
    given: usize,
    /// The number of initialised bytes in the spare capacity.
    initialized: usize,
    read: usize,
}

impl Progress {
    fn new(vec: &Vec<u8>) -> Self {
        Progress { given: vec.capacity(), initialized: 0, read: 0 }
    }
}

/// Appends everything that `reader` has to `vec`. Returns the number of bytes.
///
/// `vec` must be the same at every call, and must not be changed in between.
fn poll_read_to_end<R: AsyncRead + ?Sized>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    vec: &mut Vec<u8>,
    progress: &mut Progress,
) -> Poll<io::Result<usize>> {
    loop {
        let spare = vec.capacity() - vec.len();
        let n = if spare >= LEAST_ROOM {
            ready!(poll_into_spare(reader.as_mut(), cx, vec, progress))?
        } else if vec.capacity() == progress.given && progress.given >= LEAST_ROOM {
            // The caller may have known the size. Look for the end in other memory, so that the vector does not double
            // its size for nothing.
            let mut memory = [MaybeUninit::uninit(); LEAST_ROOM];
            let mut probe = ReadBuf::uninit(&mut memory);
            ready!(retry(|| reader.as_mut().poll_read(cx, &mut probe)))?;
            // The append writes into the spare capacity or moves the vector. Either makes the count invalid.
            progress.initialized = 0;
            vec.extend_from_slice(probe.filled());
            probe.filled_len()
        } else {
            progress.initialized = 0;
            vec.reserve(LEAST_ROOM);
            ready!(poll_into_spare(reader.as_mut(), cx, vec, progress))?
        };
        if n == 0 {
            return Poll::Ready(Ok(progress.read));
        }
        progress.read += n;
    }
}

#[allow(unsafe_code)]
fn poll_into_spare<R: AsyncRead + ?Sized>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    vec: &mut Vec<u8>,
    progress: &mut Progress,
) -> Poll<io::Result<usize>> {
    // SAFETY: `progress` belongs to this vector alone, and all other code in this file that changes the vector sets
    // `initialized` to 0. The futures below hold the vector, so no other code reaches it.
    retry(|| unsafe { fill::poll_read_spare(reader.as_mut(), cx, vec, &mut progress.initialized) })
}

pin_project! {
    /// The future of [`AsyncReadExt::read_to_end`](super::AsyncReadExt::read_to_end).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ReadToEnd<'a, R: ?Sized> {
        reader: &'a mut R,
        buf: &'a mut Vec<u8>,
        progress: Progress,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized> ReadToEnd<'a, R> {
    pub(super) fn new(reader: &'a mut R, buf: &'a mut Vec<u8>) -> Self {
        let progress = Progress::new(buf);
        ReadToEnd { reader, buf, progress, _pin: PhantomPinned }
    }
}

impl<R: AsyncRead + Unpin + ?Sized> Future for ReadToEnd<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let me = self.project();
        poll_read_to_end(Pin::new(&mut **me.reader), cx, me.buf, me.progress)
    }
}

pin_project! {
    /// The future of [`AsyncReadExt::read_to_string`](super::AsyncReadExt::read_to_string).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ReadToString<'a, R: ?Sized> {
        reader: &'a mut R,
        output: &'a mut String,
        // Checked and appended to `output` at the end. `output` is unchanged until then.
        bytes: Vec<u8>,
        progress: Progress,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized> ReadToString<'a, R> {
    pub(super) fn new(reader: &'a mut R, output: &'a mut String) -> Self {
        let bytes = take_bytes(output);
        let progress = Progress::new(&bytes);
        ReadToString { reader, output, bytes, progress, _pin: PhantomPinned }
    }
}

impl<R: AsyncRead + Unpin + ?Sized> Future for ReadToString<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let me = self.project();
        let n = ready!(poll_read_to_end(Pin::new(&mut **me.reader), cx, me.bytes, me.progress))?;
        append_utf8(me.output, std::mem::take(me.bytes))?;
        *me.progress = Progress::new(me.bytes);
        Poll::Ready(Ok(n))
    }
}
