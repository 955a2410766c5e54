//! `poll_oneoff`: waits for sockets, stdin, files and clocks together.
//!
//! Readiness of sockets is tokio's, remembered per socket, so a call costs one
//! turn of tokio's driver however many sockets it names. The driver is turned
//! before anything is reported: also a call that must not wait, or that finds
//! a socket ready at once, sees what happened to the others.
//!
//! An invalid subscription (a closed descriptor, an unknown clock) makes an
//! event with an error and disturbs no other. No subscriptions are no events.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use tokio::io::Interest;
use tokio::task::yield_now;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::clock::Monotonic;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::signals::{self, Heard, Mask};
use crate::sockets::table::{Numbers, Table};
use crate::state::{Cx, State, parts};

/// So many subscriptions about other than the guest's sockets one call may have.
const MAX_OTHERS: usize = 1024;
const SUBSCRIPTION: u32 = 48;
const EVENT: u32 = 32;

const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;
const HANGUP: u16 = 1;
const ABSTIME: u16 = 1;

const REGULAR_FILE: u8 = 4;
const RIGHT_FD_READ: u64 = 1 << 1;
const RIGHT_FD_WRITE: u64 = 1 << 6;

/// tokio's timers count milliseconds; what is left of a shorter wait is spent
/// turning the driver.
const TIMER_GRAIN: Duration = Duration::from_millis(1);

/// Kept between calls so that they do not allocate.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    subscriptions: Vec<Subscription>,
    /// The last call found something ready without waiting. So will this one,
    /// probably: the driver is turned first and the sockets looked at once.
    busy: bool,
}

#[derive(Debug)]
struct Subscription {
    userdata: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    /// `None` is never.
    Clock(Option<Instant>),
    Socket {
        fd: i32,
        ty: u8,
    },
    /// A descriptor of wasmtime-wasi's, not looked at yet.
    Descriptor {
        fd: i32,
        ty: u8,
    },
    Stdin,
    /// One of the signals; `SIGNALS.md`.
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

pub(crate) async fn poll_oneoff(
    cx: &mut Cx<'_>,
    subscriptions: i32,
    events: i32,
    n: i32,
    out: i32,
) -> Result<(), Errno> {
    let (subscriptions, events, n, out) =
        (subscriptions as u32, events as u32, n as u32, out as u32);
    // The guest is suspended while this borrows its memory and state.
    let (mut memory, state) = parts(cx)?;
    memory.range(out, 4, 4)?;
    if n == 0 {
        return memory.write_u32(out, 0);
    }
    // They are looked at in one go, and others wait meanwhile: 130,000 take some 40 ms.
    if n as usize > 2 * state.sockets.limit() + MAX_OTHERS {
        return Err(Errno::INVAL);
    }
    let input = memory.range(subscriptions, (n * SUBSCRIPTION) as usize, 8)?;
    memory.range(events, (n * EVENT) as usize, 8)?;

    let State { wasi, sockets, signals, clock, poll: scratch, .. } = state;
    let list = &mut scratch.subscriptions;
    list.clear();
    let numbers = sockets.numbers();
    list.extend(memory.0[input].as_chunks().0.iter().map(|raw| parse(raw, clock, numbers)));
    let mut stdin_fd = None;
    for subscription in list.iter_mut() {
        if let What::Descriptor { fd, ty } = subscription.what {
            subscription.what = classify(wasi, fd, ty).await;
            if matches!(subscription.what, What::Stdin) {
                stdin_fd = Some(fd);
            }
        }
    }
    let deadline =
        list.iter().filter_map(|s| if let What::Clock(at) = s.what { at } else { None }).min();

    let wanted = list.iter().fold(0, |all, s| match s.what {
        What::Signal { mask, .. } => all | mask,
        _ => all,
    });
    if wanted != 0 {
        signals.want(wanted);
    }

    let mut stdin = pin!(async {
        match stdin_fd {
            Some(fd) => stdin_ready(wasi, fd).await,
            None => pending().await,
        }
    });
    let mut timer = pin!(async {
        match deadline {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => pending().await,
        }
    });

    let signal = (wanted != 0).then(|| signals.wait(wanted));
    let mut signal = pin!(async {
        match signal {
            Some(signal) => signal.await,
            None => pending().await,
        }
    });

    let mut stdin_is_ready = false;
    let mut signal_came = false;
    let mut waited = false;
    let mut fresh = false;
    if scratch.busy {
        yield_now().await;
        fresh = true;
    }
    let list = &scratch.subscriptions;
    let count = loop {
        let found = poll_fn(|task| {
            if !stdin_is_ready && stdin_fd.is_some() {
                stdin_is_ready = stdin.as_mut().poll(task).is_ready();
            }
            if !signal_came && wanted != 0 {
                signal_came = signal.as_mut().poll(task).is_ready();
                signals.look();
            }
            let now = deadline.map(|_| Instant::now());
            let mut world = World { sockets: &mut *sockets, signals, stdin_is_ready, now };
            let found = scan(list, &mut world, &mut memory, events, task);
            let near = |at: Instant| now.is_some_and(|now| at < now + TIMER_GRAIN);
            if found > 0 || deadline.is_some_and(near) {
                return Poll::Ready(found);
            }
            if timer.as_mut().poll(task).is_ready() {
                task.waker().wake_by_ref();
            }
            waited = true;
            // Waking means that the driver has run.
            fresh = true;
            Poll::Pending
        })
        .await;
        if found > 0 && fresh {
            break found;
        }
        yield_now().await;
        fresh = true;
    };
    signals.see(wanted);
    scratch.busy = !waited;
    memory.write_u32(out, count)
}

/// What subscriptions are about, at one moment.
struct World<'a> {
    sockets: &'a mut Table,
    signals: &'a Heard,
    stdin_is_ready: bool,
    /// If any clock is asked about.
    now: Option<Instant>,
}

