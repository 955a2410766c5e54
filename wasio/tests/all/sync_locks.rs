//! The guards of `Mutex` and `RwLock`: mapped, owned, downgraded, unsized. Each unlocks once.
#![forbid(unsafe_code)]

use crate::sync_support;

use std::fmt::{Debug, Display};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use wasio::sync::*;

#[test]
fn mutex_guards_show_a_part() {
    let mutex = Mutex::new((1, String::from("a")));
    let guard = mutex.try_lock().unwrap();
    assert!(std::ptr::eq(MutexGuard::mutex(&guard), &mutex));
    let mut text = MutexGuard::map(guard, |pair| &mut pair.1);
    text.push('b');
    assert!(mutex.try_lock().is_err());
    let text = MappedMutexGuard::try_map(text, |text| text.get_mut(5..)).unwrap_err();
    let mut part = MappedMutexGuard::map(text, |text| &mut text[1..]);
    part.make_ascii_uppercase();
    assert_eq!(format!("{part} {part:?}"), "B \"B\"");
    drop(part);
    let guard = mutex.try_lock().unwrap();
    let guard = MutexGuard::try_map(guard, |_| None::<&mut i32>).unwrap_err();
    assert_eq!(*guard, (1, "aB".to_string()));
    drop(guard);
    assert_eq!(mutex.into_inner().0, 1);
}

#[test]
fn owned_mutex_guards_keep_the_mutex() {
    let mutex = Arc::new(Mutex::new([1, 2, 3]));
    let guard = mutex.clone().try_lock_owned().unwrap();
    assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &mutex));
    let weak = Arc::downgrade(&mutex);
    drop(mutex);
    let guard = OwnedMutexGuard::try_map(guard, |a| a.get_mut(9)).unwrap_err();
    let tail = OwnedMutexGuard::map(guard, |a| &mut a[1..]);
    let mut last = OwnedMappedMutexGuard::map(tail, |tail| &mut tail[1]);
    *last += 1;
    let last = OwnedMappedMutexGuard::try_map(last, |_| None::<&mut u8>).unwrap_err();
    let mutex = weak.upgrade().expect("the guard keeps it");
    assert!(mutex.try_lock().is_err());
    drop(last);
    assert_eq!(*mutex.try_lock().unwrap(), [1, 2, 4]);
    drop(mutex);
    assert!(weak.upgrade().is_none());
}

#[test]
fn rwlock_guards_show_a_part() {
    let lock = RwLock::new((1, [2, 3]));
    let one = RwLockReadGuard::map(lock.try_read().unwrap(), |v| &v.0);
    let two = RwLockReadGuard::try_map(lock.try_read().unwrap(), |v| v.1.get(1)).unwrap();
    let back = RwLockReadGuard::try_map(lock.try_read().unwrap(), |v| v.1.get(2)).unwrap_err();
    assert_eq!((*one, *two, back.1), (1, 3, [2, 3]));
    drop((one, two));
    assert!(lock.try_write().is_err());
    drop(back);

    let write = lock.try_write().unwrap();
    let write = RwLockWriteGuard::try_map(write, |v| v.1.get_mut(2)).unwrap_err();
    let mut array = RwLockWriteGuard::map(write, |v| &mut v.1);
    array[0] = 5;
    let array = RwLockMappedWriteGuard::try_map(array, |a| a.get_mut(2)).unwrap_err();
    let mut last = RwLockMappedWriteGuard::map(array, |a| &mut a[1]);
    *last = 6;
    assert!(lock.try_read().is_err());
    drop(last);
    let mut whole = RwLockWriteGuard::into_mapped(lock.try_write().unwrap());
    whole.0 = 4;
    drop(whole);
    assert_eq!(lock.into_inner(), (4, [5, 6]));
}

