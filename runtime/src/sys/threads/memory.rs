//! The memory of task cells. It comes from the allocator, which is faster than a list of free blocks that threads
//! share.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Returns a block for a `T`, which is not zero-sized. The program ends if there is no memory.
pub(crate) fn allocate<T>() -> NonNull<T> {
    let layout = Layout::new::<T>();
    // SAFETY: a `T` is not zero-sized.
    NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout)).cast()
}

/// Frees a block.
///
/// # Safety
///
/// It came from `allocate::<T>()`, and its content was dropped.
pub(crate) unsafe fn free<T>(block: NonNull<T>) {
    // SAFETY: the caller's promise.
    unsafe { dealloc(block.as_ptr().cast(), Layout::new::<T>()) }
}
