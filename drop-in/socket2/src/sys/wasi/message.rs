//! Messages on WASI: references to their parts.

use std::ffi::c_int;
use std::io::IoSlice;
use std::mem::MaybeUninit;

use super::socket::socklen_t;
use crate::SockAddr;

/// Memory that need not be initialised.
pub struct MaybeUninitSlice<'a>(&'a mut [MaybeUninit<u8>]);

impl<'a> MaybeUninitSlice<'a> {
    /// The memory of `buf`.
    pub fn new(buf: &'a mut [MaybeUninit<u8>]) -> MaybeUninitSlice<'a> {
        MaybeUninitSlice(buf)
    }

    pub(crate) fn as_slice(&self) -> &[MaybeUninit<u8>] {
        self.0
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [MaybeUninit<u8>] {
        self.0
    }
}

/// A message to send.
#[derive(Default)]
pub(crate) struct Outgoing<'addr, 'bufs, 'control> {
    pub(super) to: Option<&'addr SockAddr>,
    pub(super) bufs: &'bufs [IoSlice<'bufs>],
    pub(super) control: &'control [u8],
    pub(super) flags: c_int,
}

impl<'addr, 'bufs, 'control> Outgoing<'addr, 'bufs, 'control> {
    pub(crate) fn new() -> Self {
        Outgoing::default()
    }

    pub(crate) fn set_addr(&mut self, addr: &'addr SockAddr) {
        self.to = Some(addr);
    }

    pub(crate) fn set_buffers(&mut self, bufs: &'bufs [IoSlice<'_>]) {
        self.bufs = bufs;
    }

    pub(crate) fn set_control(&mut self, control: &'control [u8]) {
        self.control = control;
    }

    pub(crate) fn set_flags(&mut self, flags: c_int) {
        self.flags = flags;
    }
}

/// A message to receive into.
#[derive(Default)]
pub(crate) struct Incoming<'addr, 'bufs, 'control> {
    pub(super) from: Option<&'addr mut SockAddr>,
    pub(super) bufs: Vec<&'bufs mut [MaybeUninit<u8>]>,
    pub(super) flags: c_int,
    _control: std::marker::PhantomData<&'control mut [u8]>,
}

impl<'addr, 'bufs, 'control> Incoming<'addr, 'bufs, 'control> {
    pub(crate) fn new() -> Self {
        Incoming::default()
    }

    pub(crate) fn set_addr(&mut self, addr: &'addr mut SockAddr) {
        self.from = Some(addr);
    }

    /// Returns the length of the address that was received.
    pub(crate) fn addr_len(&self) -> socklen_t {
        self.from.as_ref().map_or(0, |from| from.len)
    }

    pub(crate) fn set_buffers(&mut self, bufs: &'bufs mut [MaybeUninitSlice<'_>]) {
        self.bufs = bufs.iter_mut().map(|buf| &mut *buf.0).collect();
    }

    /// Hosts send no control data.
    pub(crate) fn set_control(&mut self, _: &'control mut [MaybeUninit<u8>]) {}

    pub(crate) fn flags(&self) -> c_int {
        self.flags
    }

    pub(crate) fn control_len(&self) -> usize {
        0
    }
}