#[test]
fn rwlock_downgrades() {
    let lock = RwLock::new((1, 2));
    let read = lock.try_write().unwrap().downgrade();
    assert_eq!(*lock.try_read().unwrap(), *read);
    assert!(lock.try_write().is_err());
    drop(read);
    let part = RwLockWriteGuard::downgrade_map(lock.try_write().unwrap(), |v| &v.1);
    assert_eq!((*part, lock.try_read().unwrap().0), (2, 1));
    drop(part);
    let write = lock.try_write().unwrap();
    let write = RwLockWriteGuard::try_downgrade_map(write, |_| None::<&i32>).unwrap_err();
    assert!(lock.try_read().is_err(), "still writing");
    let part = RwLockWriteGuard::try_downgrade_map(write, |v| Some(&v.0)).unwrap();
    assert_eq!((*part, lock.try_read().unwrap().1), (1, 2));
    drop(part);
    assert!(lock.try_write().is_ok());
}

#[test]
fn owned_rwlock_guards() {
    let lock = Arc::new(RwLock::new((1, [2, 3])));
    let read = lock.clone().try_read_owned().unwrap();
    assert!(Arc::ptr_eq(OwnedRwLockReadGuard::rwlock(&read), &lock));
    let read = OwnedRwLockReadGuard::try_map(read, |v| v.1.get(2)).unwrap_err();
    let read = OwnedRwLockReadGuard::map(read, |v| &v.1[1]);
    assert_eq!(*read, 3);
    drop(read);

    let write = lock.clone().try_write_owned().unwrap();
    assert!(Arc::ptr_eq(OwnedRwLockWriteGuard::rwlock(&write), &lock));
    let write = OwnedRwLockWriteGuard::try_map(write, |v| v.1.get_mut(2)).unwrap_err();
    let array = OwnedRwLockWriteGuard::map(write, |v| &mut v.1);
    let array = OwnedRwLockMappedWriteGuard::try_map(array, |a| a.get_mut(2)).unwrap_err();
    let mut last = OwnedRwLockMappedWriteGuard::map(array, |a| &mut a[1]);
    *last = 6;
    assert!(Arc::ptr_eq(OwnedRwLockMappedWriteGuard::rwlock(&last), &lock));
    drop(last);
    drop(OwnedRwLockWriteGuard::into_mapped(lock.clone().try_write_owned().unwrap()));

    let read = lock.clone().try_write_owned().unwrap().downgrade();
    assert_eq!(*lock.try_read().unwrap(), *read);
    drop(read);
    let write = lock.clone().try_write_owned().unwrap();
    let write = OwnedRwLockWriteGuard::try_downgrade_map(write, |_| None::<&i32>).unwrap_err();
    let part = OwnedRwLockWriteGuard::downgrade_map(write, |v| &v.1[1]);
    assert_eq!((*part, lock.try_read().unwrap().0), (6, 1));
    drop(part);
    let write = lock.clone().try_write_owned().unwrap();
    let part = OwnedRwLockWriteGuard::try_downgrade_map(write, |v| Some(&v.0)).unwrap();
    assert_eq!(*part, 1);
    drop(part);
    assert_eq!(Arc::into_inner(lock).unwrap().into_inner(), (1, [2, 6]));
}

#[test]
fn values_without_a_size() {
    let mutex: Arc<Mutex<dyn Debug + Send>> = Arc::new(Mutex::new(1));
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 1 }");
    let guard = mutex.clone().try_lock_owned().unwrap();
    assert_eq!(format!("{mutex:?} {guard:?}"), "Mutex { data: <locked> } 1");
    let lock: Box<RwLock<[i32]>> = Box::new(RwLock::new([1, 2]));
    lock.try_write().unwrap()[0] = 3;
    assert_eq!(format!("{lock:?}"), "RwLock { data: [3, 2] }");
    let shown: RwLockReadGuard<'_, dyn Display> =
        RwLockReadGuard::map(lock.try_read().unwrap(), |v| &v[0] as &dyn Display);
    assert_eq!(format!("{shown}"), "3");
}

#[test]
fn get_mut_and_statics() {
    static MUTEX: Mutex<i32> = Mutex::const_new(1);
    static LOCK: RwLock<i32> = RwLock::const_with_max_readers(1, 1);
    *MUTEX.try_lock().unwrap() += 1;
    let read = LOCK.try_read().unwrap();
    assert!(LOCK.try_read().is_err());
    assert_eq!(*MUTEX.try_lock().unwrap() + *read, 3);
    let (mut mutex, mut lock) = (Mutex::from(1), RwLock::<i32>::default());
    *mutex.get_mut() += 1;
    *lock.get_mut() += 1;
    assert_eq!(mutex.into_inner() + lock.into_inner(), 3);
}

