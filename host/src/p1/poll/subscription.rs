//! Subscriptions: their form in guest memory, and their targets.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::clock::Monotonic;
use crate::p1::errno::Errno;
use crate::p1::pollable::{self, is_queue};
use crate::p1::sockets::ready_queue::Direction;
use crate::p1::sockets::table::Numbers;
use crate::signals::Mask;

/// Sizes in the guest's memory, in bytes.
pub(super) const SUBSCRIPTION: u32 = 48;
pub(super) const EVENT: u32 = 32;

/// `eventtype`.
pub(super) const CLOCK: u8 = 0;
pub(super) const FD_READ: u8 = 1;
pub(super) const FD_WRITE: u8 = 2;

/// `clockid`.
pub(crate) const REALTIME: u32 = 0;
pub(crate) const MONOTONIC: u32 = 1;

const ABSTIME: u16 = 1;

const REGULAR_FILE: u8 = 4;
const RIGHT_FD_READ: u64 = 1 << 1;
const RIGHT_FD_WRITE: u64 = 1 << 6;

/// Guests express "no deadline" as a time that is centuries away. Beyond this, no timer is needed.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// A subscription in the guest's memory.
pub(super) type Raw = [u8; SUBSCRIPTION as usize];

/// A subscription.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) userdata: u64,
    pub(super) target: Target,
}

/// The target of a subscription.
#[derive(Debug)]
pub(super) enum Target {
    /// `None` means never.
    Clock(Option<Instant>),
    Socket {
        fd: i32,
        direction: Direction,
    },
    /// A descriptor of wasmtime-wasi whose kind is not known yet.
    Descriptor {
        fd: i32,
        ty: u8,
    },
    Stdin,
    /// One of the signals, see `SIGNALS.md`.
    Signal {
        mask: Mask,
        ty: u8,
    },
    /// Regular files, stdout and stderr.
    Always {
        ty: u8,
    },
    Failed {
        errno: Errno,
        ty: u8,
    },
}

/// Buffers kept between calls, so that calls do not allocate.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(super) subscriptions: Vec<Subscription>,
    /// Changes that failed and have not been reported yet.
    pub(super) failed: VecDeque<Subscription>,
    /// Whether the guest has made an extended call.
    pub(super) extended: bool,
    /// The number of calls.
    pub(super) calls: u32,
    /// Whether the last call found an event without waiting. The next one is then likely to, too, so the driver runs
    /// first and the sockets are examined once.
    pub(super) busy: bool,
}

impl Scratch {
    /// Returns whether the guest has made an extended call.
    pub(crate) fn is_extended(&self) -> bool {
        self.extended
    }

    /// Returns the number of calls so far.
    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }
}

/// Returns the capacity of the guest's array of events, if this subscription makes its poll an extended one.
pub(super) fn room_for_events(first: &Raw) -> Result<Option<u32>, Errno> {
    let fd = i32::from_le_bytes([first[16], first[17], first[18], first[19]]);
    if first[8] != FD_READ || !is_queue(fd) {
        return Ok(None);
    }
    match u64_at(first, 0) {
        0 => Err(Errno::INVAL),
        room => u32::try_from(room).map(Some).map_err(|_| Errno::FAULT),
    }
}

fn u64_at(raw: &Raw, at: usize) -> u64 {
    u64::from_le_bytes(raw[at..at + 8].try_into().unwrap_or_default())
}

pub(super) fn u32_at(raw: &Raw, at: usize) -> u32 {
    u32::from_le_bytes(raw[at..at + 4].try_into().unwrap_or_default())
}

pub(super) fn parse(raw: &Raw, clock: &Monotonic, numbers: Numbers) -> Subscription {
    let ty = raw[8];
    let target = match ty {
        CLOCK => {
            let flags = u16::from_le_bytes([raw[40], raw[41]]);
            clock_deadline(u32_at(raw, 16), u64_at(raw, 24), flags, clock)
        }
        FD_READ | FD_WRITE => {
            let fd = u32_at(raw, 16) as i32;
            match pollable::signals(fd) {
                Some(mask) if ty == FD_READ => Target::Signal { mask, ty },
                _ if numbers.is_socket(fd) => Target::Socket {
                    fd,
                    direction: if ty == FD_READ { Direction::Read } else { Direction::Write },
                },
                _ => Target::Descriptor { fd: numbers.file(fd), ty },
            }
        }
        _ => Target::Failed { errno: Errno::INVAL, ty },
    };
    Subscription { userdata: u64_at(raw, 0), target }
}

fn clock_deadline(id: u32, nanos: u64, flags: u16, clock: &Monotonic) -> Target {
    let timeout = Duration::from_nanos(nanos);
    let deadline = match (id, flags) {
        (REALTIME | MONOTONIC, 0) if timeout >= NEVER => None,
        (REALTIME | MONOTONIC, 0) => Instant::now().checked_add(timeout),
        (MONOTONIC, ABSTIME) => clock.instant(nanos),
        (REALTIME, ABSTIME) => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Instant::now().checked_add(timeout.saturating_sub(now))
        }
        _ => return Target::Failed { errno: Errno::INVAL, ty: CLOCK },
    };
    Target::Clock(deadline)
}

/// Returns the target for a descriptor of wasmtime-wasi.
pub(super) async fn classify(wasi: &mut WasiP1Ctx, fd: i32, ty: u8) -> Target {
    let Aligned(stat) = &mut Aligned([0; 24]);
    let mut memory = wiggle::GuestMemory::Unshared(stat);
    match wasi::fd_fdstat_get(wasi, &mut memory, fd, 0).await {
        Ok(0) => {}
        Ok(errno) => return Target::Failed { errno: Errno(errno as u16), ty },
        Err(_) => return Target::Failed { errno: Errno::IO, ty },
    }
    let rights = u64::from_le_bytes(stat[8..16].try_into().unwrap_or_default());
    match ty {
        _ if stat[0] == REGULAR_FILE => Target::Always { ty },
        FD_READ if rights == RIGHT_FD_READ => Target::Stdin,
        FD_WRITE if rights == RIGHT_FD_WRITE => Target::Always { ty },
        _ => Target::Failed { errno: Errno::BADF, ty },
    }
}

/// Memory that is passed to wasmtime-wasi in place of a guest's. It checks the alignment of addresses, not of offsets.
#[repr(align(8))]
struct Aligned<const N: usize>([u8; N]);

/// Waits until stdin can be read without blocking. wasmtime-wasi owns the stream, so its own `poll_oneoff` is called,
/// with one subscription.
pub(super) async fn stdin_ready(wasi: &mut WasiP1Ctx, fd: i32) {
    const EVENTS: i32 = SUBSCRIPTION as i32;
    const COUNT: i32 = EVENTS + EVENT as i32;
    let Aligned(bytes) = &mut Aligned([0; COUNT as usize + 4]);
    bytes[8] = FD_READ;
    bytes[16..20].copy_from_slice(&fd.to_le_bytes());
    let mut memory = wiggle::GuestMemory::Unshared(bytes);
    wasi::WasiSnapshotPreview1::set_hostcall_fuel(wasi, 4096);
    // If this fails, the next read reports an error.
    let _ = wasi::poll_oneoff(wasi, &mut memory, 0, EVENTS, 1, COUNT).await;
}
