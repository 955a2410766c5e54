//! The waker of a task, and how wakers are cloned and called when most of them belong to tasks.
//!
//! A waker is a reference to its task. Code that stores wakers clones and calls them with [`clone()`] and [`wake`]. For
//! the waker of a task these avoid a call through the waker's table, which takes a good part of the time of a wake.

use std::mem::{self, ManuallyDrop};
use std::ptr::{self, NonNull};
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::cell::{Runnable, Task};

#[allow(unsafe_code)]
static TABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: this is a waker's data. Its reference stays with the waker.
        let task = unsafe { borrowed(data) };
        mem::forget(Task::clone(&task));
        RawWaker::new(data, &TABLE)
    },
    |data| {
        // SAFETY: this is a waker's data, which is consumed.
        wake_task(unsafe { task(data) });
    },
    |data| {
        // SAFETY: this is a waker's data. Its reference stays with the waker.
        unsafe { borrowed(data) }.wake_by_ref();
    },
    // SAFETY: this is a waker's data, which is consumed.
    |data| drop(unsafe { task(data) }),
);

/// # Safety
///
/// `data` belongs to a waker of the table above. It stands for one reference, which this takes over.
#[allow(unsafe_code)]
unsafe fn task(data: *const ()) -> Task {
    // SAFETY: wakers are made from a task's pointer.
    Task(unsafe { NonNull::new_unchecked(data.cast_mut().cast()) })
}

/// # Safety
///
/// `data` belongs to a waker of the table above that outlives the returned value.
#[allow(unsafe_code)]
unsafe fn borrowed(data: *const ()) -> ManuallyDrop<Task> {
    // SAFETY: promised by the caller. The reference stays with the waker.
    ManuallyDrop::new(unsafe { task(data) })
}

/// Returns a waker for the code that runs the task. It counts no reference.
pub(super) fn of(task: &Runnable) -> ManuallyDrop<Waker> {
    #[allow(unsafe_code)]
    // SAFETY: the table keeps the contract of wakers. This waker is never dropped or woken by value, and lives while
    // `task` is borrowed.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(task.0.as_ptr().cast(), &TABLE)) })
}

/// Returns whether this is the waker of a task. If there are several tables of the same content, a waker of another one
/// is not recognised, and only slower.
fn is_task_waker(waker: &Waker) -> bool {
    ptr::eq(waker.vtable(), &TABLE)
}

/// Clones a waker.
#[inline]
pub(crate) fn clone(waker: &Waker) -> Waker {
    if is_task_waker(waker) {
        #[allow(unsafe_code)]
        // SAFETY: the table says that this is a task's waker. The new reference belongs to the clone.
        unsafe {
            let task = borrowed(waker.data());
            mem::forget(Task::clone(&task));
            Waker::from_raw(RawWaker::new(waker.data(), &TABLE))
        }
    } else {
        waker.clone()
    }
}

/// Clones a task's waker into an empty slot without calling other code. Returns false if it is not a task's waker.
#[inline(always)]
pub(crate) fn clone_task_waker_into(slot: &mut Option<Waker>, waker: &Waker) -> bool {
    let is_task_waker = is_task_waker(waker);
    if is_task_waker {
        // The slot was empty, so nothing is dropped.
        mem::forget(slot.replace(clone(waker)));
    }
    is_task_waker
}

/// Clones a waker into an empty slot.
#[inline(always)]
pub(crate) fn clone_into(slot: &mut Option<Waker>, waker: &Waker) {
    if !clone_task_waker_into(slot, waker) {
        clone_foreign_into(slot, waker);
    }
}

#[cold]
#[inline(never)]
fn clone_foreign_into(slot: &mut Option<Waker>, waker: &Waker) {
    // The slot was empty, so nothing is dropped.
    mem::forget(slot.replace(waker.clone()));
}

/// Wakes the task and consumes the waker.
#[inline]
pub(crate) fn wake(waker: Waker) {
    match into_task(waker) {
        Ok(task) => wake_task(task),
        Err(waker) => waker.wake(),
    }
}

/// Like [`wake`], without a call where that is worth its size.
#[inline(always)]
pub(crate) fn wake_inline(waker: Waker) {
    match into_task(waker) {
        Ok(task) => task.wake(),
        Err(waker) => waker.wake(),
    }
}

#[inline(always)]
fn into_task(waker: Waker) -> Result<Task, Waker> {
    if !is_task_waker(&waker) {
        return Err(waker);
    }
    #[allow(unsafe_code)]
    // SAFETY: the table says that this is a task's waker, which is consumed.
    Ok(unsafe { task(ManuallyDrop::new(waker).data()) })
}

#[inline(never)]
fn wake_task(task: Task) {
    task.wake();
}

/// Like [`wake`], if there is a waker.
#[inline]
pub(crate) fn wake_any(waker: Option<Waker>) {
    if let Some(waker) = waker {
        wake(waker);
    }
}
