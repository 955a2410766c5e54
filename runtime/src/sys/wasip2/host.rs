//! What the reactor and sockets call of `wasi:io` and of the clock, declared under the version that the C library
//! declares, which every guest imports some of: what has one name is imported once. The published bindings have a
//! newer one, with which a guest imports the same functions twice, at 200 bytes for each.
//!
//! Nothing here waits but [`wait_for`].
#![allow(unsafe_code)] // Imports, as the canonical ABI lowers them.

use std::mem::{ManuallyDrop, MaybeUninit};
use std::num::NonZeroU32;

/// A `result` as the canonical ABI returns it.
#[repr(C)]
pub struct Answer<T: Copy, E: Copy> {
    is_error: u8,
    payload: Payload<T, E>,
}

#[repr(C)]
union Payload<T: Copy, E: Copy> {
    done: T,
    error: E,
}

impl<T: Copy, E: Copy> Answer<T, E> {
    /// What the host answers.
    ///
    /// # Safety
    ///
    /// `call` has the host write a `result` to where it is told to, whose cases are `T` and `E` as the canonical ABI
    /// stores them.
    #[inline]
    pub unsafe fn of(call: impl FnOnce(*mut Answer<T, E>)) -> Result<T, E> {
        let mut answer = MaybeUninit::<Answer<T, E>>::uninit();
        call(answer.as_mut_ptr());
        let answer = answer.as_ptr();
        // SAFETY: the host has written it: which case it is, and that.
        unsafe {
            match (*answer).is_error {
                0 => Ok((*answer).payload.done),
                _ => Err((*answer).payload.error),
            }
        }
    }
}

/// A list as the canonical ABI returns it, in memory that the host asked `cabi_realloc` for.
#[derive(Clone, Copy)]
#[repr(C)]
struct List<T> {
    first: *mut T,
    count: usize,
}

impl<T> List<T> {
    /// # Safety
    ///
    /// The host has written it.
    unsafe fn into_vec(self) -> Vec<T> {
        if self.count == 0 {
            return Vec::new();
        }
        // SAFETY: the canonical ABI: the host had `cabi_realloc` allocate room for so many, filled it, and left it to
        // us. That function, whether of the C library or of published bindings, is over the allocator.
        unsafe { Vec::from_raw_parts(self.first, self.count, self.count) }
    }
}

/// A `stream-error` as the canonical ABI stores it.
#[derive(Clone, Copy)]
#[repr(C)]
struct Failure {
    is_closed: u8,
    error: u32,
}

/// Why a stream does nothing.
#[derive(Debug)]
pub enum StreamError {
    /// It failed; the first line of the host's text for debugging.
    Failed(String),
    /// It has ended.
    Closed,
}

impl From<Failure> for StreamError {
    #[cold]
    #[inline(never)]
    fn from(failure: Failure) -> StreamError {
        if failure.is_closed != 0 {
            return StreamError::Closed;
        }
        let mut text = MaybeUninit::<List<u8>>::uninit();
        // SAFETY: the error is ours: it is asked for its text, which the host writes as a list of bytes that are UTF-8,
        // and dropped.
        unsafe {
            to_debug_string(failure.error, text.as_mut_ptr());
            drop_error(failure.error);
            let mut text = text.assume_init().into_vec();
            // A backtrace of the host may follow.
            if let Some(end) = text.iter().position(|&byte| byte == b'\n') {
                text.truncate(end);
            }
            StreamError::Failed(String::from_utf8_unchecked(text))
        }
    }
}

/// Something that is ready, or will be. The canonical ABI gives no handle the number 0, so a socket has room to say that it
/// has none: 12 bytes less of each. The others below are never missing, and would be half a kilobyte more of a guest so.
#[derive(Debug)]
pub struct Pollable(NonZeroU32);

impl Pollable {
    /// The resource with this handle.
    ///
    /// # Safety
    ///
    /// It is one, and nobody else owns it.
    #[inline]
    pub unsafe fn from_handle(handle: u32) -> Pollable {
        // SAFETY: the caller's promise, and see above.
        Pollable(unsafe { NonZeroU32::new_unchecked(handle) })
    }

    /// Its handle.
    #[inline]
    pub fn handle(&self) -> u32 {
        self.0.get()
    }
}

impl Drop for Pollable {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is ours.
        unsafe { drop_pollable(self.handle()) }
    }
}

