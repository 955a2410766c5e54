//! Sending and receiving.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::os::fd::AsFd;

use crate::sys::Socket;
use crate::{RecvMeta, Transmit};

/// A borrowed socket, for one call of [`UdpSocketState`].
pub struct UdpSockRef<'a> {
    socket: Socket<'a>,
}

impl fmt::Debug for UdpSockRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

impl<'s, S: AsFd> From<&'s S> for UdpSockRef<'s> {
    fn from(socket: &'s S) -> Self {
        UdpSockRef { socket: Socket::lent(socket.as_fd()) }
    }
}

/// The state of a socket: the time of the last report of an error.
#[derive(Debug)]
pub struct UdpSocketState {
    #[cfg(feature = "tracing")]
    reports: report::Reports,
}

impl UdpSocketState {
    /// Makes a socket non-blocking.
    ///
    /// # Errors
    ///
    /// An error of `socket`, such as too many open files (`EMFILE`).
    pub fn new(socket: UdpSockRef<'_>) -> io::Result<Self> {
        socket.socket.set_nonblocking()?;
        Ok(UdpSocketState {
            #[cfg(feature = "tracing")]
            reports: report::Reports::default(),
        })
    }

    /// Sends a message. An error other than [`WouldBlock`](io::ErrorKind::WouldBlock) is reported to
    /// `tracing`, at most once a minute: QUIC retransmits lost messages.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock).
    pub fn send(&self, socket: UdpSockRef<'_>, transmit: &Transmit<'_>) -> io::Result<()> {
        match self.try_send(socket, transmit) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                #[cfg(feature = "tracing")]
                self.reports.add(&error, transmit);
                Ok(())
            }
            done => done,
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room.
    pub fn try_send(&self, socket: UdpSockRef<'_>, transmit: &Transmit<'_>) -> io::Result<()> {
        socket.socket.send_to(transmit.contents, transmit.destination)
    }

    /// Receives a message into the first buffer, and returns 1. A message that is longer is cut off.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if the peer of a connected socket has reported that
    /// nothing listens there, or another error of `recv`. [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no
    /// message.
    pub fn recv(
        &self,
        socket: UdpSockRef<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> io::Result<usize> {
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else { return Ok(0) };
        let (len, addr) = socket.socket.recv_from(buf)?;
        *meta = RecvMeta { addr, len, stride: len, ecn: None, dst_ip: None };
        Ok(1)
    }

    /// Returns how many messages one [`Transmit`] may hold: 1.
    pub fn max_gso_segments(&self) -> usize {
        1
    }

    /// Returns how many messages one buffer may receive: 1.
    pub fn gro_segments(&self) -> usize {
        1
    }

    /// Returns whether routers may fragment messages: always true.
    pub fn may_fragment(&self) -> bool {
        true
    }

    /// Sets the size of the send buffer.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    /// [`Unsupported`](io::ErrorKind::Unsupported) where the host has no such option.
    pub fn set_send_buffer_size(&self, socket: UdpSockRef<'_>, bytes: usize) -> io::Result<()> {
        socket.socket.set_send_buffer_size(bytes)
    }

    /// Sets the size of the receive buffer.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    /// [`Unsupported`](io::ErrorKind::Unsupported) where the host has no such option.
    pub fn set_recv_buffer_size(&self, socket: UdpSockRef<'_>, bytes: usize) -> io::Result<()> {
        socket.socket.set_recv_buffer_size(bytes)
    }

    /// Returns the size of the send buffer.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) where the host has no such option.
    pub fn send_buffer_size(&self, socket: UdpSockRef<'_>) -> io::Result<usize> {
        socket.socket.send_buffer_size()
    }

    /// Returns the size of the receive buffer.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) where the host has no such option.
    pub fn recv_buffer_size(&self, socket: UdpSockRef<'_>) -> io::Result<usize> {
        socket.socket.recv_buffer_size()
    }
}

#[cfg(feature = "tracing")]
mod report {
    use std::io;
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use crate::Transmit;

    /// The minimum time between two reports.
    const PAUSE: Duration = Duration::from_secs(60);

    /// When the last error was reported.
    #[derive(Debug, Default)]
    pub(super) struct Reports(Mutex<Option<Instant>>);

    impl Reports {
        pub(super) fn add(&self, error: &io::Error, transmit: &Transmit<'_>) {
            let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE) {
                *last = Some(now);
                let (to, len) = (transmit.destination, transmit.contents.len());
                tracing::warn!("cannot send {len} bytes to {to}: {error}");
            }
        }
    }
}
