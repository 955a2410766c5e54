//! The operations that several socket types have in common, each written once.
//!
//! These are macros and not a trait, because in tokio they are inherent methods, callable without an import.

/// Waiting for readiness, and the user's own operations. `$type` has a method `io`.
macro_rules! waiting {
    ($type:ty) => {
        impl $type {
            /// Waits until the socket is ready for any of `interest`. The readiness may be wrong, so try and wait
            /// again.
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Nothing is lost: readiness remains until an attempt finds that it is gone.
            pub async fn ready(
                &self,
                interest: wasio_runtime::io::Interest,
            ) -> std::io::Result<wasio_runtime::io::Ready> {
                self.io().ready(interest).await
            }

            /// Waits until there is something to read, or the end. See [`ready`](Self::ready).
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Nothing is lost: readiness remains until an attempt finds that it is gone.
            pub async fn readable(&self) -> std::io::Result<()> {
                self.io().wait(wasio_runtime::io::Interest::READABLE).await
            }

            /// Waits until something can be written. See [`ready`](Self::ready).
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Nothing is lost: readiness remains until an attempt finds that it is gone.
            pub async fn writable(&self) -> std::io::Result<()> {
                self.io().wait(wasio_runtime::io::Interest::WRITABLE).await
            }

            /// Runs an operation on the socket if it is ready for `interest`. When `f` returns
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock), the readiness is forgotten.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) when it is not ready; otherwise the error of `f`.
            pub fn try_io<R>(
                &self,
                interest: wasio_runtime::io::Interest,
                f: impl FnOnce() -> std::io::Result<R>,
            ) -> std::io::Result<R> {
                self.io().try_io(interest, |_| f())
            }

            /// Runs an operation on the socket, again each time that it becomes ready for `interest`, until
            /// `f` returns something other than [`WouldBlock`](std::io::ErrorKind::WouldBlock).
            ///
            /// # Errors
            ///
            /// The error of `f`, or an error if the runtime has shut down.
            pub async fn async_io<R>(
                &self,
                interest: wasio_runtime::io::Interest,
                mut f: impl FnMut() -> std::io::Result<R>,
            ) -> std::io::Result<R> {
                self.io().async_io(interest, |_| f()).await
            }

            /// Returns the pending error of the socket, if there is one, and clears it (`SO_ERROR`).
            ///
            /// # Errors
            ///
            /// Fails if the system cannot be asked (`getsockopt`).
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.socket().take_error()
            }
        }
    };
}

/// Reading and writing a stream of bytes.
macro_rules! streaming {
    ($type:ty) => {
        $crate::ops::waiting!($type);

        impl $type {
            /// Like [`readable`](Self::readable), for hand-written futures. Only the waker of the last
            /// call that read or polled for reading is kept.
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            pub fn poll_read_ready(
                &self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.io().poll_read_ready(cx)
            }

            /// Like [`writable`](Self::writable), for hand-written futures. Only the waker of the last
            /// call that wrote or polled for writing is kept.
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            pub fn poll_write_ready(
                &self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.io().poll_write_ready(cx)
            }

            /// Reads the available bytes. `Ok(0)` is the end of the stream.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if nothing is known to be available: wait for
            /// [`readable`](Self::readable) first. Otherwise an error of the connection, such as `ConnectionReset`.
            pub fn try_read(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().try_io(interest, |socket| socket.recv(buf))
            }

            /// Like [`try_read`](Self::try_read), into several buffers.
            ///
            /// # Errors
            ///
            /// See [`try_read`](Self::try_read).
            pub fn try_read_vectored(
                &self,
                bufs: &mut [std::io::IoSliceMut<'_>],
            ) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().try_io(interest, |socket| socket.recv_vectored(bufs))
            }

            /// Like [`try_read`](Self::try_read), appending to a buffer.
            ///
            /// # Errors
            ///
            /// See [`try_read`](Self::try_read).
            pub fn try_read_buf<B: bytes::BufMut>(&self, buf: &mut B) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().try_io(interest, |socket| socket.recv_buf(buf))
            }

            /// Writes as many bytes as fit, and returns their number.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if no room is known to be available: wait for
            /// [`writable`](Self::writable) first. Otherwise an error of the connection, such as `ConnectionReset`.
            pub fn try_write(&self, buf: &[u8]) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::WRITABLE;
                self.io().try_io(interest, |socket| socket.send(buf))
            }

            /// Like [`try_write`](Self::try_write), from several buffers.
            ///
            /// # Errors
            ///
            /// See [`try_write`](Self::try_write).
            pub fn try_write_vectored(
                &self,
                bufs: &[std::io::IoSlice<'_>],
            ) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::WRITABLE;
                self.io().try_io(interest, |socket| socket.send_vectored(bufs))
            }
        }

        impl wasio_runtime::io::AsyncRead for $type {
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &mut wasio_runtime::io::ReadBuf<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.io().poll_read_into(cx, buf)
            }
        }

        impl wasio_runtime::io::AsyncWrite for $type {
            fn poll_write(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.io().poll_send(cx, buf)
            }

            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.io().poll_send_vectored(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                // Nothing is buffered here.
                std::task::Poll::Ready(Ok(()))
            }

            fn poll_shutdown(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::task::Poll::Ready(self.io().shutdown_write())
            }
        }

        impl AsRef<$type> for $type {
            fn as_ref(&self) -> &$type {
                self
            }
        }
    };
}

