//! Operations on a socket of preview 1 that only the drop-in `socket2` uses: blocking mode, timeouts, its kind.
#![allow(unsafe_code)] // Imports, and the C library's `poll`.

use std::io;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use super::imports::{NONBLOCK, SOL_SOCKET, check, fd_fdstat_set_flags};
use super::socket::Socket;

const SO_TYPE: u32 = 1;
const SO_RCVTIMEO: u32 = 11;
const SO_SNDTIMEO: u32 = 12;
const SO_ACCEPTCONN: u32 = 13;
/// The host's number for a stream.
const STREAM: u32 = 2;

/// `struct timeval`: seconds and microseconds of 64 bits.
const TIME: usize = 16;

/// `fdstat` of the WASI preview 1 witx.
#[repr(C)]
#[derive(Default)]
struct Fdstat {
    kind: u8,
    flags: u16,
    rights: [u64; 2],
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn fd_fdstat_get(fd: i32, stat: *mut Fdstat) -> u32;
}

/// `struct pollfd` of the C library.
#[repr(C)]
struct PollFd {
    fd: i32,
    events: i16,
    happened: i16,
}

const POLLOUT: i16 = 2;

unsafe extern "C" {
    fn poll(fds: *mut PollFd, count: usize, millis: i32) -> i32;
}

/// A borrowed socket: it is not closed when this is dropped.
#[derive(Debug)]
pub(crate) struct Borrowed(ManuallyDrop<Socket>);

impl Deref for Borrowed {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.0
    }
}

impl Socket {
    /// Borrows a socket that outlives the result.
    pub(crate) fn borrowed(fd: BorrowedFd<'_>) -> Borrowed {
        // SAFETY: it is never closed here, and the caller makes sure that the owner lives longer.
        let fd = unsafe { OwnedFd::from_raw_fd(fd.as_raw_fd()) };
        Borrowed(ManuallyDrop::new(Socket::from_fd_unchecked(fd)))
    }

    fn number(&self, name: u32) -> io::Result<u32> {
        let mut value = [0; 4];
        check(self.get(SOL_SOCKET, name, &mut value))?;
        Ok(u32::from_le_bytes(value))
    }

    pub(crate) fn is_stream(&self) -> io::Result<bool> {
        self.number(SO_TYPE).map(|kind| kind == STREAM)
    }

    pub(crate) fn is_listening(&self) -> io::Result<bool> {
        self.number(SO_ACCEPTCONN).map(|is| is != 0)
    }

    pub(crate) fn is_nonblocking(&self) -> io::Result<bool> {
        let mut stat = Fdstat::default();
        // SAFETY: `stat` has room for the result.
        check(unsafe { fd_fdstat_get(self.as_raw_fd(), &mut stat) })?;
        Ok(stat.flags & NONBLOCK != 0)
    }

    pub(crate) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        let flags = if on { NONBLOCK } else { 0 };
        // SAFETY: no pointers.
        check(unsafe { fd_fdstat_set_flags(self.as_raw_fd(), flags.into()) })
    }

    /// Returns how long a receive, or a send, blocks.
    pub(crate) fn timeout(&self, sends: bool) -> io::Result<Option<Duration>> {
        let mut time = [0; TIME];
        check(self.get(SOL_SOCKET, if sends { SO_SNDTIMEO } else { SO_RCVTIMEO }, &mut time))?;
        let time = u128::from_le_bytes(time);
        let time = Duration::new(time as u64, (time >> 64) as u32 * 1000);
        Ok((!time.is_zero()).then_some(time))
    }

    pub(crate) fn set_timeout(&self, sends: bool, timeout: Option<Duration>) -> io::Result<()> {
        let time = timeout.unwrap_or_default();
        let seconds = time.as_secs().min(i64::MAX as u64);
        let value = u128::from(seconds) | u128::from(time.subsec_micros()) << 64;
        let name = if sends { SO_SNDTIMEO } else { SO_RCVTIMEO };
        check(self.set(SOL_SOCKET, name, &value.to_le_bytes()))
    }

    pub(crate) fn keepalive_times(&self) -> io::Result<(Duration, Duration, u32)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Waits until a connection under way is established or has failed, or for `timeout`.
    pub(crate) fn wait_connected(&self, timeout: Duration) -> io::Result<()> {
        let start = Instant::now();
        loop {
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let mut socket = PollFd { fd: self.as_raw_fd(), events: POLLOUT, happened: 0 };
            let millis = left.as_millis().clamp(1, i32::MAX as u128) as i32;
            // SAFETY: there is one `PollFd`.
            match unsafe { poll(&mut socket, 1, millis) } {
                0 => continue,
                -1 => return Err(io::Error::last_os_error()),
                _ => {}
            }
            match self.connected() {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }
}
