//! `poll_oneoff`: waits for sockets, stdin, files and clocks together.
//!
//! Readiness of sockets is tokio's, remembered per socket, so a call costs one
//! turn of tokio's driver however many sockets it names. The driver is turned
//! before anything is reported: also a call that must not wait, or that finds
//! a socket ready at once, sees what happened to the others.
//!
//! An invalid subscription (a closed descriptor, an unknown clock) makes an
//! event with an error and disturbs no other. No subscriptions are no events.
//!
//! An extended call (`POLL_EXTENSION.md`) names changes instead of sockets. What
//! is armed stays with the table, and a wait costs what changed and what is
//! ready, however much is armed.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use tokio::task::coop::unconstrained;
use tokio::task::yield_now;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::clock::{MONOTONIC, Monotonic, REALTIME};
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::signals::{self, Heard, Mask};
use crate::sockets::armed::Direction;
use crate::sockets::table::{Numbers, Table};
use crate::state::{Cx, State, parts};

/// So many subscriptions about other than the guest's sockets one call may have.
const MAX_OTHERS: usize = 1024;
const SUBSCRIPTION: u32 = 48;
const EVENT: u32 = 32;

/// The queue descriptor of `POLL_EXTENSION.md`: the letters `POL` with the highest bit set, and the version.
const QUEUE: i32 = 0xd04f_4c01_u32 as i32;

const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;
const HANGUP: u16 = 1;
const ABSTIME: u16 = 1;

const REGULAR_FILE: u8 = 4;
const RIGHT_FD_READ: u64 = 1 << 1;
const RIGHT_FD_WRITE: u64 = 1 << 6;

/// A guest that has no deadline names one that is centuries away. It needs no timer.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// tokio's timers count milliseconds; what is left of a shorter wait is spent
/// turning the driver, but not in an extended call.
const TIMER_GRAIN: Duration = Duration::from_millis(1);

/// Kept between calls so that they do not allocate.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    subscriptions: Vec<Subscription>,
    /// Changes that failed and were not reported yet.
    failed: VecDeque<Subscription>,
    /// The guest has made an extended call.
    extended: bool,
    /// Counts calls.
    turn: u32,
    /// The last call found something ready without waiting. So will this one,
    /// probably: the driver is turned first and the sockets looked at once.
    busy: bool,
}

impl Scratch {
    /// Whether the guest has made an extended call.
    pub(crate) fn is_extended(&self) -> bool {
        self.extended
    }

