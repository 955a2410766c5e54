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

mod scan;
pub(crate) mod subscription;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::yield_now;

use self::scan::{Events, PIECE, Part, Pass, World, collect, event_type, scan};
use self::subscription::{
    EVENT, Raw, SUBSCRIPTION, Scratch, Subscription, What, classify, parse, room_for_events,
    stdin_ready, u32_at,
};
use crate::fuel::burn;
use crate::p1::errno::{Errno, Returned, returned};
use crate::p1::sockets::ready_queue::Direction;
use crate::p1::sockets::table::Table;
use crate::p1::state::{Cx, State, parts};

/// So many descriptors of wasmtime-wasi's are, which takes longer.
const PIECE_OF_FILES: usize = 128;
/// How many subscriptions are kept room for between calls.
const KEPT: usize = 16 * PIECE;
/// So many subscriptions about other than the guest's sockets one call may have.
const MAX_OTHERS: usize = 1024;

/// tokio's timers count milliseconds; what is left of a shorter wait is spent
/// turning the driver, but not in an extended call.
const TIMER_GRAIN: Duration = Duration::from_millis(1);

pub(crate) async fn poll_oneoff(
    mut cx: Cx<'_>,
    subscriptions: i32,
    events: i32,
    n: i32,
    out: i32,
) -> Returned {
    // Short lists have cost the guest more than the host: it wrote them.
    let len = n as u32 as usize;
    if len > PIECE && len <= most(&cx.data().sockets) {
        burn(&mut cx, len * SUBSCRIPTION as usize)?;
    }
    returned(poll(&mut cx, subscriptions, events, n, out).await)
}

/// How many subscriptions a call may have: each socket twice, and others.
fn most(sockets: &Table) -> usize {
    2 * sockets.limit() + MAX_OTHERS
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
    // The guest is suspended while this borrows its memory and state.
    let (mut memory, state) = parts(cx)?;
    memory.range(out, 4, 4)?;
    if n == 0 {
        return memory.write_u32(out, 0);
    }
    let State { wasi, sockets, signals, clock, poll: scratch, .. } = state;
    scratch.turn = scratch.turn.wrapping_add(1);
    let Scratch { subscriptions: list, failed, extended: was_extended, busy, .. } = scratch;
    if n as usize + failed.len() > most(sockets) {
        return Err(Errno::INVAL);
    }
    let input = memory.range(subscriptions, (n * SUBSCRIPTION) as usize, 8)?;
    let mut input: &[Raw] = memory.0[input].as_chunks().0;
    let extended = room_for_events(&input[0])?;
    let room = extended.unwrap_or(n);
    let size = (room as usize).checked_mul(EVENT as usize).ok_or(Errno::FAULT)?;
    memory.range(events, size, 8)?;

    list.clear();
    let numbers = sockets.numbers();
    if extended.is_some() {
        *was_extended = true;
        input = &input[1..];
    }
    for (i, piece) in input.chunks(PIECE).enumerate() {
        if i > 0 {
            yield_now().await;
        }
        for raw in piece {
            let subscription = parse(raw, clock, numbers);
            let What::Socket { fd, direction } = subscription.what else {
                list.push(subscription);
                continue;
            };
            if extended.is_none() {
                list.push(subscription);
            } else if let Err(errno) = change(sockets, raw, fd, direction, subscription.userdata) {
                let what = What::Failed { errno, ty: event_type(direction) };
                failed.push_back(Subscription { what, ..subscription });
            }
        }
    }
    let mut stdin_fd = None;
    let mut files = 0;
    for subscription in list.iter_mut() {
        if let What::Descriptor { fd, ty } = subscription.what {
            files += 1;
            if files % PIECE_OF_FILES == 0 {
                yield_now().await;
            }
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
        signals.subscribe(wanted);
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
    let mut pass = (list.len() > PIECE && extended.is_none()).then(Pass::default);
    let mut told = Events { memory: &mut memory, at: events, room, count: 0, signals: 0 };
    loop {
        let found = poll_fn(|task| {
            if let Some(stdin) = stdin.as_mut().filter(|_| !stdin_is_ready) {
                stdin_is_ready = stdin.as_mut().poll(task).is_ready();
            }
            if let Some(signal) = signal.as_mut().filter(|_| !signal_came) {
                signal_came = signal.as_mut().poll(task).is_ready();
                signals.refresh();
            }
            let now = deadline.map(|_| Instant::now());
            let mut world = World { sockets: &mut *sockets, signals, stdin_is_ready, now };
            if extended.is_some() {
                if collect(failed, list, &mut world, &mut told, task).is_pending() {
                    return Poll::Pending;
                }
            } else if let Some(pass) = &mut pass {
                world.sockets.watch(task);
                if pass.step(list, &mut world, &mut told, task).is_pending() {
                    return Poll::Pending;
                }
            } else {
                told.count = 0;
                world.sockets.watch(task);
                scan(list, Part::All, &mut world, &mut told, task);
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
    signals.acknowledge(told.signals);
    *busy = !waited;
    let count = told.count;
    if list.capacity() > KEPT {
        list.truncate(0);
        list.shrink_to(KEPT);
    }
    memory.write_u32(out, count)
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