macro_rules! resources {
    ($($(#[$docs:meta])* $name:ident, $drop:ident;)*) => {$(
        $(#[$docs])*
        #[derive(Debug)]
        pub struct $name(u32);

        impl $name {
            /// The resource with this handle.
            ///
            /// # Safety
            ///
            /// It is one, and nobody else owns it.
            #[inline]
            pub unsafe fn from_handle(handle: u32) -> $name {
                $name(handle)
            }

            /// Its handle.
            #[inline]
            pub fn handle(&self) -> u32 {
                self.0
            }

            /// Its handle, which belongs to the caller then.
            #[inline]
            pub fn into_handle(self) -> u32 {
                ManuallyDrop::new(self).0
            }
        }

        impl Drop for $name {
            #[inline]
            fn drop(&mut self) {
                // SAFETY: it is ours.
                unsafe { $drop(self.0) }
            }
        }
    )*};
}

resources! {
    /// A stream of bytes to us.
    InputStream, drop_input;
    /// A stream of bytes from us.
    OutputStream, drop_output;
}

#[link(wasm_import_module = "wasi:io/poll@0.2.0")]
unsafe extern "C" {
    fn poll(handles: *const u32, count: usize, ready: *mut List<u32>);
    #[link_name = "[resource-drop]pollable"]
    fn drop_pollable(pollable: u32);
}

#[link(wasm_import_module = "wasi:io/error@0.2.0")]
unsafe extern "C" {
    #[link_name = "[method]error.to-debug-string"]
    fn to_debug_string(error: u32, text: *mut List<u8>);
    #[link_name = "[resource-drop]error"]
    fn drop_error(error: u32);
}

#[link(wasm_import_module = "wasi:io/streams@0.2.0")]
unsafe extern "C" {
    #[link_name = "[method]input-stream.read"]
    fn read(stream: u32, len: u64, bytes: *mut Answer<List<u8>, Failure>);
    #[link_name = "[method]input-stream.subscribe"]
    fn subscribe_input(stream: u32) -> u32;
    #[link_name = "[resource-drop]input-stream"]
    fn drop_input(stream: u32);
    #[link_name = "[method]output-stream.check-write"]
    fn check_write(stream: u32, permit: *mut Answer<u64, Failure>);
    #[link_name = "[method]output-stream.write"]
    fn write(stream: u32, bytes: *const u8, len: usize, result: *mut Answer<(), Failure>);
    #[link_name = "[method]output-stream.subscribe"]
    fn subscribe_output(stream: u32) -> u32;
    #[link_name = "[resource-drop]output-stream"]
    fn drop_output(stream: u32);
}

#[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.2.0")]
unsafe extern "C" {
    #[link_name = "now"]
    fn clock_now() -> u64;
    #[link_name = "subscribe-duration"]
    fn clock_after(nanos: u64) -> u32;
}

impl InputStream {
    /// Reads up to so many bytes.
    #[inline]
    pub fn read(&self, len: u64) -> Result<Vec<u8>, StreamError> {
        // SAFETY: the stream is ours, and the answer is of these cases.
        let bytes = unsafe { Answer::<List<u8>, Failure>::of(|answer| read(self.0, len, answer)) };
        // SAFETY: the host has written it.
        bytes.map(|bytes| unsafe { bytes.into_vec() }).map_err(StreamError::from)
    }

    /// What is ready when there is something to read.
    pub fn subscribe(&self) -> Pollable {
        // SAFETY: the stream is ours, and so is what the host returns.
        unsafe { Pollable::from_handle(subscribe_input(self.0)) }
    }
}

impl OutputStream {
    /// Returns how much may be written now.
    #[inline]
    pub fn check_write(&self) -> Result<u64, StreamError> {
        // SAFETY: the stream is ours, and the answer is of these cases.
        let permit = unsafe { Answer::of(|answer| check_write(self.0, answer)) };
        permit.map_err(|failure: Failure| failure.into())
    }

    /// Writes as much as `check_write` permitted, or less.
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> Result<(), StreamError> {
        // SAFETY: the stream is ours, the bytes live for the call, and the answer is of these cases.
        let done =
            unsafe { Answer::of(|answer| write(self.0, bytes.as_ptr(), bytes.len(), answer)) };
        done.map_err(|failure: Failure| failure.into())
    }

    /// What is ready when something may be written.
    pub fn subscribe(&self) -> Pollable {
        // SAFETY: the stream is ours, and so is what the host returns.
        unsafe { Pollable::from_handle(subscribe_output(self.0)) }
    }
}

/// What the clock of the timeouts says, in nanoseconds.
pub(crate) fn now() -> u64 {
    // SAFETY: no more than a call.
    unsafe { clock_now() }
}

/// What is ready after so many nanoseconds.
pub fn subscribe_duration(nanos: u64) -> Pollable {
    // SAFETY: what the host returns is ours.
    unsafe { Pollable::from_handle(clock_after(nanos)) }
}

/// Waits until a pollable is ready; returns the indices of those that are.
///
/// The handles are those of pollables that exist: a source is deregistered before its pollables go.
pub(super) fn ready(handles: &[u32]) -> Vec<u32> {
    let mut ready = MaybeUninit::<List<u32>>::uninit();
    // SAFETY: the handles live for the call; the host writes a list, which is ours.
    unsafe {
        poll(handles.as_ptr(), handles.len(), ready.as_mut_ptr());
        ready.assume_init().into_vec()
    }
}

/// Holds up the whole guest until a pollable is ready: `block`, by an import that every guest has.
#[inline(never)]
pub fn wait_for(pollable: u32) {
    ready(&[pollable]);
}
