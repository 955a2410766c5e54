//! The halves of a split stream, which are the same for TCP and Unix sockets.
//!
//! A macro and not a generic type, because programs name these types, and tokio's have no parameters.

/// Defines `ReadHalf`, `WriteHalf`, `OwnedReadHalf`, `OwnedWriteHalf` and `ReuniteError` of a stream whose
/// addresses are of type `$addr`.
macro_rules! halves {
    ($stream:ident, $addr:ty) => {
        use std::error::Error;
        use std::fmt;
        use std::io::{self, IoSlice, IoSliceMut};
        use std::pin::Pin;
        use std::sync::Arc;
        use std::task::{Context, Poll};

        use bytes::BufMut;
        use wasio_runtime::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};

        /// The reading half that borrows a stream, from its `split`.
        #[derive(Debug)]
        pub struct ReadHalf<'a>(&'a $stream);

        /// The writing half that borrows a stream, from its `split`. Shutting it down ends what the peer
        /// reads; dropping it does nothing.
        #[derive(Debug)]
        pub struct WriteHalf<'a>(&'a $stream);

        /// The reading half of a stream, from its `into_split`.
        #[derive(Debug)]
        pub struct OwnedReadHalf {
            stream: Arc<$stream>,
        }

        /// The writing half of a stream, from its `into_split`. Dropping it shuts it down: the peer reads
        /// the end. To keep it open until the reading half is gone too, call [`forget`](Self::forget).
        #[derive(Debug)]
        pub struct OwnedWriteHalf {
            stream: Arc<$stream>,
            shutdown_on_drop: bool,
        }

        /// The error for two halves that are not of the same stream. Contains both.
        #[derive(Debug)]
        pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

        impl fmt::Display for ReuniteError {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tried to reunite halves that are not from the same socket")
            }
        }

        impl Error for ReuniteError {}

        pub(crate) fn split(stream: &mut $stream) -> (ReadHalf<'_>, WriteHalf<'_>) {
            (ReadHalf(stream), WriteHalf(stream))
        }

        pub(crate) fn into_split(stream: $stream) -> (OwnedReadHalf, OwnedWriteHalf) {
            let stream = Arc::new(stream);
            let read = OwnedReadHalf { stream: stream.clone() };
            (read, OwnedWriteHalf { stream, shutdown_on_drop: true })
        }

        fn reunite(
            read: OwnedReadHalf,
            write: OwnedWriteHalf,
        ) -> Result<$stream, ReuniteError> {
            if !Arc::ptr_eq(&read.stream, &write.stream) {
                return Err(ReuniteError(read, write));
            }
            write.forget();
            Ok(Arc::into_inner(read.stream).expect("there were two halves, and one is gone"))
        }

        impl OwnedReadHalf {
            /// Puts the two halves back together.
            ///
            /// # Errors
            ///
            /// Returns both halves if they are not of the same stream.
            pub fn reunite(self, other: OwnedWriteHalf) -> Result<$stream, ReuniteError> {
                reunite(self, other)
            }

            fn stream(&self) -> &$stream {
                &self.stream
            }
        }

        impl OwnedWriteHalf {
            /// Puts the two halves back together.
            ///
            /// # Errors
            ///
            /// Returns both halves if they are not of the same stream.
            pub fn reunite(self, other: OwnedReadHalf) -> Result<$stream, ReuniteError> {
                reunite(other, self)
            }

            /// Drops this half without shutting it down; it is closed together with the reading half.
            pub fn forget(mut self) {
                self.shutdown_on_drop = false;
            }

            fn stream(&self) -> &$stream {
                &self.stream
            }

            fn shut_down(&mut self) -> io::Result<()> {
                self.stream.io().shutdown_write()?;
                self.shutdown_on_drop = false;
                Ok(())
            }
        }

        impl Drop for OwnedWriteHalf {
            fn drop(&mut self) {
                if self.shutdown_on_drop {
                    // The connection may be gone. Then there is nothing to shut down.
                    let _ = self.stream.io().shutdown_write();
                }
            }
        }

        impl ReadHalf<'_> {
            fn stream(&self) -> &$stream {
                self.0
            }
        }

        impl WriteHalf<'_> {
            fn stream(&self) -> &$stream {
                self.0
            }

            fn shut_down(&mut self) -> io::Result<()> {
                self.0.io().shutdown_write()
            }
        }

        $crate::halves::halves!(@common $stream, $addr, ReadHalf<'_>);
        $crate::halves::halves!(@common $stream, $addr, OwnedReadHalf);
        $crate::halves::halves!(@common $stream, $addr, WriteHalf<'_>);
        $crate::halves::halves!(@common $stream, $addr, OwnedWriteHalf);
        $crate::halves::halves!(@read ReadHalf<'_>);
        $crate::halves::halves!(@read OwnedReadHalf);
        $crate::halves::halves!(@write WriteHalf<'_>);
        $crate::halves::halves!(@write OwnedWriteHalf);
    };

    (@common $stream:ident, $addr:ty, $half:ty) => {
        impl $half {
            /// Waits until the stream is ready for any of `interest`; may be wrong, so try and wait again.
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Nothing is lost: readiness remains until an attempt finds that it is gone.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                self.stream().ready(interest).await
            }

            /// Returns the address of the other end.
            ///
            /// # Errors
            ///
            /// [`NotConnected`](std::io::ErrorKind::NotConnected) if the connection is gone.
            pub fn peer_addr(&self) -> io::Result<$addr> {
                self.stream().peer_addr()
            }

            /// Returns the address of this end.
            ///
            /// # Errors
            ///
            /// An error of `getsockname`.
            pub fn local_addr(&self) -> io::Result<$addr> {
                self.stream().local_addr()
            }
        }

        impl AsRef<$stream> for $half {
            fn as_ref(&self) -> &$stream {
                self.stream()
            }
        }
    };

    (@read $half:ty) => {
        impl $half {
            /// Waits until there is something to read, or the end.
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Nothing is lost: readiness remains until an attempt finds that it is gone.
            pub async fn readable(&self) -> io::Result<()> {
                self.stream().readable().await
            }

            /// Reads the available bytes. `Ok(0)` is the end of the stream.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing is known to be available: wait for
            /// [`readable`](Self::readable) first. Otherwise an error of the connection, such as `ConnectionReset`.
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                self.stream().try_read(buf)
            }

            /// Like [`try_read`](Self::try_read), into several buffers.
            ///
            /// # Errors
            ///
            /// See [`try_read`](Self::try_read).
            pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.stream().try_read_vectored(bufs)
            }

            /// Like [`try_read`](Self::try_read), appending to a buffer.
            ///
            /// # Errors
            ///
            /// See [`try_read`](Self::try_read).
            pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                self.stream().try_read_buf(buf)
            }
        }

        impl AsyncRead for $half {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.stream().io().poll_read_into(cx, buf)
            }
        }
    };

    (@write $half:ty) => {
        impl $half {
            /// Waits until something can be written.
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Nothing is lost: readiness remains until an attempt finds that it is gone.
            pub async fn writable(&self) -> io::Result<()> {
                self.stream().writable().await
            }

            /// Writes as many bytes as fit, and returns their number.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no room is known to be available: wait for
            /// [`writable`](Self::writable) first. Otherwise an error of the connection, such as `ConnectionReset`.
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                self.stream().try_write(buf)
            }

            /// Like [`try_write`](Self::try_write), from several buffers.
            ///
            /// # Errors
            ///
            /// See [`try_write`](Self::try_write).
            pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                self.stream().try_write_vectored(bufs)
            }
        }

        impl AsyncWrite for $half {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.stream().io().poll_send(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.stream().io().poll_send_vectored(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                Poll::Ready(self.shut_down())
            }
        }
    };
}

pub(crate) use halves;
