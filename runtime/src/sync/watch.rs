//! `watch`: a channel that keeps only the last value sent.
//!
//! The value is behind a `std::sync::RwLock`, and a [`Ref`] is its read guard. The version is a separate atomic,
//! changed only under the write lock, so that checking for a change takes no lock.

use std::fmt;
use std::mem;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::notify::Notify;
use crate::task::coop::cooperative;

/// The errors of this channel.
pub mod error {
    use std::fmt;

    /// There was no receiver. Contains the value.
    #[derive(PartialEq, Eq, Clone, Copy)]
    pub struct SendError<T>(pub T);

    impl<T> fmt::Debug for SendError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("SendError").finish_non_exhaustive()
        }
    }

    impl<T> fmt::Display for SendError<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("channel closed")
        }
    }

    impl<T> std::error::Error for SendError<T> {}

    /// All senders are gone, and their last value has been seen.
    #[derive(Debug, Clone)]
    pub struct RecvError(pub(super) ());

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("channel closed")
        }
    }

    impl std::error::Error for RecvError {}
}

use error::{RecvError, SendError};

/// Sends values. Can be cloned.
#[derive(Debug)]
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// Reads the latest value, and waits for new ones. Each receiver remembers which version it has seen.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (sender, mut receiver) = wasio::sync::watch::channel("old");
/// sender.send("new").unwrap();
/// receiver.changed().await.unwrap();
/// assert_eq!(*receiver.borrow_and_update(), "new");
/// assert!(!receiver.has_changed().unwrap());
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The version seen last.
    seen: usize,
}

/// A borrowed value of the channel. Nothing can be sent while it exists.
///
/// Do not keep one across an `.await`: a sender on the same thread would deadlock.
#[derive(Debug)]
pub struct Ref<'a, T> {
    value: RwLockReadGuard<'a, T>,
    has_changed: bool,
}

struct Shared<T> {
    value: RwLock<T>,
    /// Counts the values sent, in steps of [`STEP`]. The [`CLOSED`] bit is set when no sender is left.
    version: AtomicUsize,
    receivers: AtomicUsize,
    senders: AtomicUsize,
    /// Notified when the version changes.
    changed: Notify,
    /// Notified when the last receiver is dropped.
    deserted: Notify,
}

const CLOSED: usize = 1;
const STEP: usize = 2;

/// Creates a channel that holds `init` until something is sent. The receiver counts `init` as seen.
///
/// # Examples
///
/// ```
/// use wasio::sync::watch;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = watch::channel(0);
/// wasio::spawn(async move {
///     tx.send(1).unwrap();
///     tx.send(2).unwrap();
/// });
/// rx.changed().await.unwrap();
/// assert_eq!(*rx.borrow_and_update(), 2);
/// # }
/// ```
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        value: RwLock::new(init),
        version: AtomicUsize::new(0),
        receivers: AtomicUsize::new(1),
        senders: AtomicUsize::new(1),
        changed: Notify::new(),
        deserted: Notify::new(),
    });
    (Sender { shared: shared.clone() }, Receiver { shared, seen: 0 })
}

impl<T> Shared<T> {
    /// Locks the value for reading. A panic during a write leaves a valid value, so poison is ignored.
    fn read(&self) -> RwLockReadGuard<'_, T> {
        self.value.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the version, and whether all senders are gone.
    fn version(&self) -> (usize, bool) {
        let version = self.version.load(Ordering::Acquire);
        (version & !CLOSED, version & CLOSED != 0)
    }

    fn subscribe(self: &Arc<Self>, seen: usize) -> Receiver<T> {
        self.receivers.fetch_add(1, Ordering::Relaxed);
        Receiver { shared: self.clone(), seen }
    }

    /// Waits for a version other than `seen`, and updates `seen`.
    async fn changed(&self, seen: &mut usize) -> Result<(), RecvError> {
        loop {
            // Created before the check, so that a change after the check is not missed.
            let changed = self.changed.notified();
            let (version, closed) = self.version();
            if version != *seen {
                *seen = version;
                return Ok(());
            }
            if closed {
                return Err(RecvError(()));
            }
            changed.await;
        }
    }
}

impl<T> Sender<T> {
    /// Creates a channel without a receiver. [`subscribe`](Self::subscribe) adds receivers.
    pub fn new(init: T) -> Self {
        channel(init).0
    }