/// Looks at every subscription once and writes the events of the ready ones.
/// Leaves the task's waker with the sockets that are not.
fn scan(
    list: &[Subscription],
    world: &mut World<'_>,
    memory: &mut GuestMemory<'_>,
    events: u32,
    task: &mut Context<'_>,
) -> u32 {
    let mut count = 0;
    for subscription in list {
        let (ty, outcome) = match subscription.what {
            What::Clock(Some(at)) if world.now.is_some_and(|now| at <= now) => (CLOCK, Ok(false)),
            What::Clock(_) => continue,
            What::Socket { fd, ty } => match socket_ready(world.sockets, fd, ty, task) {
                Poll::Ready(outcome) => (ty, outcome),
                Poll::Pending => continue,
            },
            What::Signal { mask, ty } if world.signals.is_new(mask) => (ty, Ok(false)),
            What::Signal { .. } => continue,
            What::Stdin if world.stdin_is_ready => (FD_READ, Ok(false)),
            What::Stdin | What::Descriptor { .. } => continue,
            What::Always { ty } => (ty, Ok(false)),
            What::Failed { errno, ty } => (ty, Err(errno)),
        };
        let mut event = [0; EVENT as usize];
        event[..8].copy_from_slice(&subscription.userdata.to_le_bytes());
        event[8..10].copy_from_slice(&outcome.err().map_or(0, |e| e.0).to_le_bytes());
        event[10] = ty;
        if ty != CLOCK {
            // How much could be read is not known; WasmEdge says 1 too.
            event[16] = u8::from(outcome.is_ok());
            let flags = if outcome == Ok(true) { HANGUP } else { 0 };
            event[24..26].copy_from_slice(&flags.to_le_bytes());
        }
        // The array was checked before, and there are at most as many events.
        if memory.write(events + count * EVENT, 8, &event).is_ok() {
            count += 1;
        }
    }
    count
}

/// `Ok(true)` when the peer has hung up.
fn socket_ready(
    sockets: &mut Table,
    fd: i32,
    ty: u8,
    task: &mut Context<'_>,
) -> Poll<Result<bool, Errno>> {
    let interest = if ty == FD_READ { Interest::READABLE } else { Interest::WRITABLE };
    match sockets.get_mut(fd) {
        Ok(socket) => socket.poll_ready(interest, task).map_err(Errno::from),
        Err(errno) => Poll::Ready(Err(errno)),
    }
}

