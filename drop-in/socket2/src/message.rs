//! Messages with an address, buffers and control data, for `Socket::sendmsg` and `Socket::recvmsg`.

use std::fmt;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

use crate::{MaybeUninitSlice, RecvFlags, SockAddr, sys};

impl Deref for MaybeUninitSlice<'_> {
    type Target = [MaybeUninit<u8>];

    fn deref(&self) -> &[MaybeUninit<u8>] {
        self.as_slice()
    }
}

impl DerefMut for MaybeUninitSlice<'_> {
    fn deref_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        self.as_mut_slice()
    }
}

impl fmt::Debug for MaybeUninitSlice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

/// A message to be sent.
pub struct MsgHdr<'addr, 'bufs, 'control>(pub(crate) sys::Outgoing<'addr, 'bufs, 'control>);

#[allow(clippy::new_without_default)] // As upstream.
impl<'addr, 'bufs, 'control> MsgHdr<'addr, 'bufs, 'control> {
    /// An empty message.
    pub fn new() -> MsgHdr<'addr, 'bufs, 'control> {
        MsgHdr(sys::Outgoing::new())
    }

    /// Sets the receiver.
    pub fn with_addr(mut self, addr: &'addr SockAddr) -> Self {
        self.0.set_addr(addr);
        self
    }

    /// Sets the content.
    pub fn with_buffers(mut self, bufs: &'bufs [IoSlice<'_>]) -> Self {
        self.0.set_buffers(bufs);
        self
    }

    /// Sets the control data.
    pub fn with_control(mut self, buf: &'control [u8]) -> Self {
        self.0.set_control(buf);
        self
    }

    /// Sets the flags of the message.
    pub fn with_flags(mut self, flags: std::ffi::c_int) -> Self {
        self.0.set_flags(flags);
        self
    }
}

impl fmt::Debug for MsgHdr<'_, '_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        "MsgHdr".fmt(f)
    }
}

/// A message to be received.
pub struct MsgHdrMut<'addr, 'bufs, 'control>(pub(crate) sys::Incoming<'addr, 'bufs, 'control>);

#[allow(clippy::new_without_default)] // As upstream.
impl<'addr, 'bufs, 'control> MsgHdrMut<'addr, 'bufs, 'control> {
    /// A message without room for anything.
    pub fn new() -> MsgHdrMut<'addr, 'bufs, 'control> {
        MsgHdrMut(sys::Incoming::new())
    }

    /// Sets where the sender's address goes.
    #[allow(clippy::needless_pass_by_ref_mut)]
    pub fn with_addr(mut self, addr: &'addr mut SockAddr) -> Self {
        self.0.set_addr(addr);
        self
    }

    /// Sets where the content goes.
    pub fn with_buffers(mut self, bufs: &'bufs mut [MaybeUninitSlice<'_>]) -> Self {
        self.0.set_buffers(bufs);
        self
    }

    /// Sets where the control data goes.
    pub fn with_control(mut self, buf: &'control mut [MaybeUninit<u8>]) -> Self {
        self.0.set_control(buf);
        self
    }

    /// Returns the flags of the received message.
    pub fn flags(&self) -> RecvFlags {
        RecvFlags(self.0.flags())
    }

    /// Returns how many bytes of control data were received.
    pub fn control_len(&self) -> usize {
        self.0.control_len()
    }
}

impl fmt::Debug for MsgHdrMut<'_, '_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        "MsgHdrMut".fmt(f)
    }
}
