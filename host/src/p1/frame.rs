//! The memory that a call of wasmtime-wasi sees when it is made on another thread. It holds copies of the parameters in
//! guest memory, and the results are copied back.
//!
//! Each parameter of a call is converted by the method of the same name as its type in the table of imports (`abi.rs`).

use smallvec::SmallVec;

use crate::p1::errno::Errno;
use crate::p1::memory::GuestMemory;
use crate::p1::sockets::table::Numbers;

/// An upper bound on the length of a path, on any host.
const MAX_TEXT: u32 = 1 << 16;

/// The alignment of the largest value that WASI passes in memory.
const ALIGN: usize = 8;

/// The memory of one call.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
    /// Where the frame starts in `bytes`. wasmtime-wasi checks the alignment of actual addresses, not of offsets.
    start: usize,
    results: SmallVec<[Place; 2]>,
}

/// A result in the frame, and its address in the guest.
#[derive(Clone, Copy, Debug)]
struct Place {
    here: usize,
    len: usize,
    guests: u32,
}

/// Fills a frame with a call's parameters, in order.
pub(crate) struct Filling<'a> {
    frame: Frame,
    memory: GuestMemory<'a>,
    numbers: Numbers,
    /// The address of a text whose length has not been passed yet.
    text: u32,
}

impl<'a> Filling<'a> {
    pub(crate) fn new(memory: GuestMemory<'a>, numbers: Numbers) -> Filling<'a> {
        Filling { frame: Frame::default(), memory, numbers, text: 0 }
    }

    pub(crate) fn done(self) -> Frame {
        self.frame
    }

    /// A descriptor of wasmtime-wasi.
    pub(crate) fn fd(&mut self, fd: i32) -> Result<i32, Errno> {
        Ok(self.numbers.file(fd))
    }

    pub(crate) fn i32(&mut self, value: i32) -> Result<i32, Errno> {
        Ok(value)
    }

    pub(crate) fn i64(&mut self, value: i64) -> Result<i64, Errno> {
        Ok(value)
    }

    /// The address of a text. Its length is the next parameter.
    pub(crate) fn text(&mut self, ptr: i32) -> Result<i32, Errno> {
        self.text = ptr as u32;
        Ok(self.frame.bytes.len() as i32)
    }

    /// The length of the text.
    pub(crate) fn size(&mut self, len: i32) -> Result<i32, Errno> {
        let bytes = self.memory.bytes(self.text, len as u32)?;
        if len as u32 > MAX_TEXT {
            return Err(Errno::NAMETOOLONG);
        }
        self.frame.bytes.extend_from_slice(bytes);
        Ok(len)
    }

    /// The address of a result of 4 bytes.
    pub(crate) fn out4(&mut self, ptr: i32) -> Result<i32, Errno> {
        self.out(ptr, 4, 4)
    }

    /// The address of a result of 8 bytes.
    pub(crate) fn out8(&mut self, ptr: i32) -> Result<i32, Errno> {
        self.out(ptr, 8, 8)
    }

    /// The address of a `filestat`.
    pub(crate) fn out64(&mut self, ptr: i32) -> Result<i32, Errno> {
        self.out(ptr, 64, 8)
    }

    /// The address of a result of `len` bytes.
    pub(crate) fn out(&mut self, ptr: i32, len: u32, align: usize) -> Result<i32, Errno> {
        let len = len as usize;
        let guests = self.memory.range(ptr as u32, len, align)?;
        let here = self.room(len);
        // Bytes that the call does not write keep their value.
        self.frame.bytes[here..].copy_from_slice(&self.memory.0[guests]);
        self.frame.results.push(Place { here, len, guests: ptr as u32 });
        Ok(here as i32)
    }

    /// The address of a `filestat` that is not returned to the guest.
    pub(crate) fn out64_here(&mut self) -> i32 {
        self.room(64) as i32
    }

    fn room(&mut self, len: usize) -> usize {
        let bytes = &mut self.frame.bytes;
        let here = bytes.len().next_multiple_of(ALIGN);
        bytes.resize(here + len, 0);
        here
    }
}

impl Frame {
    /// Creates a frame of `len` zero bytes.
    pub(crate) fn zeroed(len: usize) -> Frame {
        Frame { bytes: vec![0; len], ..Frame::default() }
    }

    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }

    pub(crate) fn u32(&mut self, at: usize) -> u32 {
        self.bytes()[at..at + 4].try_into().map_or(0, u32::from_le_bytes)
    }

    pub(crate) fn set_u32(&mut self, at: usize, value: u32) {
        self.bytes()[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Copies the results of a call that succeeded to the guest.
    pub(crate) fn give(&self, memory: &mut GuestMemory<'_>) -> Result<(), Errno> {
        self.results.iter().try_for_each(|result| {
            let here = self.start + result.here;
            memory.write(result.guests, 1, &self.bytes[here..here + result.len])
        })
    }

    /// Returns the memory in the form that wasmtime-wasi takes.
    pub(crate) fn memory(&mut self) -> wiggle::GuestMemory<'_> {
        if !self.bytes[self.start..].as_ptr().addr().is_multiple_of(ALIGN) {
            self.bytes.drain(..self.start);
            self.bytes.reserve(ALIGN);
            self.start = self.bytes.as_ptr().align_offset(ALIGN);
            self.bytes.splice(..0, std::iter::repeat_n(0, self.start));
        }
        wiggle::GuestMemory::Unshared(self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_copied_and_results_given_back() {
        let mut guest = [0; 128];
        guest[3..8].copy_from_slice(b"a/b/c");
        let mut filling = Filling::new(GuestMemory(&mut guest), Numbers::of_listeners(2));
        assert_eq!(filling.fd(5), Ok(3));
        assert_eq!(filling.text(3), Ok(0));
        assert_eq!(filling.size(5), Ok(5));
        assert_eq!(filling.out8(40), Ok(8));
        assert_eq!(filling.out64(64), Ok(16));
        for (ptr, errno) in [(41, Errno::INVAL), (128, Errno::FAULT), (-8, Errno::FAULT)] {
            assert_eq!(filling.out8(ptr), Err(errno), "{ptr}");
        }
        assert_eq!(filling.text(100), Ok(80));
        for (len, errno) in [(29, Errno::FAULT), (-1, Errno::FAULT)] {
            assert_eq!(filling.size(len), Err(errno), "{len}");
        }
        let mut frame = filling.done();
        assert_eq!(frame.bytes()[..5], *b"a/b/c");
        let wiggle::GuestMemory::Unshared(seen) = frame.memory() else { panic!("it is shared") };
        assert!(seen.as_ptr().addr().is_multiple_of(8));
        seen[8..16].copy_from_slice(&7u64.to_le_bytes());
        frame.give(&mut GuestMemory(&mut guest)).unwrap();
        assert_eq!(guest[40..48], 7u64.to_le_bytes());
        assert_eq!(guest[..8], *b"\0\0\0a/b/c");
    }

    #[test]
    fn a_text_without_end_is_not_copied() {
        let mut guest = vec![b'a'; (MAX_TEXT + 1) as usize];
        let mut filling = Filling::new(GuestMemory(&mut guest), Numbers::of_listeners(0));
        filling.text(0).unwrap();
        assert_eq!(filling.size(MAX_TEXT as i32 + 1), Err(Errno::NAMETOOLONG));
        assert_eq!(filling.size(MAX_TEXT as i32), Ok(MAX_TEXT as i32));
    }
}
