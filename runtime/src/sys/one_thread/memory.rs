//! The memory of task cells: finished tasks leave their blocks for new ones.
//!
// PERF: the allocator of WASI's C library takes 84 ns under wasmtime to hand out a block and take it back, more than the
// rest of a spawn and join.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use super::lock::Mutex;

/// The allocator hands out multiples of this many bytes, of which it uses some itself: a block has the size
/// of what is left of such a multiple.
const STEP: usize = 16;
const ITS_OWN: usize = 4;
/// Larger ones than this many steps are not kept.
const CLASSES: usize = 256;
/// So many bytes are kept in blocks of each size: enough for some ten thousand small tasks.
const KEEP: usize = 1 << 20;
/// What the allocator aligns to without being asked.
const ALIGN: usize = 8;

/// A block that is kept points to the next.
struct Free {
    next: Option<NonNull<Free>>,
}

#[derive(Clone, Copy)]
struct Class {
    first: Option<NonNull<Free>>,
    len: usize,
}

struct Classes([Class; CLASSES]);

// SAFETY: the blocks belong to whoever has the list.
unsafe impl Send for Classes {}

static KEPT: Mutex<Classes> =
    Mutex::new(Classes([const { Class { first: None, len: 0 } }; CLASSES]));

/// The place of a type's blocks in the list, and their layout. Known when the program is compiled.
const fn class_of<T>() -> (usize, Layout) {
    let layout = Layout::new::<T>();
    let steps = (layout.size() + ITS_OWN).div_ceil(STEP);
    if layout.size() == 0 || steps > CLASSES || layout.align() > ALIGN {
        return (CLASSES, layout);
    }
    match Layout::from_size_align(steps * STEP - ITS_OWN, ALIGN) {
        Ok(layout) => (steps - 1, layout),
        Err(_) => (CLASSES, layout),
    }
}

pub(crate) fn take<T>() -> NonNull<T> {
    let (class, layout) = const { class_of::<T>() };
    take_class(class, layout).cast()
}

fn take_class(class: usize, layout: Layout) -> NonNull<u8> {
    let mut kept = KEPT.lock();
    match kept.0.get_mut(class) {
        Some(Class { first: first @ Some(_), len }) => {
            let block = first.take().expect("it was just matched");
            // SAFETY: a kept block holds a `Free`, and the list is the only one who knows it.
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
/// It came from `take::<T>()`, and what was in it is gone.
pub(crate) unsafe fn give_back<T>(block: NonNull<T>) {
    let (class, layout) = const { class_of::<T>() };
    // SAFETY: the caller's promise; the class and the layout are the type's.
    unsafe { give_back_class(block.cast(), class, layout) }
}

/// # Safety
///
/// The block is free and came from `take_class` with the same class and layout.
unsafe fn give_back_class(block: NonNull<u8>, class: usize, layout: Layout) {
    let mut kept = KEPT.lock();
    match kept.0.get_mut(class) {
        Some(Class { first, len }) if *len * layout.size() < KEEP => {
            let free = block.cast::<Free>();
            // SAFETY: a block of a class has room for a `Free`, is aligned, and is nobody's.
            unsafe { free.write(Free { next: *first }) };
            *first = Some(free);
            *len += 1;
        }
        _ => {
            drop(kept);
            // SAFETY: it came from the allocator with this layout.
            unsafe { dealloc(block.as_ptr(), layout) }
        }
    }
}

/// A block for `layout`, whose size is not zero. The program ends if there is no memory.
fn from_allocator(layout: Layout) -> NonNull<u8> {
    // SAFETY: the caller's layouts have a size.
    NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}