#[test]
#[cfg(panic = "unwind")]
fn a_panic_leaves_the_lock_free() {
    let mutex = Mutex::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let guard = mutex.try_lock().unwrap();
        let _ = MutexGuard::map(guard, |_| -> &mut i32 { panic!("in map") });
    }));
    assert!(panicked.is_err());
    assert_eq!(*mutex.try_lock().unwrap(), 1);

    let lock = RwLock::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let guard = lock.try_write().unwrap();
        let _ = RwLockWriteGuard::downgrade_map(guard, |_| -> &i32 { panic!("in map") });
    }));
    assert!(panicked.is_err());
    assert_eq!(*lock.try_write().unwrap(), 1);
}

#[test]
fn semaphore_permits_split_merge_and_are_forgotten() {
    let semaphore = Arc::new(Semaphore::new(5));
    let mut permit = semaphore.try_acquire_many(4).unwrap();
    let part = permit.split(3).unwrap();
    assert!(permit.split(2).is_none());
    assert_eq!((permit.num_permits(), part.num_permits()), (1, 3));
    part.forget();
    permit.merge(semaphore.try_acquire().unwrap());
    assert!(std::ptr::eq(permit.semaphore(), &*semaphore));
    drop(permit);
    assert_eq!(semaphore.available_permits(), 2);

    let mut owned = semaphore.clone().try_acquire_many_owned(2).unwrap();
    let other = owned.split(1).unwrap();
    owned.merge(other);
    assert!(Arc::ptr_eq(owned.semaphore(), &semaphore));
    drop(owned);
    assert_eq!(semaphore.forget_permits(9), 2);
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    semaphore.close();
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
    assert!(semaphore.is_closed());
}

#[test]
#[cfg(panic = "unwind")]
fn permits_of_different_semaphores_do_not_merge() {
    let (one, other) = (Semaphore::new(1), Semaphore::new(1));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut permit = one.try_acquire().unwrap();
        permit.merge(other.try_acquire().unwrap());
    }));
    let text = *panicked.unwrap_err().downcast::<&str>().unwrap();
    assert_eq!(text, "merging permits from different semaphore instances");
    assert_eq!(one.available_permits() + other.available_permits(), 2);
}

#[test]
fn a_closed_semaphore_fails_those_who_wait() {
    let semaphore = Semaphore::new(1);
    let mut waiting = sync_support::probe(semaphore.acquire_many(2));
    assert!(waiting.is_pending());
    semaphore.close();
    assert_eq!(waiting.wakes(), 1);
    assert_eq!(waiting.ready().unwrap_err().to_string(), "semaphore closed");
    drop(waiting);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn once_cells_set_once() {
    static CELL: OnceCell<i32> = OnceCell::const_new_with(1);
    assert_eq!((CELL.get(), CELL.initialized()), (Some(&1), true));
    assert!(CELL.set(2).unwrap_err().is_already_init_err());
    let mut cell = OnceCell::new();
    assert_eq!(cell.get_mut(), None);
    cell.set(String::from("a")).unwrap();
    cell.get_mut().unwrap().push('b');
    assert_eq!(cell.clone(), OnceCell::from("ab".to_string()));
    assert_eq!(format!("{cell:?}"), "OnceCell { value: Some(\"ab\") }");
    assert_eq!(cell.take().as_deref(), Some("ab"));
    cell.set("again".into()).unwrap();
    assert_eq!(cell.into_inner().as_deref(), Some("again"));

    static SET: SetOnce<i32> = SetOnce::const_new_with(1);
    assert_eq!(SET.set(2), Err(SetOnceError(2)));
    let cell = SetOnce::new_with(None);
    cell.set(Arc::new(1)).unwrap();
    let count = Arc::downgrade(cell.get().unwrap());
    assert_eq!(cell.clone(), cell);
    drop(cell);
    assert_eq!(count.strong_count(), 0, "dropped with the cell");
}
