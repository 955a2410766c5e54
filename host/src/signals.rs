//! Requests to end, for guests that want to hear of them: `SIGNALS.md` says how they do.
//!
//! The host counts the signals that were sent; whoever waits remembers what it has seen of them. So one signal
//! reaches everybody who waits, however late they look, and nobody twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

use tokio::sync::watch;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::Host as _;
use wasmtime_wasi_io::poll::{Pollable, subscribe};

use crate::p1::errno::Errno;
use crate::state::{Cx, State, parts};

/// The descriptor of preview 1 that stands for no signals; the mask is added. No host gives a file a negative
/// number.
const FIRST_FD: u32 = 0xd349_4700;
/// The instant of WASI 0.2 that stands for no signals; the mask is added.
const FIRST_INSTANT: u64 = 0xffff_ffff_d349_4700;
/// The duration of WASI 0.2, in nanoseconds, that stands for the exit code 0; the code is added.
const FIRST_CODE: u64 = 0xffff_ffff_d345_5800;
/// All signals.
const ALL: u8 = 3;

/// Which signals, as bits.
pub(crate) type Mask = u8;

/// How often each was sent.
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

/// Sends signals to one guest, from any thread, also while the guest runs. Clones are for the same guest. [`Guest::signals`](crate::Guest::signals) returns it.
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
    /// For a guest, and what it hears.
    pub(crate) fn new() -> (Signals, Heard) {
        let (counts, receiver) = watch::channel(Counts::default());
        let shared = Arc::new(Shared { wanted: AtomicU8::new(0), counts });
        let heard = Heard { shared: shared.clone(), receiver, came: [0; 2], seen: [0; 2] };
        (Signals { shared }, heard)
    }

    /// Sends a signal to the guest. Returns whether the guest receives it: whether it has ever waited for this signal, for
    /// example with `ctrl_c`, and has not ended.
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

    /// What [`send`](Self::send) would return.
    pub fn is_wanted(&self, signal: Signal) -> bool {
        self.shared.wanted.load(SeqCst) & (1 << signal.index()) != 0
            && self.shared.counts.receiver_count() > 0
    }
}

/// What a guest, or one pollable of it, has seen of its signals.
#[derive(Debug)]
pub(crate) struct Heard {
    shared: Arc<Shared>,
    receiver: watch::Receiver<Counts>,
    /// As of the last [`look`](Self::look).
    came: Counts,
    seen: Counts,
}

impl Heard {
    /// From now on these signals are kept for the guest.
    pub(crate) fn want(&self, mask: Mask) {
        self.shared.wanted.fetch_or(mask, SeqCst);
    }

    /// One of its own for a pollable: it sees what comes from now on.
    fn fork(&self, mask: Mask) -> Heard {
        self.want(mask);
        let came = *self.receiver.borrow();
        Heard { shared: self.shared.clone(), receiver: self.receiver.clone(), came, seen: came }
    }

    pub(crate) fn look(&mut self) {
        self.came = *self.receiver.borrow();
    }

    /// Whether one of these came that was not seen, as of the last look.
    pub(crate) fn is_new(&self, mask: Mask) -> bool {
        is_new(&self.came, &self.seen, mask)
    }

    /// What came of these, as of the last look, counts as seen.
    pub(crate) fn see(&mut self, mask: Mask) {
        for (i, seen) in self.seen.iter_mut().enumerate() {
            if mask & (1 << i) != 0 {
                *seen = self.came[i];
            }
        }
    }

    /// Waits until one of these comes that was not seen.
    pub(crate) fn wait(&self, mask: Mask) -> impl Future<Output = ()> + use<> {
        let (mut receiver, seen) = (self.receiver.clone(), self.seen);
        async move {
            // The sender lives as long as anybody who hears.
            let _ = receiver.wait_for(|came| is_new(came, &seen, mask)).await;
        }
    }
}

fn is_new(came: &Counts, seen: &Counts, mask: Mask) -> bool {
    (0..came.len()).any(|i| mask & (1 << i) != 0 && came[i] != seen[i])
}

/// Which signals a descriptor stands for.
pub(crate) fn of_fd(fd: i32) -> Option<Mask> {
    let mask = (fd as u32).checked_sub(FIRST_FD)?;
    (1..=u32::from(ALL)).contains(&mask).then_some(mask as Mask)
}

/// Which signals an instant stands for; 0 is a question.
fn of_instant(when: u64) -> Option<Mask> {
    let mask = when.checked_sub(FIRST_INSTANT)?;
    (mask <= u64::from(ALL)).then_some(mask as Mask)
}

/// The exit code that a duration announces.
fn exit_code(nanos: u64) -> Option<u8> {
    u8::try_from(nanos.checked_sub(FIRST_CODE)?).ok()
}

/// `fd_fdstat_get` of signals: the guest wants them from now on, and none that came before.
pub(crate) fn fdstat(cx: &mut Cx<'_>, mask: Mask, out: u32) -> Result<(), Errno> {
    let (mut memory, state) = parts(cx)?;
    memory.write(out, 8, &pollable_stat())?;
    state.signals.want(mask);
    state.signals.look();
    state.signals.see(mask);
    Ok(())
}

/// `fdstat` of what can be polled and nothing else.
pub(crate) fn pollable_stat() -> [u8; 24] {
    const CHARACTER_DEVICE: u8 = 2;
    const RIGHT_POLL: u32 = 1 << 27;
    let mut stat = [0; 24];
    stat[0] = CHARACTER_DEVICE;
    stat[8..12].copy_from_slice(&RIGHT_POLL.to_le_bytes());
    stat
}

/// A pollable of WASI 0.2 that is ready when a signal came after it was made, and stays so; of no signals, at
/// once.
struct Came {
    heard: Heard,
    mask: Mask,
}

#[async_trait]
impl Pollable for Came {
    async fn ready(&mut self) {
        if self.mask != 0 {
            self.heard.wait(self.mask).await;
        }
    }
}

/// Gives `subscribe-instant` and `subscribe-duration` their other meanings.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut clock = linker.instance("wasi:clocks/monotonic-clock@0.2.12")?;
    clock.func_wrap(
        "subscribe-instant",
        |mut store: StoreContextMut<'_, State>, (when,): (u64,)| {
            let State { wasi, signals, .. } = store.data_mut();
            let mut clocks = wasi.clocks();
            let pollable: Resource<DynPollable> = match of_instant(when) {
                None => clocks.subscribe_instant(when)?,
                Some(mask) => {
                    let came = clocks.table.push(Came { heard: signals.fork(mask), mask })?;
                    subscribe(clocks.table, came)?
                }
            };
            Ok((pollable,))
        },
    )?;
    clock.func_wrap(
        "subscribe-duration",
        |mut store: StoreContextMut<'_, State>, (nanos,): (u64,)| {
            let State { wasi, exit_code: announced, .. } = store.data_mut();
            *announced = exit_code(nanos).or(*announced);
            Ok((wasi.clocks().subscribe_duration(nanos)?,))
        },
    )
}