    /// Which turn of the guest this is; one ends with each call.
    pub(crate) fn turn(&self) -> u32 {
        self.turn
    }
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
        direction: Direction,
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

/// Whether `fd` is the descriptor by which a guest asks for extended polls.
pub(crate) fn is_queue(fd: i32) -> bool {
    fd == QUEUE
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
    let State { wasi, sockets, signals, clock, poll: scratch, .. } = state;
    scratch.turn = scratch.turn.wrapping_add(1);
    let Scratch { subscriptions: list, failed, extended: was_extended, busy, .. } = scratch;
    // They are looked at in one go, and others wait meanwhile: 130,000 take some 40 ms.
    if n as usize + failed.len() > 2 * sockets.limit() + MAX_OTHERS {
        return Err(Errno::INVAL);
    }
    let input = memory.range(subscriptions, (n * SUBSCRIPTION) as usize, 8)?;
    let mut input: &[[u8; SUBSCRIPTION as usize]] = memory.0[input].as_chunks().0;
    let extended = room_for_events(&input[0])?;
    let room = extended.unwrap_or(n);
    let size = (room as usize).checked_mul(EVENT as usize).ok_or(Errno::FAULT)?;
    memory.range(events, size, 8)?;

    list.clear();
    let numbers = sockets.numbers();
    if extended.is_some() {
        *was_extended = true;
        input = &input[1..];
        for raw in input {
            let subscription = parse(raw, clock, numbers);
            let What::Socket { fd, direction } = subscription.what else {
                list.push(subscription);
                continue;
            };
            if let Err(errno) = change(sockets, raw, fd, direction, subscription.userdata) {
                let what = What::Failed { errno, ty: event_type(direction) };
                failed.push_back(Subscription { what, ..subscription });
            }
        }
    } else {
        list.extend(input.iter().map(|raw| parse(raw, clock, numbers)));
    }
    let mut stdin_fd = None;
    for subscription in list.iter_mut() {
        if let What::Descriptor { fd, ty } = subscription.what {
            subscription.what = Box::pin(classify(wasi, fd, ty)).await;
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

    // Rare ones are boxed: with room for them in place, every call would carry it along.
    let mut stdin = stdin_fd.map(|fd| Box::pin(stdin_ready(wasi, fd)));
    let mut signal = (wanted != 0).then(|| Box::pin(signals.wait(wanted)));
    let mut timer = pin!(deadline.map(|at| tokio::time::sleep_until(at.into())));

    let mut stdin_is_ready = false;
    let mut signal_came = false;
    let mut waited = false;
    let mut fresh = false;
    if *busy {
        yield_now().await;
        fresh = true;
    }
    let list = &*list;
    let mut told = Events { memory: &mut memory, at: events, room, count: 0, signals: 0 };
    loop {
        let found = poll_fn(|task| {
            if let Some(stdin) = stdin.as_mut().filter(|_| !stdin_is_ready) {
                stdin_is_ready = stdin.as_mut().poll(task).is_ready();
            }
            if let Some(signal) = signal.as_mut().filter(|_| !signal_came) {
                signal_came = signal.as_mut().poll(task).is_ready();
                signals.look();
            }
            let now = deadline.map(|_| Instant::now());
            let mut world = World { sockets: &mut *sockets, signals, stdin_is_ready, now };
            if extended.is_none() {
                told.count = 0;
                world.sockets.watch(task);
                scan(list, Part::All, &mut world, &mut told, task);
            } else {
                collect(failed, list, &mut world, &mut told, task);
            }
            let found = told.count > 0;
            // A runtime's timers count milliseconds, too, and one is nearly always near.
            let near = |at| extended.is_none() && now.is_some_and(|now| at < now + TIMER_GRAIN);
            if found || deadline.is_some_and(near) {
                return Poll::Ready(found);
            }
            if timer.as_mut().as_pin_mut().is_some_and(|timer| timer.poll(task).is_ready()) {
                task.waker().wake_by_ref();
            }
            waited = true;
            // Waking means that the driver has run.
            fresh = true;
            Poll::Pending
        })
        .await;
        if found && fresh {
            break;
        }
        yield_now().await;
        fresh = true;
    }
    sockets.look_away();
    signals.see(told.signals);
    *busy = !waited;
    let count = told.count;
    memory.write_u32(out, count)
}

/// How many events the guest has room for, if this subscription makes its poll an extended one.
fn room_for_events(first: &[u8; SUBSCRIPTION as usize]) -> Result<Option<u32>, Errno> {
    let fd = i32::from_le_bytes([first[16], first[17], first[18], first[19]]);
    if first[8] != FD_READ || !is_queue(fd) {
        return Ok(None);
    }
    match u64_at(first, 0) {
        0 => Err(Errno::INVAL),
        room => u32::try_from(room).map(Some).map_err(|_| Errno::FAULT),
    }
}

/// Arms or disarms a socket.
fn change(
    sockets: &mut Table,
    raw: &[u8; SUBSCRIPTION as usize],
    fd: i32,
    direction: Direction,
    userdata: u64,
) -> Result<(), Errno> {
    match u32_at(raw, 20) {
        0 => sockets.arm(fd, direction, userdata),
        1 => {
            sockets.disarm(fd, direction);
            Ok(())
        }
        _ => Err(Errno::INVAL),
    }
}

/// What subscriptions are about, at one moment.
struct World<'a> {
    sockets: &'a mut Table,
    signals: &'a Heard,
    stdin_is_ready: bool,
    /// If any clock is asked about.
    now: Option<Instant>,
}

/// The guest's array of events, whose place in memory was checked.
struct Events<'a, 'm> {
    memory: &'a mut GuestMemory<'m>,
    at: u32,
    room: u32,
    count: u32,
    /// Signals that an event told of.
    signals: Mask,
}

impl Events<'_, '_> {
    fn is_full(&self) -> bool {
        self.count == self.room
    }

    /// `Ok(true)` says that the peer has hung up.
    fn push(&mut self, userdata: u64, ty: u8, outcome: Result<bool, Errno>) {
        let mut event = [0; EVENT as usize];
        event[..8].copy_from_slice(&userdata.to_le_bytes());
        event[8..10].copy_from_slice(&outcome.err().map_or(0, |e| e.0).to_le_bytes());
        event[10] = ty;
        if ty != CLOCK {
            // How much could be read is not known; WasmEdge says 1 too.
            event[16] = u8::from(outcome.is_ok());
            let flags = if outcome == Ok(true) { HANGUP } else { 0 };
            event[24..26].copy_from_slice(&flags.to_le_bytes());
        }
        if !self.is_full() && self.memory.write(self.at + self.count * EVENT, 8, &event).is_ok() {
            self.count += 1;
        }
    }
}

/// Which subscriptions [`scan`] looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Clocks,
    Others,
}

/// Looks at every subscription once and writes the events of the ready ones.
/// Leaves the task's waker with the sockets that are not.
fn scan(
    list: &[Subscription],
    part: Part,
    world: &mut World<'_>,
    events: &mut Events<'_, '_>,
    task: &mut Context<'_>,
) {
    for subscription in list {
        let is_clock = matches!(subscription.what, What::Clock(_));
        if events.is_full() || part == (if is_clock { Part::Others } else { Part::Clocks }) {
            continue;
        }
        let (ty, outcome) = match subscription.what {
            What::Clock(Some(at)) if world.now.is_some_and(|now| at <= now) => (CLOCK, Ok(false)),
            What::Clock(_) => continue,
            What::Socket { fd, direction } => match world.sockets.poll_ready(fd, direction, task) {
                Poll::Ready(outcome) => (event_type(direction), outcome),
                Poll::Pending => continue,
            },
            What::Signal { mask, ty } if world.signals.is_new(mask) => {
                events.signals |= mask;
                (ty, Ok(false))
            }
            What::Signal { .. } => continue,
            What::Stdin if world.stdin_is_ready => (FD_READ, Ok(false)),
            What::Stdin | What::Descriptor { .. } => continue,
            What::Always { ty } => (ty, Ok(false)),
            What::Failed { errno, ty } => (ty, Err(errno)),
        };
        events.push(subscription.userdata, ty, outcome);
    }
}

/// The extended call's [`scan`]: changes that failed, what this call alone is about, armed sockets, clocks. A call that
/// has events already has looked at all but the sockets.
fn collect(
    failed: &mut VecDeque<Subscription>,
    list: &[Subscription],
    world: &mut World<'_>,
    events: &mut Events<'_, '_>,
    task: &mut Context<'_>,
) {
    let first = events.count == 0;
    if first {
        let n = failed.len().min(events.room as usize);
        for Subscription { userdata, what } in failed.drain(..n) {
            if let What::Failed { errno, ty } = what {
                events.push(userdata, ty, Err(errno));
            }
        }
        scan(list, Part::Others, world, events, task);
    }
    // tokio's budget is for those who never wait, and a poll always lets others have a turn.
    let sockets = &mut *world.sockets;
    let mut look = pin!(unconstrained(poll_fn(|task| {
        let room = events.room - events.count;
        sockets.take_ready(room, task, |ready| {
            events.push(ready.userdata, event_type(ready.direction), ready.outcome);
        });
        Poll::Ready(())
    })));
    let _ = look.as_mut().poll(task);
    if first {
        scan(list, Part::Clocks, world, events, task);
    }
}

fn event_type(direction: Direction) -> u8 {
    match direction {
        Direction::Read => FD_READ,
        Direction::Write => FD_WRITE,
    }
}

fn u64_at(raw: &[u8; SUBSCRIPTION as usize], at: usize) -> u64 {
    u64::from_le_bytes(raw[at..at + 8].try_into().unwrap_or_default())
}

fn u32_at(raw: &[u8; SUBSCRIPTION as usize], at: usize) -> u32 {
    u32::from_le_bytes(raw[at..at + 4].try_into().unwrap_or_default())
}

fn parse(raw: &[u8; SUBSCRIPTION as usize], clock: &Monotonic, numbers: Numbers) -> Subscription {
    let ty = raw[8];
    let what = match ty {
        CLOCK => {
            let flags = u16::from_le_bytes([raw[40], raw[41]]);
            clock_deadline(u32_at(raw, 16), u64_at(raw, 24), flags, clock)
        }
        FD_READ | FD_WRITE => {
            let fd = u32_at(raw, 16) as i32;
            match signals::of_fd(fd) {
                Some(mask) if ty == FD_READ => What::Signal { mask, ty },
                _ if numbers.is_socket(fd) => What::Socket {
                    fd,
                    direction: if ty == FD_READ { Direction::Read } else { Direction::Write },
                },
                _ => What::Descriptor { fd: numbers.file(fd), ty },
            }
        }
        _ => What::Failed { errno: Errno::INVAL, ty },
    };
    Subscription { userdata: u64_at(raw, 0), what }
}

fn clock_deadline(id: u32, nanos: u64, flags: u16, clock: &Monotonic) -> What {
    let timeout = Duration::from_nanos(nanos);
    let deadline = match (id, flags) {
        (REALTIME | MONOTONIC, 0) if timeout >= NEVER => None,
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
