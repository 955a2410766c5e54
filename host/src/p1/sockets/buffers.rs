//! The guest's buffers in the form that the host's receive calls take.

use std::mem::MaybeUninit;

/// Views initialised bytes as possibly uninitialised ones.
///
/// socket2 receives only into `MaybeUninit`. Guest memory is always initialised, and a copy between the two would cost
/// the time that this crate promises not to spend.
#[expect(unsafe_code, reason = "a cast between types of one layout, see SAFETY")]
pub(super) fn as_uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let ptr = std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>];
    // SAFETY: `MaybeUninit<u8>` has the layout of `u8`, and the slice keeps its length and lifetime. Writing an
    // uninitialised byte through it would be unsound. It is passed only to receive calls of socket2, which hand it to
    // the kernel and so write initialised bytes or nothing.
    unsafe { &mut *ptr }
}
