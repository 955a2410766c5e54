//! The buffer that [`AsyncRead::poll_read`](super::AsyncRead::poll_read) fills.
//!
//! Unsafe code is allowed here: memory that was never written may be read into without clearing it first. The rest of
//! the crate sees only the safe methods.

use std::fmt;
use std::mem::MaybeUninit;

use bytes::buf::UninitSlice;

/// A byte buffer that tracks how far it is filled and how far it is initialised.
///
/// ```text
/// [              capacity               ]
/// [   filled   |        unfilled        ]
/// [      initialized      | uninit      ]
/// ```
///
/// The filled part is always inside the initialised one. A reader adds to the filled part, either with
/// [`put_slice`](Self::put_slice), or by writing into [`initialize_unfilled`](Self::initialize_unfilled) and
/// calling [`advance`](Self::advance).
///
/// # Examples
///
/// ```
/// let mut memory = [0; 16];
/// let mut buf = wasio::io::ReadBuf::new(&mut memory);
/// buf.put_slice(b"abc");
/// buf.initialize_unfilled_to(2).copy_from_slice(b"de");
/// buf.advance(2);
/// assert_eq!(buf.filled(), b"abcde");
/// assert_eq!(buf.remaining(), 11);
/// ```
pub struct ReadBuf<'a> {
    // The first `initialized` bytes are initialised and stay so. Invariant: filled <= initialized <= memory.len().
    memory: &'a mut [MaybeUninit<u8>],
    filled: usize,
    initialized: usize,
}

impl<'a> ReadBuf<'a> {
    /// Creates an unfilled buffer over initialised memory.
    #[inline]
    #[allow(unsafe_code)]
    pub fn new(buf: &'a mut [u8]) -> ReadBuf<'a> {
        let initialized = buf.len();
        // SAFETY: the layouts are the same. Uninitialised bytes could be written through the new type, which would show
        // in `buf`. Only `inner_mut` and `unfilled_mut` give access to it, and their callers promise not to.
        let memory = unsafe { &mut *(buf as *mut [u8] as *mut [MaybeUninit<u8>]) };
        ReadBuf { memory, filled: 0, initialized }
    }

    /// Creates an unfilled buffer over memory that may be uninitialised.
    #[inline]
    pub fn uninit(buf: &'a mut [MaybeUninit<u8>]) -> ReadBuf<'a> {
        ReadBuf { memory: buf, filled: 0, initialized: 0 }
    }

    /// Returns the size of the buffer in bytes.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// Returns the filled part.
    #[inline]
    pub fn filled(&self) -> &[u8] {
        &self.initialized()[..self.filled]
    }

    /// Returns the length of the filled part, without checking that the memory is that long.
    #[inline]
    pub(crate) fn filled_len(&self) -> usize {
        self.filled
    }

    /// Returns the filled part for modification.
    #[inline]
    pub fn filled_mut(&mut self) -> &mut [u8] {
        let filled = self.filled;
        &mut self.initialized_mut()[..filled]
    }

    /// Returns a buffer over at most `n` bytes of the unfilled part.
    ///
    /// Bytes that are put there count for this buffer only after [`assume_init`](Self::assume_init) and
    /// [`advance`](Self::advance).
    #[inline]
    pub fn take(&mut self, n: usize) -> ReadBuf<'_> {
        let end = self.filled + n.min(self.remaining());
        ReadBuf::uninit(&mut self.memory[self.filled..end])
    }

    /// Returns the part that is known to be initialised, filled or not.
    #[inline]
    #[allow(unsafe_code)]
    pub fn initialized(&self) -> &[u8] {
        let bytes = &self.memory[..self.initialized];
        // SAFETY: these bytes are initialised, by the type's invariant.
        unsafe { &*(bytes as *const [MaybeUninit<u8>] as *const [u8]) }
    }

    /// Returns the part that is known to be initialised, for modification.
    #[inline]
    #[allow(unsafe_code)]
    pub fn initialized_mut(&mut self) -> &mut [u8] {
        let bytes = &mut self.memory[..self.initialized];
        // SAFETY: these bytes are initialised, by the type's invariant, and through `u8` they stay so.
        unsafe { &mut *(bytes as *mut [MaybeUninit<u8>] as *mut [u8]) }
    }

    /// Returns all of the memory.
    ///
    /// # Safety
    ///
    /// The caller must not make initialised bytes uninitialised.
    #[inline]
    #[allow(unsafe_code)]
    pub unsafe fn inner_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        self.memory
    }

