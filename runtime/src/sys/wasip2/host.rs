//! The functions of `wasi:io` and of the clock that the reactor and sockets call. They are declared under the version
//! that the C library declares, of which every guest imports some functions: imports of the same name are merged. The
//! published bindings declare a newer version, with which a guest imports the same functions twice, at 200 bytes for
//! each.
//!
//! Only [`wait_for`] waits.
#![allow(unsafe_code)] // Imports, as the canonical ABI lowers them.

use std::mem::{ManuallyDrop, MaybeUninit};
use std::num::NonZeroU32;

/// A `result` as the canonical ABI returns it.
#[repr(C)]
pub struct AbiResult<T: Copy, E: Copy> {
    is_error: u8,
    payload: Payload<T, E>,
}

#[repr(C)]
union Payload<T: Copy, E: Copy> {
    done: T,
    error: E,
}

impl<T: Copy, E: Copy> AbiResult<T, E> {
    /// Calls the host and returns its result.
    ///
    /// # Safety
    ///
    /// `call` has the host write a `result` to the given address. Its cases are `T` and `E`, as the canonical ABI
    /// stores them.
    #[inline]
    pub unsafe fn of(call: impl FnOnce(*mut AbiResult<T, E>)) -> Result<T, E> {
        let mut answer = MaybeUninit::<AbiResult<T, E>>::uninit();
        call(answer.as_mut_ptr());
        let answer = answer.as_ptr();
        // SAFETY: the host has written the discriminant and that case.
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
        // SAFETY: by the canonical ABI, the host had `cabi_realloc` allocate room for this many elements, filled it,
        // and passed it to the guest. That function, whether the C library's or that of published bindings, uses the
        // global allocator.
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

/// Why a stream cannot be read or written.
#[derive(Debug)]
pub enum StreamError {
    /// It failed. Contains the first line of the host's text for debugging.
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
        // SAFETY: the guest owns the error. It is asked for its text, which the host writes as a list of bytes that are
        // UTF-8, and dropped.
        unsafe {
            to_debug_string(failure.error, text.as_mut_ptr());
            drop_error(failure.error);
            let mut text = text.assume_init().into_vec();
            // A backtrace of the host may follow the first line.
            if let Some(end) = text.iter().position(|&byte| byte == b'\n') {
                text.truncate(end);
            }
            StreamError::Failed(String::from_utf8_unchecked(text))
        }
    }
}

/// Something that the guest can wait for.
// SIZE: the canonical ABI never gives a handle the number 0, so an `Option<Pollable>` takes no extra room: 12 bytes
// less of each socket. The other handles below are never optional, and would add half a kilobyte to a guest this way.
#[derive(Debug)]
pub struct Pollable(NonZeroU32);

impl Pollable {
    /// Takes ownership of the resource with this handle.
    ///
    /// # Safety
    ///
    /// The handle is one of a pollable, and nothing else owns it.
    #[inline]
    pub unsafe fn from_handle(handle: u32) -> Pollable {
        // SAFETY: promised by the caller, and a handle is never 0.
        Pollable(unsafe { NonZeroU32::new_unchecked(handle) })
    }

    /// Returns the handle.
    #[inline]
    pub fn handle(&self) -> u32 {
        self.0.get()
    }
}

impl Drop for Pollable {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the guest owns it.
        unsafe { drop_pollable(self.handle()) }
    }
}

