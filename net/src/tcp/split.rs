//! The halves of a TCP stream.

use std::net::SocketAddr;

use super::stream::TcpStream;

crate::halves::halves!(TcpStream, SocketAddr);

macro_rules! peek {
    ($($half:ty),*) => {$(
        impl $half {
            /// Reads without consuming: the next read returns the same bytes. `Ok(0)` is the end of the stream.
            ///
            /// # Errors
            ///
            /// An error of the connection, such as [`ConnectionReset`](std::io::ErrorKind::ConnectionReset).
            ///
            /// # Cancel safety
            ///
            /// Nothing is consumed, so nothing is lost.
            pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.stream().peek(buf).await
            }

            /// Like [`peek`](Self::peek), for hand-written futures. Returns how many bytes it added to
            /// `buf`.
            ///
            /// # Errors
            ///
            /// An error of the connection, such as [`ConnectionReset`](std::io::ErrorKind::ConnectionReset).
            pub fn poll_peek(
                &mut self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<usize>> {
                self.stream().poll_peek(cx, buf)
            }
        }
    )*};
}

peek!(ReadHalf<'_>, OwnedReadHalf);