fn parse(raw: &[u8; SUBSCRIPTION as usize], clock: &Monotonic, numbers: Numbers) -> Subscription {
    let u64_at = |at: usize| u64::from_le_bytes(raw[at..at + 8].try_into().unwrap_or_default());
    let u32_at = |at: usize| u32::from_le_bytes(raw[at..at + 4].try_into().unwrap_or_default());
    let ty = raw[8];
    let what = match ty {
        CLOCK => {
            let flags = u16::from_le_bytes([raw[40], raw[41]]);
            clock_deadline(u32_at(16), u64_at(24), flags, clock)
        }
        FD_READ | FD_WRITE => {
            let fd = u32_at(16) as i32;
            match signals::of_fd(fd) {
                Some(mask) if ty == FD_READ => What::Signal { mask, ty },
                _ if numbers.is_socket(fd) => What::Socket { fd, ty },
                _ => What::Descriptor { fd: numbers.file(fd), ty },
            }
        }
        _ => What::Failed { errno: Errno::INVAL, ty },
    };
    Subscription { userdata: u64_at(0), what }
}

fn clock_deadline(id: u32, nanos: u64, flags: u16, clock: &Monotonic) -> What {
    const REALTIME: u32 = 0;
    const MONOTONIC: u32 = 1;
    let timeout = Duration::from_nanos(nanos);
    let deadline = match (id, flags) {
        (REALTIME | MONOTONIC, 0) => Instant::now().checked_add(timeout),
        (MONOTONIC, ABSTIME) => clock.instant(nanos),
        (REALTIME, ABSTIME) => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Instant::now().checked_add(timeout.saturating_sub(now))
        }
        _ => return What::Failed { errno: Errno::INVAL, ty: CLOCK },
    };
    What::Clock(deadline)
}

/// What a descriptor of wasmtime-wasi's is, as far as waiting is concerned.
async fn classify(wasi: &mut WasiP1Ctx, fd: i32, ty: u8) -> What {
    let Aligned(stat) = &mut Aligned([0; 24]);
    let mut memory = wiggle::GuestMemory::Unshared(stat);
    match wasi::fd_fdstat_get(wasi, &mut memory, fd, 0).await {
        Ok(0) => {}
        Ok(errno) => return What::Failed { errno: Errno(errno as u16), ty },
        Err(_) => return What::Failed { errno: Errno::IO, ty },
    }
    let rights = u64::from_le_bytes(stat[8..16].try_into().unwrap_or_default());
    match ty {
        _ if stat[0] == REGULAR_FILE => What::Always { ty },
        FD_READ if rights == RIGHT_FD_READ => What::Stdin,
        FD_WRITE if rights == RIGHT_FD_WRITE => What::Always { ty },
        _ => What::Failed { errno: Errno::BADF, ty },
    }
}

/// Memory of ours that wasmtime-wasi takes for a guest's. It checks the alignment
/// of addresses as they are, not of offsets.
#[repr(align(8))]
struct Aligned<const N: usize>([u8; N]);

/// Waits until reading stdin would not wait. wasmtime-wasi owns the stream, so
/// it is asked in its own language, about one subscription in memory of ours.
async fn stdin_ready(wasi: &mut WasiP1Ctx, fd: i32) {
    const EVENTS: i32 = SUBSCRIPTION as i32;
    const COUNT: i32 = EVENTS + EVENT as i32;
    let Aligned(bytes) = &mut Aligned([0; COUNT as usize + 4]);
    bytes[8] = FD_READ;
    bytes[16..20].copy_from_slice(&fd.to_le_bytes());
    let mut memory = wiggle::GuestMemory::Unshared(bytes);
    wasi::WasiSnapshotPreview1::set_hostcall_fuel(wasi, 4096);
    // An error too is something the next read will tell.
    let _ = wasi::poll_oneoff(wasi, &mut memory, 0, EVENTS, 1, COUNT).await;
}

/// `sched_yield`: lets the host's other tasks run.
pub(crate) async fn sched_yield(_cx: &mut Cx<'_>) -> Result<(), Errno> {
    yield_now().await;
    Ok(())
}
