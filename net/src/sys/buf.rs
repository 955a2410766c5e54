//! Receiving into uninitialised buffers. Only this file asserts that the bytes that `recv` counts are initialised.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;

use bytes::BufMut;
use wasio_runtime::io::ReadBuf;
use wasio_runtime::reactor::Left;

use super::{Address, Socket, SocketHooks as _};

/// Returns initialised memory as memory that may be uninitialised.
fn uninit(buf: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the layouts are the same, and `Socket`'s functions never make a byte uninitialised.
    unsafe { &mut *(std::ptr::from_mut(buf) as *mut [MaybeUninit<u8>]) }
}

impl Socket {
    /// Fills the start of `buf`.
    pub(crate) fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_uninit(uninit(buf), false)
    }

    /// Like `recv`, but the bytes stay in the socket.
    pub(crate) fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_uninit(uninit(buf), true)
    }

    /// Like `recv`, and returns the sender's address.
    pub(crate) fn recv_from<A: Address>(&self, buf: &mut [u8]) -> io::Result<(usize, A)> {
        A::recv_from(self, uninit(buf), false)
    }

    /// Like `recv_from`, but the message stays in the socket.
    pub(crate) fn peek_from<A: Address>(&self, buf: &mut [u8]) -> io::Result<(usize, A)> {
        A::recv_from(self, uninit(buf), true)
    }

    /// Appends to a `ReadBuf`.
    pub(crate) fn recv_into(&self, buf: &mut ReadBuf<'_>, peek: bool) -> io::Result<usize> {
        fill(buf, |space| Ok((self.recv_uninit(space, peek)?, ()))).map(|(n, ())| n)
    }

    /// Appends to a `ReadBuf` from a stream. Returns the number of bytes, and whether more is left.
    pub(crate) fn recv_all_into(&self, buf: &mut ReadBuf<'_>) -> io::Result<(usize, Left)> {
        fill(buf, |space| {
            let room = space.len();
            let (n, is_all) = self.recv_drained(space)?;
            let left = match n {
                1.. if n < room => Left::Nothing,
                _ if is_all => Left::Drained,
                _ => Left::Perhaps,
            };
            Ok((n, left))
        })
    }

    /// Appends to a `ReadBuf`, and returns the sender's address.
    pub(crate) fn recv_from_into<A: Address>(
        &self,
        buf: &mut ReadBuf<'_>,
        peek: bool,
    ) -> io::Result<A> {
        fill(buf, |space| A::recv_from(self, space, peek)).map(|(_, addr)| addr)
    }

    /// Appends to a `BufMut`.
    pub(crate) fn recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        append(buf, |space| Ok((self.recv_uninit(space, false)?, ()))).map(|(n, ())| n)
    }

    /// Appends to a `BufMut`, and returns the sender's address.
    pub(crate) fn recv_buf_from<B: BufMut, A: Address>(
        &self,
        buf: &mut B,
    ) -> io::Result<(usize, A)> {
        append(buf, |space| A::recv_from(self, space, false))
    }
}

/// Runs `recv` on the free part of a `ReadBuf`. `recv` must be one of `Socket`'s functions.
pub(super) fn fill<R>(
    buf: &mut ReadBuf<'_>,
    recv: impl FnOnce(&mut [MaybeUninit<u8>]) -> io::Result<(usize, R)>,
) -> io::Result<(usize, R)> {
    // SAFETY: `Socket`'s functions never make a byte uninitialised.
    let (n, rest) = recv(unsafe { buf.unfilled_mut() })?;
    // SAFETY: they initialise the bytes that they count.
    unsafe { buf.assume_init(n) };
    buf.advance(n);
    Ok((n, rest))
}

/// Runs `recv` on the next chunk of a `BufMut`. `recv` must be one of `Socket`'s functions.
pub(super) fn append<B: BufMut, R>(
    buf: &mut B,
    recv: impl FnOnce(&mut [MaybeUninit<u8>]) -> io::Result<(usize, R)>,
) -> io::Result<(usize, R)> {
    // SAFETY: `Socket`'s functions never make a byte uninitialised.
    let (n, rest) = recv(unsafe { buf.chunk_mut().as_uninit_slice_mut() })?;
    // SAFETY: they initialise the bytes that they count, all of them in the chunk.
    unsafe { buf.advance_mut(n) };
    Ok((n, rest))
}
