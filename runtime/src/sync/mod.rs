//! Synchronisation between tasks: channels, locks, notifications.
//!
//! | to share | use |
//! |---|---|
//! | one value, once | [`oneshot`] |
//! | values from many to one | [`mpsc`] |
//! | every value to every receiver | [`broadcast`] |
//! | the latest value | [`watch`] |
//! | access to a value | [`Mutex`], [`RwLock`] |
//! | a limited number of accesses at a time | [`Semaphore`] |
//! | only a notification | [`Notify`], [`Barrier`] |
//! | a value that is set once | [`OnceCell`], [`SetOnce`] |
//!
//! Everything here works across threads, and with any executor. Nothing blocks except the methods named
//! `blocking_…`.
//!
//! # On WASI
//!
//! There is one thread. `blocking_…` methods work in `spawn_blocking`, where they run other tasks while they wait.
//! Outside of a runtime they work only if the wait is already over, because no other thread could end it.
//
// Implementation notes.
//
// Every primitive is plain state under a `std::sync::Mutex`, which costs next to nothing on a target without threads,
// plus a wait list (`waiters.rs`). Three rules hold everywhere. Wakers are woken, and wakers and users' values dropped,
// outside the lock. A waiting future removes itself when it is dropped, and passes on its notification or permits.
// Poison is ignored, because no user code runs while one of these locks is held, except a value's `clone` in
// `broadcast` and the closures of `watch`, which leave the state intact when they panic.
//
// `unsafe` is in these places only:
// - `guard.rs`: `Shared` and `Exclusive`, from which every lock guard is made, point to the locked value;
// - `mutex.rs`, `rwlock.rs`: creating those guards, and `Send`/`Sync` of the locks.

mod barrier;
pub mod broadcast;
mod count;
mod guard;
pub mod mpsc;
mod mutex;
mod notify;
mod once;
mod once_cell;
pub mod oneshot;
mod permits;
mod rwlock;
mod semaphore;
mod set_once;
mod waiters;
pub mod watch;

/// The futures of this module that have names.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}

pub use barrier::{Barrier, BarrierWaitResult};
pub use mutex::{
    MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard, TryLockError,
};
pub use notify::Notify;
pub use once_cell::{OnceCell, SetError};
pub use permits::{AcquireError, TryAcquireError};
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use set_once::{SetOnce, SetOnceError};