    /// Returns the unfilled part.
    ///
    /// # Safety
    ///
    /// The caller must not make initialised bytes uninitialised.
    #[inline]
    #[allow(unsafe_code)]
    pub unsafe fn unfilled_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.memory[self.filled..]
    }

    /// Returns the unfilled part, with zeros where it was not initialised.
    #[inline]
    pub fn initialize_unfilled(&mut self) -> &mut [u8] {
        self.initialize_unfilled_to(self.remaining())
    }

    /// Returns the first `n` bytes of the unfilled part, with zeros where they were not initialised.
    ///
    /// # Panics
    ///
    /// Panics if fewer than `n` bytes remain.
    #[inline]
    #[track_caller]
    pub fn initialize_unfilled_to(&mut self, n: usize) -> &mut [u8] {
        assert!(self.remaining() >= n, "n overflows remaining");
        let end = self.filled + n;
        if self.initialized < end {
            self.memory[self.initialized..end].fill(MaybeUninit::new(0));
            self.initialized = end;
        }
        let filled = self.filled;
        &mut self.initialized_mut()[filled..end]
    }

    /// Returns how many bytes can still be filled.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.capacity() - self.filled
    }

    /// Empties the filled part. Initialised memory stays initialised.
    #[inline]
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// Counts `n` more bytes as filled.
    ///
    /// # Panics
    ///
    /// Panics if they are not known to be initialised.
    #[inline]
    #[track_caller]
    pub fn advance(&mut self, n: usize) {
        let filled = self.filled.checked_add(n).expect("filled overflow");
        self.set_filled(filled);
    }

    /// Sets the size of the filled part to `n` bytes, which may shrink it.
    ///
    /// # Panics
    ///
    /// Panics if they are not known to be initialised.
    #[inline]
    #[track_caller]
    pub fn set_filled(&mut self, n: usize) {
        assert!(n <= self.initialized, "filled must not become larger than initialized");
        self.filled = n;
    }

    /// Declares the first `n` unfilled bytes initialised.
    ///
    /// # Safety
    ///
    /// The caller must have initialised them.
    #[inline]
    #[allow(unsafe_code)]
    pub unsafe fn assume_init(&mut self, n: usize) {
        self.initialized = self.initialized.max(self.filled + n);
    }

    /// Copies `buf` to the end of the filled part.
    ///
    /// # Panics
    ///
    /// Panics if it does not fit.
    #[inline]
    #[track_caller]
    #[allow(unsafe_code)]
    pub fn put_slice(&mut self, buf: &[u8]) {
        assert!(
            self.remaining() >= buf.len(),
            "buf.len() must fit in remaining(); buf.len() = {}, remaining() = {}",
            buf.len(),
            self.remaining()
        );
        let end = self.filled + buf.len();
        // SAFETY: the layouts are the same, and initialised bytes may be read as if they might be uninitialised.
        let bytes = unsafe { &*(buf as *const [u8] as *const [MaybeUninit<u8>]) };
        self.memory[self.filled..end].copy_from_slice(bytes);
        self.filled = end;
        self.initialized = self.initialized.max(end);
    }

    /// Lets `fill` add at most `n` bytes. Returns the number of bytes added and the result of `fill`.
    ///
    /// # Panics
    ///
    /// Panics if `fill` replaces the buffer that it was given.
    pub(crate) fn fill_at_most<R>(
        &mut self,
        n: usize,
        fill: impl FnOnce(&mut ReadBuf<'_>) -> R,
    ) -> (usize, R) {
        let start = self.filled;
        let end = start + n.min(self.remaining());
        let mut part = ReadBuf {
            initialized: self.initialized.clamp(start, end) - start,
            memory: &mut self.memory[start..end],
            filled: 0,
        };
        let at = part.memory.as_ptr();
        let result = fill(&mut part);
        assert!(
            part.memory.as_ptr() == at && part.capacity() == end - start,
            "the ReadBuf was swapped"
        );
        let (filled, initialized) = (part.filled, part.initialized);
        self.filled = start + filled;
        self.initialized = self.initialized.max(start + initialized);
        (filled, result)
    }
}

// SAFETY: `chunk_mut` is the whole unfilled part, `remaining_mut` its length, and `advance_mut` moves its start by the
// number of bytes that the caller has initialised.
#[allow(unsafe_code)]
unsafe impl bytes::BufMut for ReadBuf<'_> {
    fn remaining_mut(&self) -> usize {
        self.remaining()
    }

    unsafe fn advance_mut(&mut self, cnt: usize) {
        // SAFETY: the caller has initialised `cnt` bytes of the chunk.
        unsafe { self.assume_init(cnt) };
        self.advance(cnt);
    }

    fn chunk_mut(&mut self) -> &mut UninitSlice {
        UninitSlice::uninit(&mut self.memory[self.filled..])
    }
}

impl fmt::Debug for ReadBuf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBuf")
            .field("filled", &self.filled)
            .field("initialized", &self.initialized)
            .field("capacity", &self.capacity())
            .finish()
    }
}
