//! `mpsc`: channels with many senders and one receiver.
//!
//! A [`channel`](channel()) is bounded: senders wait when it is full. An [`unbounded_channel`] accepts every value at
//! once, as long as there is memory. Both are a queue and a count of free places under one lock, which each operation
//! acquires once.

mod bounded;
mod chan;
pub mod error;
mod futures;
mod permit;
mod queue;
mod unbounded;

pub use bounded::{Receiver, Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use unbounded::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};
