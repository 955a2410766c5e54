//! Reserved places in a bounded channel.

use std::fmt;
use std::iter::FusedIterator;

use super::bounded::Sender;
use super::chan::Tx;

/// A reserved place. Sending into it neither waits nor fails. Dropped unused, it is free again.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (sender, mut receiver) = wasio::sync::mpsc::channel(1);
/// let permit = sender.reserve().await.unwrap();
/// permit.send("there is room"); // neither waits nor fails
/// assert_eq!(receiver.recv().await, Some("there is room"));
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct Permit<'a, T> {
    chan: &'a Tx<T>,
}

/// Several reserved places, one after the other. Places that were not taken are free again when this is dropped.
pub struct PermitIterator<'a, T> {
    chan: &'a Tx<T>,
    n: usize,
}

/// Like [`Permit`], but it owns a sender instead of borrowing one.
pub struct OwnedPermit<T> {
    /// Taken when the permit is used.
    sender: Option<Sender<T>>,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(chan: &'a Tx<T>) -> Self {
        Permit { chan }
    }

    /// Sends a value into the reserved place.
    ///
    /// If the receiver has been dropped in the meantime, so is the value.
    pub fn send(self, value: T) {
        let chan = self.chan;
        // Forgotten before sending: sending wakes the receiver, and a waker may panic.
        std::mem::forget(self);
        chan.send_reserved(value);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.chan.release(1);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) fn new(chan: &'a Tx<T>, n: usize) -> Self {
        PermitIterator { chan, n }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.n = self.n.checked_sub(1)?;
        Some(Permit { chan: self.chan })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.n, Some(self.n))
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        self.chan.release(self.n);
    }
}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitIterator").field("capacity", &self.n).finish_non_exhaustive()
    }
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(sender: Sender<T>) -> Self {
        OwnedPermit { sender: Some(sender) }
    }

    fn take(&mut self) -> Sender<T> {
        self.sender.take().expect("taken only by methods that consume the permit")
    }

    fn sender(&self) -> &Sender<T> {
        self.sender.as_ref().expect("taken only by methods that consume the permit")
    }

    /// Sends a value into the reserved place, and returns the sender.
    ///
    /// If the receiver has been dropped in the meantime, so is the value.
    pub fn send(mut self, value: T) -> Sender<T> {
        let sender = self.take();
        sender.chan.send_reserved(value);
        sender
    }

    /// Releases the place without sending, and returns the sender.
    pub fn release(mut self) -> Sender<T> {
        let sender = self.take();
        sender.chan.release(1);
        sender
    }

    /// Returns whether both are places in the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.sender().same_channel(other.sender())
    }

    /// Returns whether this is a place in the channel that `sender` sends into.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.sender().same_channel(sender)
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take() {
            sender.chan.release(1);
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").finish_non_exhaustive()
    }
}
