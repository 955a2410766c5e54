//! The memory of task cells. The blocks of finished tasks are reused for new ones.
//!
//! PERF: the allocator of WASI's C library takes 84 ns under wasmtime to allocate and free a block, more than the rest
//! of a spawn and join.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use super::lock::Mutex;

/// The allocator hands out multiples of this many bytes and uses some of them itself. A block is as large as what is
/// left of such a multiple.
const STEP: usize = 16;
const ALLOCATOR_OVERHEAD: usize = 4;
/// Blocks of more than this many steps are not kept.
const CLASSES: usize = 256;
/// The maximum number of bytes kept in blocks of each size: enough for some ten thousand small tasks.
const MAX_KEPT: usize = 1 << 20;
/// The alignment of every allocation.
const ALIGN: usize = 8;

/// A block that is kept points to the next one.
struct Free {
    next: Option<NonNull<Free>>,
}

#[derive(Clone, Copy)]
struct Class {
    first: Option<NonNull<Free>>,
    len: usize,
}

struct Classes([Class; CLASSES]);

// SAFETY: the list owns the blocks.
unsafe impl Send for Classes {}

static FREE_LISTS: Mutex<Classes> =
    Mutex::new(Classes([const { Class { first: None, len: 0 } }; CLASSES]));

/// Returns the index of a type's blocks in the list, and their layout. Evaluated at compile time.
const fn class_of<T>() -> (usize, Layout) {
    let layout = Layout::new::<T>();
    let steps = (layout.size() + ALLOCATOR_OVERHEAD).div_ceil(STEP);
    if layout.size() == 0 || steps > CLASSES || layout.align() > ALIGN {
        return (CLASSES, layout);
    }
    match Layout::from_size_align(steps * STEP - ALLOCATOR_OVERHEAD, ALIGN) {
        Ok(layout) => (steps - 1, layout),
        Err(_) => (CLASSES, layout),
    }
}

pub(crate) fn allocate<T>() -> NonNull<T> {
    let (class, layout) = const { class_of::<T>() };
    allocate_class(class, layout).cast()
}

fn allocate_class(class: usize, layout: Layout) -> NonNull<u8> {
    let mut kept = FREE_LISTS.lock();
    match kept.0.get_mut(class) {
        Some(Class { first: first @ Some(_), len }) => {
            let block = first.take().expect("it was just matched");
            // SAFETY: a kept block holds a `Free`, and only the list refers to it.
            *first = unsafe { block.as_ref() }.next;
            *len -= 1;
            block.cast()
        }
        _ => {
            drop(kept);
            from_allocator(layout)
        }
    }
}

/// # Safety
///
/// The block came from `allocate::<T>()`, and its content was dropped.
pub(crate) unsafe fn free<T>(block: NonNull<T>) {
    let (class, layout) = const { class_of::<T>() };
    // SAFETY: promised by the caller. The class and the layout are the type's.
    unsafe { free_class(block.cast(), class, layout) }
}

/// # Safety
///
/// The block is free and came from `allocate_class` with the same class and layout.
unsafe fn free_class(block: NonNull<u8>, class: usize, layout: Layout) {
    let mut kept = FREE_LISTS.lock();
    match kept.0.get_mut(class) {
        Some(Class { first, len }) if *len * layout.size() < MAX_KEPT => {
            let free = block.cast::<Free>();
            // SAFETY: a block of a class has room for a `Free`, is aligned, and nothing refers to it.
            unsafe { free.write(Free { next: *first }) };
            *first = Some(free);
            *len += 1;
        }
        _ => {
            drop(kept);
            // SAFETY: the block came from the allocator with this layout.
            unsafe { dealloc(block.as_ptr(), layout) }
        }
    }
}

/// Returns a block for `layout`, whose size is not zero. The program ends if there is no memory.
fn from_allocator(layout: Layout) -> NonNull<u8> {
    // SAFETY: the caller's layout is not zero-sized.
    NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}
