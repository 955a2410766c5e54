//! `poll_oneoff`: waits for sockets, stdin, files and clocks together.
//!
//! tokio remembers the readiness of each socket, so a call costs one run of tokio's driver, however many sockets it
//! names. The driver runs before anything is reported, so that a call that does not wait also sees events of the other
//! sockets.
//!
//! An invalid subscription (a closed descriptor, an unknown clock) results in an event with an error, and does not
//! affect others. A call without subscriptions returns no events.
//!
//! An extended call (`POLL_EXTENSION.md`) names changes instead of sockets. Armed sockets stay in the table. The cost
//! of a wait depends on the number of changes and ready sockets, not on the number of armed ones.

mod scan;
pub(crate) mod subscription;

use std::future::poll_fn;
use std::ops::Range;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use wasmtime_wasi::p1::WasiP1Ctx;

use self::scan::{Events, PIECE, Part, Pass, Sources, collect, event_type, scan};
use self::subscription::{
    EVENT, Raw, SUBSCRIPTION, Scratch, Subscription, Target, classify, parse, room_for_events,
    stdin_ready, u32_at,
};
use crate::clock::Monotonic;
use crate::fuel::burn;
use crate::p1::errno::{Errno, Returned, returned};
use crate::p1::memory::GuestMemory;
use crate::p1::sockets::ready_queue::Direction;
use crate::p1::sockets::table::Table;
use crate::p1::state::{Cx, State, parts};
use crate::signals::Receiver;
use crate::wasi::Wasi;

/// How many of wasmtime-wasi's descriptors are examined before other tasks run. Each takes longer than a socket.
const PIECE_OF_FILES: usize = 128;
/// The number of subscriptions for which memory is kept between calls.
const KEPT: usize = 16 * PIECE;
/// How many subscriptions one call may have in addition to two for each socket.
const MAX_OTHERS: usize = 1024;

/// tokio's timers have a resolution of a millisecond. The rest of a shorter wait is spent running the driver, but not
/// in an extended call.
const TIMER_GRAIN: Duration = Duration::from_millis(1);

pub(crate) async fn poll_oneoff(
    mut cx: Cx<'_>,
    subscriptions: i32,
    events: i32,
    n: i32,
    out: i32,
) -> Returned {
    // A short list has cost the guest, which wrote it, more than the host.
    let len = n as u32 as usize;
    if len > PIECE && len <= most(&cx.data().sockets) {
        burn(&mut cx, len * SUBSCRIPTION as usize)?;
    }
    returned(poll(&mut cx, subscriptions, events, n, out).await)
}

/// Returns how many subscriptions a call may have: two for each socket, and others.
fn most(sockets: &Table) -> usize {
    2 * sockets.limit() + MAX_OTHERS
}

/// A call whose arguments were checked.
struct Call {
    /// The range of the subscriptions.
    input: Range<usize>,
    /// The guest's array of events, and the number of events that fit into it.
    events: u32,
    room: u32,
    is_extended: bool,
}

async fn poll(
    cx: &mut Cx<'_>,
    subscriptions: i32,
    events: i32,
    n: i32,
    out: i32,
) -> Result<(), Errno> {
    let (subscriptions, events, n, out) =
        (subscriptions as u32, events as u32, n as u32, out as u32);
    // The call borrows the guest's memory and state while the guest is suspended.
    let (mut memory, state) = parts(cx)?;
    memory.range(out, 4, 4)?;
    if n == 0 {
        return memory.write_u32(out, 0);
    }
    let State { wasi, sockets, signals, clock, poll: scratch, .. } = state;
    scratch.calls = scratch.calls.wrapping_add(1);
    if n as usize + scratch.failed.len() > most(sockets) {
        return Err(Errno::INVAL);
    }
    let call = decode(&memory, subscriptions, events, n)?;
    apply(&call, &memory, scratch, sockets, clock).await;
    let stdin_fd = identify(wasi, &mut scratch.subscriptions).await;
    let count = wait(&call, &mut memory, scratch, wasi, sockets, signals, stdin_fd).await;
    memory.write_u32(out, count)
}

/// Checks the arguments of a call of at least one subscription.
fn decode(
    memory: &GuestMemory<'_>,
    subscriptions: u32,
    events: u32,
    n: u32,
) -> Result<Call, Errno> {
    let input = memory.range(subscriptions, (n * SUBSCRIPTION) as usize, 8)?;
    let extended = room_for_events(&memory.0[input.clone()].as_chunks().0[0])?;
    let room = extended.unwrap_or(n);
    let size = (room as usize).checked_mul(EVENT as usize).ok_or(Errno::FAULT)?;
    memory.range(events, size, 8)?;
    Ok(Call { input, events, room, is_extended: extended.is_some() })
}

