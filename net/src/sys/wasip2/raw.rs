//! Operations on a socket of WASI 0.2 that only the drop-in `socket2` uses. No socket blocks there.

use std::io;
use std::time::Duration;

use super::socket::{Shared, Socket, unsupported};

impl Socket {
    pub(crate) fn is_stream(&self) -> io::Result<bool> {
        match &*self.0 {
            Shared::Tcp(_) => Ok(true),
            // A descriptor that is no socket fails here.
            Shared::Other(other) => other.local_addr().map(|_| false),
        }
    }

    pub(crate) fn is_listening(&self) -> io::Result<bool> {
        Ok(self.0.tcp().is_ok_and(|tcp| tcp.is_listening()))
    }

    pub(crate) fn is_nonblocking(&self) -> io::Result<bool> {
        Ok(true)
    }

    pub(crate) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        if on { Ok(()) } else { unsupported() }
    }

    pub(crate) fn timeout(&self, _: bool) -> io::Result<Option<Duration>> {
        unsupported()
    }

    pub(crate) fn set_timeout(&self, _: bool, _: Option<Duration>) -> io::Result<()> {
        unsupported()
    }

    pub(crate) fn keepalive_times(&self) -> io::Result<(Duration, Duration, u32)> {
        self.0.tcp()?.keepalive_times()
    }

    pub(crate) fn wait_connected(&self, timeout: Duration) -> io::Result<()> {
        self.0.tcp()?.wait_connected(timeout)
    }
}
