//! Messages natively: `msghdr` and `iovec`.
#![allow(unsafe_code)] // Pointers with lifetimes.

use std::ffi::c_int;
use std::io::{IoSlice, IoSliceMut};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::socket::socklen_t;
use crate::SockAddr;

/// Memory that need not be initialised, as the system takes it.
#[repr(transparent)]
pub struct MaybeUninitSlice<'a> {
    vec: libc::iovec,
    _memory: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

// SAFETY: it is an exclusive reference to bytes.
unsafe impl Send for MaybeUninitSlice<'_> {}
// SAFETY: as above.
unsafe impl Sync for MaybeUninitSlice<'_> {}

impl<'a> MaybeUninitSlice<'a> {
    /// The memory of `buf`.
    pub fn new(buf: &'a mut [MaybeUninit<u8>]) -> MaybeUninitSlice<'a> {
        let vec = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
        MaybeUninitSlice { vec, _memory: PhantomData }
    }

    pub(crate) fn as_slice(&self) -> &[MaybeUninit<u8>] {
        // SAFETY: it was made from a slice of this lifetime.
        unsafe { std::slice::from_raw_parts(self.vec.iov_base.cast(), self.vec.iov_len) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: it was made from an exclusive slice of this lifetime.
        unsafe { std::slice::from_raw_parts_mut(self.vec.iov_base.cast(), self.vec.iov_len) }
    }
}

fn empty() -> libc::msghdr {
    // SAFETY: all fields may be zero.
    unsafe { std::mem::zeroed() }
}

/// A message to send.
pub(crate) struct Outgoing<'addr, 'bufs, 'control> {
    header: libc::msghdr,
    _memory: PhantomData<(&'addr SockAddr, &'bufs [IoSlice<'bufs>], &'control [u8])>,
}

// SAFETY: it consists of shared references to bytes.
unsafe impl Send for Outgoing<'_, '_, '_> {}

impl<'addr, 'bufs, 'control> Outgoing<'addr, 'bufs, 'control> {
    pub(crate) fn new() -> Self {
        Outgoing { header: empty(), _memory: PhantomData }
    }

    pub(crate) fn set_addr(&mut self, addr: &'addr SockAddr) {
        self.header.msg_name = (&raw const addr.storage).cast_mut().cast();
        self.header.msg_namelen = addr.len;
    }

    pub(crate) fn set_buffers(&mut self, bufs: &'bufs [IoSlice<'_>]) {
        // `IoSlice` is an `iovec`.
        self.header.msg_iov = bufs.as_ptr().cast_mut().cast();
        self.header.msg_iovlen = bufs.len() as _;
    }

    pub(crate) fn set_control(&mut self, control: &'control [u8]) {
        self.header.msg_control = control.as_ptr().cast_mut().cast();
        self.header.msg_controllen = control.len() as _;
    }

    pub(crate) fn set_flags(&mut self, flags: c_int) {
        self.header.msg_flags = flags;
    }

    pub(super) fn header(&self) -> *const libc::msghdr {
        &raw const self.header
    }
}

/// A message to receive into.
pub(crate) struct Incoming<'addr, 'bufs, 'control> {
    header: libc::msghdr,
    _memory: PhantomData<(&'addr mut SockAddr, &'bufs mut [u8], &'control mut [u8])>,
}

// SAFETY: it consists of exclusive references to bytes.
unsafe impl Send for Incoming<'_, '_, '_> {}

impl<'addr, 'bufs, 'control> Incoming<'addr, 'bufs, 'control> {
    pub(crate) fn new() -> Self {
        Incoming { header: empty(), _memory: PhantomData }
    }

    pub(crate) fn set_addr(&mut self, addr: &'addr mut SockAddr) {
        self.header.msg_name = (&raw mut addr.storage).cast();
        self.header.msg_namelen = addr.len;
    }

    /// Returns the length of the address that was received.
    pub(crate) fn addr_len(&self) -> socklen_t {
        self.header.msg_namelen
    }

    pub(crate) fn set_buffers(&mut self, bufs: &'bufs mut [MaybeUninitSlice<'_>]) {
        self.header.msg_iov = bufs.as_mut_ptr().cast();
        self.header.msg_iovlen = bufs.len() as _;
    }

    pub(crate) fn set_slices(&mut self, bufs: &'bufs mut [IoSliceMut<'_>]) {
        // `IoSliceMut` is an `iovec`.
        self.header.msg_iov = bufs.as_mut_ptr().cast();
        self.header.msg_iovlen = bufs.len() as _;
    }

    pub(crate) fn set_control(&mut self, control: &'control mut [MaybeUninit<u8>]) {
        self.header.msg_control = control.as_mut_ptr().cast();
        self.header.msg_controllen = control.len() as _;
    }

    pub(crate) fn flags(&self) -> c_int {
        self.header.msg_flags
    }

    // The field is a `u32` on some systems.
    #[allow(clippy::unnecessary_cast)]
    pub(crate) fn control_len(&self) -> usize {
        self.header.msg_controllen as usize
    }

    pub(super) fn header(&mut self) -> *mut libc::msghdr {
        &raw mut self.header
    }
}