/// Sending and receiving messages. `$addr` is the type of their addresses.
macro_rules! messaging {
    ($type:ty, $addr:ty) => {
        $crate::ops::waiting!($type);

        impl $type {
            /// Like [`readable`](Self::readable), for hand-written futures. Only the waker of the last
            /// call that received or polled for receiving is kept.
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            pub fn poll_recv_ready(
                &self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.io().poll_read_ready(cx)
            }

            /// Like [`writable`](Self::writable), for hand-written futures. Only the waker of the last
            /// call that sent or polled for sending is kept.
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            pub fn poll_send_ready(
                &self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.io().poll_write_ready(cx)
            }

            /// Sends a message to the address that the socket is connected to.
            ///
            /// # Errors
            ///
            /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) if the peer has reported that nothing
            /// listens there, `EMSGSIZE` if the message is too long, or another error of `send`. The socket must be
            /// connected.
            ///
            /// # Cancel safety
            ///
            /// If the future is dropped before it completes, the message was not sent.
            pub async fn send(&self, buf: &[u8]) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::WRITABLE;
                self.io().async_io(interest, |socket| socket.send(buf)).await
            }

            /// Like [`send`](Self::send), for hand-written futures.
            ///
            /// # Errors
            ///
            /// See [`send`](Self::send).
            pub fn poll_send(
                &self,
                cx: &mut std::task::Context<'_>,
                buf: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.io().poll_send(cx, buf)
            }

            /// Like [`send`](Self::send), without waiting.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if no room is known to be available: wait for
            /// [`writable`](Self::writable) first. Otherwise the same as for [`send`](Self::send).
            pub fn try_send(&self, buf: &[u8]) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::WRITABLE;
                self.io().try_io(interest, |socket| socket.send(buf))
            }

            /// Receives a message from the address that the socket is connected to. Returns its length. The part that
            /// does not fit into `buf` is lost.
            ///
            /// # Errors
            ///
            /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) if the peer of a connected socket has
            /// reported that nothing listens there, or another error of `recv`.
            ///
            /// # Cancel safety
            ///
            /// If the future is dropped before it completes, no message was received.
            pub async fn recv(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().async_io(interest, |socket| socket.recv(buf)).await
            }

            /// Like [`recv`](Self::recv), for hand-written futures.
            ///
            /// # Errors
            ///
            /// See [`recv`](Self::recv).
            pub fn poll_recv(
                &self,
                cx: &mut std::task::Context<'_>,
                buf: &mut wasio_runtime::io::ReadBuf<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.io().poll_recv(cx, buf)
            }

            /// Like [`recv`](Self::recv), without waiting.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if no message is known to be available: wait for
            /// [`readable`](Self::readable) first. Otherwise the same as for [`recv`](Self::recv).
            pub fn try_recv(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().try_io(interest, |socket| socket.recv(buf))
            }

            /// Like [`recv`](Self::recv), appending to a buffer.
            ///
            /// # Errors
            ///
            /// See [`recv`](Self::recv).
            ///
            /// # Cancel safety
            ///
            /// See [`recv`](Self::recv).
            pub async fn recv_buf<B: bytes::BufMut>(&self, buf: &mut B) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().async_io(interest, |socket| socket.recv_buf(buf)).await
            }

            /// Like [`try_recv`](Self::try_recv), appending to a buffer.
            ///
            /// # Errors
            ///
            /// See [`try_recv`](Self::try_recv).
            pub fn try_recv_buf<B: bytes::BufMut>(&self, buf: &mut B) -> std::io::Result<usize> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().try_io(interest, |socket| socket.recv_buf(buf))
            }

            /// Receives a message. Returns its length and the sender. The part that does not fit into `buf` is lost.
            ///
            /// # Errors
            ///
            /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) if the peer of a connected socket has
            /// reported that nothing listens there, or another error of `recv`.
            ///
            /// # Cancel safety
            ///
            /// If the future is dropped before it completes, no message was received.
            pub async fn recv_from(&self, buf: &mut [u8]) -> std::io::Result<(usize, $addr)> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().async_io(interest, |socket| socket.recv_from(buf)).await
            }

            /// Like [`recv_from`](Self::recv_from), for hand-written futures.
            ///
            /// # Errors
            ///
            /// See [`recv_from`](Self::recv_from).
            pub fn poll_recv_from(
                &self,
                cx: &mut std::task::Context<'_>,
                buf: &mut wasio_runtime::io::ReadBuf<'_>,
            ) -> std::task::Poll<std::io::Result<$addr>> {
                self.io().poll_read(cx, |socket| socket.recv_from_into(buf, false))
            }

            /// Like [`recv_from`](Self::recv_from), without waiting.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if no message is known to be available: wait for
            /// [`readable`](Self::readable) first. Otherwise the same as for [`recv_from`](Self::recv_from).
            pub fn try_recv_from(&self, buf: &mut [u8]) -> std::io::Result<(usize, $addr)> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().try_io(interest, |socket| socket.recv_from(buf))
            }

            /// Like [`recv_from`](Self::recv_from), appending to a buffer.
            ///
            /// # Errors
            ///
            /// See [`recv_from`](Self::recv_from).
            ///
            /// # Cancel safety
            ///
            /// See [`recv_from`](Self::recv_from).
            pub async fn recv_buf_from<B: bytes::BufMut>(
                &self,
                buf: &mut B,
            ) -> std::io::Result<(usize, $addr)> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().async_io(interest, |socket| socket.recv_buf_from(buf)).await
            }

            /// Like [`try_recv_from`](Self::try_recv_from), appending to a buffer.
            ///
            /// # Errors
            ///
            /// See [`try_recv_from`](Self::try_recv_from).
            pub fn try_recv_buf_from<B: bytes::BufMut>(
                &self,
                buf: &mut B,
            ) -> std::io::Result<(usize, $addr)> {
                let interest = wasio_runtime::io::Interest::READABLE;
                self.io().try_io(interest, |socket| socket.recv_buf_from(buf))
            }
        }
    };
}

pub(crate) use {messaging, streaming, waiting};