macro_rules! resources {
    ($($(#[$docs:meta])* $name:ident, $drop:ident;)*) => {$(
        $(#[$docs])*
        #[derive(Debug)]
        pub struct $name(u32);

        impl $name {
            /// Takes ownership of the resource with this handle.
            ///
            /// # Safety
            ///
            /// The handle is one of such a resource, and nothing else owns it.
            #[inline]
            pub unsafe fn from_handle(handle: u32) -> $name {
                $name(handle)
            }

            /// Returns the handle.
            #[inline]
            pub fn handle(&self) -> u32 {
                self.0
            }

            /// Returns the handle. The caller owns the resource then.
            #[inline]
            pub fn into_handle(self) -> u32 {
                ManuallyDrop::new(self).0
            }
        }

        impl Drop for $name {
            #[inline]
            fn drop(&mut self) {
                // SAFETY: the guest owns it.
                unsafe { $drop(self.0) }
            }
        }
    )*};
}

resources! {
    /// A stream of bytes from the host.
    InputStream, drop_input;
    /// A stream of bytes to the host.
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
    fn read(stream: u32, len: u64, bytes: *mut AbiResult<List<u8>, Failure>);
    #[link_name = "[method]input-stream.subscribe"]
    fn subscribe_input(stream: u32) -> u32;
    #[link_name = "[resource-drop]input-stream"]
    fn drop_input(stream: u32);
    #[link_name = "[method]output-stream.check-write"]
    fn check_write(stream: u32, permit: *mut AbiResult<u64, Failure>);
    #[link_name = "[method]output-stream.write"]
    fn write(stream: u32, bytes: *const u8, len: usize, result: *mut AbiResult<(), Failure>);
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
    /// Reads up to `len` bytes.
    #[inline]
    pub fn read(&self, len: u64) -> Result<Vec<u8>, StreamError> {
        // SAFETY: the guest owns the stream, and the result has these cases.
        let bytes =
            unsafe { AbiResult::<List<u8>, Failure>::of(|answer| read(self.0, len, answer)) };
        // SAFETY: the host has written the list.
        bytes.map(|bytes| unsafe { bytes.into_vec() }).map_err(StreamError::from)
    }

    /// Returns a pollable that is ready when there is something to read.
    pub fn subscribe(&self) -> Pollable {
        // SAFETY: the guest owns the stream and the pollable that the host returns.
        unsafe { Pollable::from_handle(subscribe_input(self.0)) }
    }
}

impl OutputStream {
    /// Returns the number of bytes that may be written now.
    #[inline]
    pub fn check_write(&self) -> Result<u64, StreamError> {
        // SAFETY: the guest owns the stream, and the result has these cases.
        let permit = unsafe { AbiResult::of(|answer| check_write(self.0, answer)) };
        permit.map_err(|failure: Failure| failure.into())
    }

    /// Writes at most as many bytes as `check_write` permitted.
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> Result<(), StreamError> {
        // SAFETY: the guest owns the stream, the bytes live for the call, and the result has these cases.
        let done =
            unsafe { AbiResult::of(|answer| write(self.0, bytes.as_ptr(), bytes.len(), answer)) };
        done.map_err(|failure: Failure| failure.into())
    }

    /// Returns a pollable that is ready when the stream can be written to.
    pub fn subscribe(&self) -> Pollable {
        // SAFETY: the guest owns the stream and the pollable that the host returns.
        unsafe { Pollable::from_handle(subscribe_output(self.0)) }
    }
}

/// Returns the time of the clock that timeouts use, in nanoseconds.
pub(crate) fn now() -> u64 {
    // SAFETY: the function has no preconditions.
    unsafe { clock_now() }
}

/// Returns a pollable that is ready after this many nanoseconds.
pub fn subscribe_duration(nanos: u64) -> Pollable {
    // SAFETY: the guest owns the pollable that the host returns.
    unsafe { Pollable::from_handle(clock_after(nanos)) }
}

/// Waits until a pollable is ready. Returns the indices of the ready ones.
///
/// The handles belong to existing pollables, because a source is deregistered before its pollables are dropped.
pub(super) fn ready(handles: &[u32]) -> Vec<u32> {
    let mut ready = MaybeUninit::<List<u32>>::uninit();
    // SAFETY: the handles live for the call. The host writes a list, which the guest owns.
    unsafe {
        poll(handles.as_ptr(), handles.len(), ready.as_mut_ptr());
        ready.assume_init().into_vec()
    }
}

/// Blocks the whole guest until a pollable is ready: `block`, through an import that every guest has.
#[inline(never)]
pub fn wait_for(pollable: u32) {
    ready(&[pollable]);
}
