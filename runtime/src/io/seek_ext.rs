//! The methods of every [`AsyncSeek`].

use std::future::Future;
use std::io::{self, SeekFrom};
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::AsyncSeek;

/// The methods of every [`AsyncSeek`].
///
/// # Examples
///
/// ```
/// use std::io::{Cursor, SeekFrom};
/// use wasio::io::{AsyncReadExt, AsyncSeekExt};
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let mut file = Cursor::new(b"0123456789");
/// file.seek(SeekFrom::End(-3)).await?;
/// let mut rest = String::new();
/// file.read_to_string(&mut rest).await?;
/// assert_eq!(rest, "789");
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub trait AsyncSeekExt: AsyncSeek {
    /// Moves to `pos`, an offset in bytes, and returns the new position from the start.
    ///
    /// # Errors
    ///
    /// An error of the implementation. Seeking to before the start is always an error.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, the position may or may not change.
    fn seek(&mut self, pos: SeekFrom) -> Seek<'_, Self>
    where
        Self: Unpin,
    {
        Seek { target: self, pos: Some(pos), _pin: PhantomPinned }
    }

    /// Moves to the start.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, the position may or may not change.
    fn rewind(&mut self) -> Seek<'_, Self>
    where
        Self: Unpin,
    {
        self.seek(SeekFrom::Start(0))
    }

    /// Returns the current position in bytes from the start.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    fn stream_position(&mut self) -> Seek<'_, Self>
    where
        Self: Unpin,
    {
        self.seek(SeekFrom::Current(0))
    }
}

impl<S: AsyncSeek + ?Sized> AsyncSeekExt for S {}

pin_project! {
    /// The future of [`AsyncSeekExt::seek`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Seek<'a, S: ?Sized> {
        target: &'a mut S,
        // The target position, until the seek is started.
        pos: Option<SeekFrom>,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<S: AsyncSeek + Unpin + ?Sized> Future for Seek<'_, S> {
    type Output = io::Result<u64>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let me = self.project();
        let mut target = Pin::new(&mut **me.target);
        if let Some(pos) = *me.pos {
            // An earlier operation may still be under way.
            ready!(target.as_mut().poll_complete(cx))?;
            target.as_mut().start_seek(pos)?;
            *me.pos = None;
        }
        target.poll_complete(cx)
    }
}
