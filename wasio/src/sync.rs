//! Synchronisation between tasks: channels, locks, notifications.
//!
//! | to hand over | use |
//! |---|---|
//! | one value, once | [`oneshot`] |
//! | values from many to one | [`mpsc`] |
//! | every value to everybody | [`broadcast`] |
//! | the latest value | [`watch`] |
//! | access to a value | [`Mutex`], [`RwLock`] |
//! | a limited number of turns | [`Semaphore`] |
//! | the mere fact that something happened | [`Notify`], [`Barrier`] |
//! | a value that is made once | [`OnceCell`], [`SetOnce`] |
//!
//! ```
//! use wasio::sync::mpsc;
//!
//! # #[wasio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (tx, mut rx) = mpsc::channel(8);
//! wasio::spawn(async move { tx.send("hello").await });
//! assert_eq!(rx.recv().await, Some("hello"));
//! # }
//! ```

pub use wasio_runtime::sync::{
    AcquireError, Barrier, BarrierWaitResult, MappedMutexGuard, Mutex, MutexGuard, Notify,
    OnceCell, OwnedMappedMutexGuard, OwnedMutexGuard, OwnedRwLockMappedWriteGuard,
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, OwnedSemaphorePermit, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard, Semaphore, SemaphorePermit,
    SetError, SetOnce, SetOnceError, TryAcquireError, TryLockError,
};

/// A channel whose every receiver sees every value.
pub mod broadcast {
    pub use wasio_runtime::sync::broadcast::{Receiver, Sender, WeakSender, channel};

    /// The errors of this module.
    pub mod error {
        pub use wasio_runtime::sync::broadcast::error::{RecvError, SendError, TryRecvError};
    }
}

/// A queue with many senders and one receiver, bounded or not.
pub mod mpsc {
    pub use wasio_runtime::sync::mpsc::{
        OwnedPermit, Permit, PermitIterator, Receiver, Sender, UnboundedReceiver, UnboundedSender,
        WeakSender, WeakUnboundedSender, channel, unbounded_channel,
    };

    /// The errors of this module.
    pub mod error {
        #[doc(hidden)]
        #[allow(deprecated)]
        pub use wasio_runtime::sync::mpsc::error::RecvError;
        #[cfg(feature = "time")]
        pub use wasio_runtime::sync::mpsc::error::SendTimeoutError;
        pub use wasio_runtime::sync::mpsc::error::{SendError, TryRecvError, TrySendError};
    }
}

/// A channel for one value.
pub mod oneshot {
    pub use wasio_runtime::sync::oneshot::{Receiver, Sender, channel};

    /// The errors of this module.
    pub mod error {
        pub use wasio_runtime::sync::oneshot::error::{RecvError, TryRecvError};
    }
}

/// A channel that keeps only the last value.
pub mod watch {
    pub use wasio_runtime::sync::watch::{Receiver, Ref, Sender, channel};

    /// The errors of this module.
    pub mod error {
        pub use wasio_runtime::sync::watch::error::{RecvError, SendError};
    }
}

/// The futures of this module.
pub mod futures {
    pub use wasio_runtime::sync::futures::{Notified, OwnedNotified};
}