    /// Sends a value. It replaces the previous one, seen or not, and wakes the receivers.
    ///
    /// # Errors
    ///
    /// Returns the value if there is no receiver.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        self.send_replace(value);
        Ok(())
    }

    /// Changes the value in place and wakes the receivers, if there are any.
    ///
    /// # Panics
    ///
    /// Panics if `modify` does. The receivers are then not woken.
    pub fn send_modify<F>(&self, modify: F)
    where
        F: FnOnce(&mut T),
    {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Like [`send_modify`](Self::send_modify), but wakes no receiver if `modify` returns false. Returns the result of
    /// `modify`.
    ///
    /// # Panics
    ///
    /// Panics if `modify` does. The receivers are then not woken.
    pub fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        let mut value = self.shared.value.write().unwrap_or_else(PoisonError::into_inner);
        if !modify(&mut value) {
            return false;
        }
        self.shared.version.fetch_add(STEP, Ordering::Release);
        drop(value);
        self.shared.changed.notify_waiters();
        true
    }

    /// Sends a value even if there is no receiver, and returns the value that it replaces.
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|old| mem::swap(old, &mut value));
        value
    }

    /// Returns the latest value. Nothing can be sent while the result exists.
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref { value: self.shared.read(), has_changed: false }
    }

    /// Returns whether there is no receiver.
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until there is no receiver.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn closed(&self) {
        cooperative(async {
            loop {
                // Created before the check, so that a receiver that is dropped after the check is not missed.
                let deserted = self.shared.deserted.notified();
                if self.is_closed() {
                    return;
                }
                deserted.await;
            }
        })
        .await;
    }

    /// Creates a receiver that counts the current value as seen.
    pub fn subscribe(&self) -> Receiver<T> {
        self.shared.subscribe(self.shared.version().0)
    }

    /// Returns how many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.shared.receivers.load(Ordering::Relaxed)
    }

    /// Returns how many senders there are.
    pub fn sender_count(&self) -> usize {
        self.shared.senders.load(Ordering::Relaxed)
    }

    /// Returns whether both send into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.senders.fetch_add(1, Ordering::Relaxed);
        Sender { shared: self.shared.clone() }
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.shared.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.version.fetch_or(CLOSED, Ordering::Release);
            self.shared.changed.notify_waiters();
        }
    }
}

impl<T> Receiver<T> {
    /// Returns the latest value without marking it as seen. Nothing can be sent while the result exists.
    pub fn borrow(&self) -> Ref<'_, T> {
        let value = self.shared.read();
        let has_changed = self.shared.version().0 != self.seen;
        Ref { value, has_changed }
    }

    /// Returns the latest value and marks it as seen. Nothing can be sent while the result exists.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let value = self.shared.read();
        let version = self.shared.version().0;
        let has_changed = mem::replace(&mut self.seen, version) != version;
        Ref { value, has_changed }
    }

    /// Returns whether there is an unseen value.
    ///
    /// # Errors
    ///
    /// Fails if all senders are gone, seen or not.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        match self.shared.version() {
            (_, true) => Err(RecvError(())),
            (version, false) => Ok(version != self.seen),
        }
    }

    /// Returns whether all senders are gone.
    pub fn is_closed(&self) -> bool {
        self.shared.version().1
    }

    /// Marks the current value as unseen.
    pub fn mark_changed(&mut self) {
        self.seen = self.seen.wrapping_sub(STEP);
    }

    /// Marks the current value as seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.version().0;
    }

    /// Waits for an unseen value, and marks it as seen.
    ///
    /// # Errors
    ///
    /// Fails if all senders are gone and their last value has been seen.
    ///
    /// # Cancel safety
    ///
    /// When dropped before it is ready, it has marked nothing as seen.
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        cooperative(self.shared.changed(&mut self.seen)).await
    }

    /// Waits for a value for which `f` returns true, beginning with the current one.
    ///
    /// # Errors
    ///
    /// Fails if all senders are gone and `f` returned false for their last value.
    ///
    /// # Cancel safety
    ///
    /// When dropped before it is ready, it may have marked values as seen for which `f` returned false.
    pub async fn wait_for(
        &mut self,
        mut f: impl FnMut(&T) -> bool,
    ) -> Result<Ref<'_, T>, RecvError> {
        let shared = &self.shared;
        let seen = &mut self.seen;
        cooperative(async {
            let mut closed = false;
            loop {
                {
                    let value = shared.read();
                    let version = shared.version().0;
                    let has_changed = mem::replace(seen, version) != version;
                    if (!closed || has_changed) && f(&value) {
                        return Ok(Ref { value, has_changed });
                    }
                }
                if closed {
                    return Err(RecvError(()));
                }
                closed = shared.changed(seen).await.is_err();
            }
        })
        .await
    }

    /// Returns whether both receive from the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.subscribe(self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if self.shared.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.deserted.notify_waiters();
        }
    }
}

impl<T> Ref<'_, T> {
    /// Returns whether the borrower had not seen this value before it borrowed. A sender has seen every value.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, closed) = self.version();
        f.debug_struct("Shared")
            .field("value", &self.value)
            .field("version", &version)
            .field("is_closed", &closed)
            .field("receivers", &self.receivers)
            .finish()
    }
}