/// Reads the subscriptions. Applies those of an extended call that are changes.
async fn apply(
    call: &Call,
    memory: &GuestMemory<'_>,
    scratch: &mut Scratch,
    sockets: &mut Table,
    clock: &Monotonic,
) {
    let Scratch { subscriptions: list, failed, extended: was_extended, .. } = scratch;
    list.clear();
    let numbers = sockets.numbers();
    let mut input: &[Raw] = memory.0[call.input.clone()].as_chunks().0;
    if call.is_extended {
        *was_extended = true;
        input = &input[1..];
    }
    for (i, piece) in input.chunks(PIECE).enumerate() {
        if i > 0 {
            yield_now().await;
        }
        for raw in piece {
            let subscription = parse(raw, clock, numbers);
            let Target::Socket { fd, direction } = subscription.target else {
                list.push(subscription);
                continue;
            };
            if !call.is_extended {
                list.push(subscription);
            } else if let Err(errno) = change(sockets, raw, fd, direction, subscription.userdata) {
                let target = Target::Failed { errno, ty: event_type(direction) };
                failed.push_back(Subscription { target, ..subscription });
            }
        }
    }
}

/// Determines the kinds of wasmtime-wasi's descriptors. Returns the one that is standard input.
async fn identify(wasi: &mut Wasi<WasiP1Ctx>, list: &mut [Subscription]) -> Option<i32> {
    let mut stdin_fd = None;
    let mut files = 0;
    for subscription in list {
        if let Target::Descriptor { fd, ty } = subscription.target {
            files += 1;
            if files % PIECE_OF_FILES == 0 {
                yield_now().await;
            }
            // PERF: boxed, because such descriptors are rare.
            subscription.target = Box::pin(classify(wasi, fd, ty)).await;
            if matches!(subscription.target, Target::Stdin) {
                stdin_fd = Some(fd);
            }
        }
    }
    stdin_fd
}

/// Waits until something is ready. Returns the number of events.
async fn wait(
    call: &Call,
    memory: &mut GuestMemory<'_>,
    scratch: &mut Scratch,
    wasi: &mut Wasi<WasiP1Ctx>,
    sockets: &mut Table,
    signals: &mut Receiver,
    stdin_fd: Option<i32>,
) -> u32 {
    let Scratch { subscriptions: list, failed, busy, .. } = scratch;
    let deadline =
        list.iter().filter_map(|s| if let Target::Clock(at) = s.target { at } else { None }).min();
    let wanted = list.iter().fold(0, |all, s| match s.target {
        Target::Signal { mask, .. } => all | mask,
        _ => all,
    });
    if wanted != 0 {
        signals.subscribe(wanted);
    }

    // PERF: rare futures are boxed. In place, they would enlarge the future of every call.
    let mut stdin = stdin_fd.map(|fd| Box::pin(stdin_ready(wasi, fd)));
    let mut signal = (wanted != 0).then(|| Box::pin(signals.wait(wanted)));
    let mut timer = pin!(deadline.map(|at| tokio::time::sleep_until(at.into())));

    let mut stdin_is_ready = false;
    let mut signal_was_sent = false;
    let mut waited = false;
    // Whether tokio's driver has run since the call began.
    let mut fresh = false;
    if *busy {
        yield_now().await;
        fresh = true;
    }
    let mut pass = (list.len() > PIECE && !call.is_extended).then(Pass::default);
    let mut found = Events { memory, at: call.events, room: call.room, count: 0, signals: 0 };
    loop {
        let is_any = poll_fn(|task| {
            if let Some(stdin) = stdin.as_mut().filter(|_| !stdin_is_ready) {
                stdin_is_ready = stdin.as_mut().poll(task).is_ready();
            }
            if let Some(signal) = signal.as_mut().filter(|_| !signal_was_sent) {
                signal_was_sent = signal.as_mut().poll(task).is_ready();
                signals.refresh();
            }
            let now = deadline.map(|_| Instant::now());
            let mut sources = Sources { sockets: &mut *sockets, signals, stdin_is_ready, now };
            if call.is_extended {
                if collect(failed, list, &mut sources, &mut found, task).is_pending() {
                    return Poll::Pending;
                }
            } else if let Some(pass) = &mut pass {
                sources.sockets.watch(task);
                if pass.step(list, &mut sources, &mut found, task).is_pending() {
                    return Poll::Pending;
                }
            } else {
                found.count = 0;
                sources.sockets.watch(task);
                scan(list, Part::All, &mut sources, &mut found, task);
            }
            let is_any = found.count > 0;
            // In an extended call a near deadline does not count: the guest's runtime has timers of a millisecond, too,
            // and one is nearly always near.
            let near = |at| !call.is_extended && now.is_some_and(|now| at < now + TIMER_GRAIN);
            if is_any || deadline.is_some_and(near) {
                return Poll::Ready(is_any);
            }
            if timer.as_mut().as_pin_mut().is_some_and(|timer| timer.poll(task).is_ready()) {
                task.waker().wake_by_ref();
            }
            waited = true;
            // The driver runs before the task is polled again.
            fresh = true;
            Poll::Pending
        })
        .await;
        if is_any && fresh {
            break;
        }
        yield_now().await;
        fresh = true;
    }
    sockets.unwatch();
    signals.acknowledge(found.signals);
    *busy = !waited;
    if list.capacity() > KEPT {
        list.truncate(0);
        list.shrink_to(KEPT);
    }
    found.count
}

/// Arms or disarms a socket.
fn change(
    sockets: &mut Table,
    raw: &Raw,
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

/// `sched_yield`: lets the host's other tasks run.
pub(crate) async fn sched_yield(_cx: &mut Cx<'_>) -> Result<(), Errno> {
    yield_now().await;
    Ok(())
}
