//! Requests to end, for guests that handle them (`SIGNALS.md`).
//!
//! The host counts the signals that were sent, and each receiver remembers how many of them it has acknowledged. A
//! signal therefore reaches every receiver, however late it looks, and reaches none twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

use tokio::sync::watch;

/// The mask of all signals.
pub(crate) const ALL: Mask = 3;

/// A set of signals, as bits.
pub(crate) type Mask = u8;

/// How often each signal was sent.
type Counts = [u32; 2];

/// A request to a guest to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// A request from the keyboard: Ctrl-C, SIGINT.
    Interrupt,
    /// A request from a program such as a service manager: SIGTERM.
    Terminate,
}

impl Signal {
    fn index(self) -> usize {
        match self {
            Signal::Interrupt => 0,
            Signal::Terminate => 1,
        }
    }
}

/// Sends signals to one guest, from any thread, also while the guest runs. Clones are for the same guest.
/// [`Guest::signals`](crate::Guest::signals) returns it.
///
/// # Examples
///
/// ```
/// use wasio_host::{Error, Exit, Guest, Signal};
///
/// /// Runs a guest, and asks it to end at Ctrl-C.
/// async fn run(guest: Guest) -> Result<Exit, Error> {
///     let signals = guest.signals();
///     let mut run = std::pin::pin!(guest.run());
///     tokio::select! {
///         exit = &mut run => return exit,
///         _ = tokio::signal::ctrl_c() => {}
///     }
///     if signals.send(Signal::Interrupt) {
///         return run.await;
///     }
///     // The guest does not wait for signals: dropping its future ends it.
///     Ok(Exit::default())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Signals {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    wanted: AtomicU8,
    counts: watch::Sender<Counts>,
}

impl Signals {
    /// Creates both ends for a guest.
    pub(crate) fn new() -> (Signals, Receiver) {
        let (counts, receiver) = watch::channel(Counts::default());
        let shared = Arc::new(Shared { wanted: AtomicU8::new(0), counts });
        let receiver = Receiver {
            shared: shared.clone(),
            counts: receiver,
            sent: [0; 2],
            acknowledged: [0; 2],
        };
        (Signals { shared }, receiver)
    }

    /// Sends a signal to the guest. Returns whether the guest receives it: whether it has ever waited for this signal,
    /// for example with `ctrl_c`, and has not ended.
    ///
    /// If it returns `false`, nothing happened. End such a guest by dropping its future.
    pub fn send(&self, signal: Signal) -> bool {
        let wanted = self.is_wanted(signal);
        if wanted {
            self.shared.counts.send_modify(|counts| {
                let count = &mut counts[signal.index()];
                *count = count.wrapping_add(1);
            });
        }
        wanted
    }

    /// Returns the same as [`send`](Self::send), without sending.
    pub fn is_wanted(&self, signal: Signal) -> bool {
        self.shared.wanted.load(SeqCst) & (1 << signal.index()) != 0
            && self.shared.counts.receiver_count() > 0
    }
}

/// The receiving end of a guest, or of one of its pollables.
#[derive(Debug)]
pub(crate) struct Receiver {
    shared: Arc<Shared>,
    counts: watch::Receiver<Counts>,
    /// The counts at the last [`refresh`](Self::refresh).
    sent: Counts,
    acknowledged: Counts,
}

impl Receiver {
    /// Subscribes the guest to these signals. They are kept for it from now on.
    pub(crate) fn subscribe(&self, mask: Mask) {
        self.shared.wanted.fetch_or(mask, SeqCst);
    }

    /// Creates a receiver for a pollable, of the signals that are sent from now on.
    pub(crate) fn fork(&self, mask: Mask) -> Receiver {
        self.subscribe(mask);
        let sent = *self.counts.borrow();
        Receiver {
            shared: self.shared.clone(),
            counts: self.counts.clone(),
            sent,
            acknowledged: sent,
        }
    }

    /// Updates the counts of sent signals.
    pub(crate) fn refresh(&mut self) {
        self.sent = *self.counts.borrow();
    }

    /// Returns whether one of these signals was sent and not acknowledged, as of the last refresh.
    pub(crate) fn is_pending(&self, mask: Mask) -> bool {
        is_pending(&self.sent, &self.acknowledged, mask)
    }

    /// Acknowledges these signals, as of the last refresh.
    pub(crate) fn acknowledge(&mut self, mask: Mask) {
        for (i, acknowledged) in self.acknowledged.iter_mut().enumerate() {
            if mask & (1 << i) != 0 {
                *acknowledged = self.sent[i];
            }
        }
    }

    /// Waits for one of these signals that was not acknowledged.
    pub(crate) fn wait(&self, mask: Mask) -> impl Future<Output = ()> + use<> {
        let (mut counts, acknowledged) = (self.counts.clone(), self.acknowledged);
        async move {
            // Every receiver keeps the sender alive.
            let _ = counts.wait_for(|sent| is_pending(sent, &acknowledged, mask)).await;
        }
    }
}

fn is_pending(sent: &Counts, acknowledged: &Counts, mask: Mask) -> bool {
    (0..sent.len()).any(|i| mask & (1 << i) != 0 && sent[i] != acknowledged[i])
}
