//! Finds ready targets, and writes their events.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use tokio::task::coop::unconstrained;

use super::subscription::{CLOCK, EVENT, FD_READ, FD_WRITE, Subscription, Target};
use crate::p1::errno::Errno;
use crate::p1::memory::GuestMemory;
use crate::p1::sockets::armed::Scan;
use crate::p1::sockets::ready_queue::Direction;
use crate::p1::sockets::table::Table;
use crate::signals::{Mask, Receiver};

const HANGUP: u16 = 1;

/// How many subscriptions are examined before other tasks run. That takes less than a millisecond.
pub(super) const PIECE: usize = 1024;

/// The state of the targets of subscriptions, at one moment.
pub(super) struct Sources<'a> {
    pub(super) sockets: &'a mut Table,
    pub(super) signals: &'a Receiver,
    pub(super) stdin_is_ready: bool,
    /// The time, if there is a subscription to a clock.
    pub(super) now: Option<Instant>,
}

/// The guest's array of events, whose bounds were checked.
pub(super) struct Events<'a, 'm> {
    pub(super) memory: &'a mut GuestMemory<'m>,
    pub(super) at: u32,
    pub(super) room: u32,
    pub(super) count: u32,
    /// The signals that were reported.
    pub(super) signals: Mask,
}

impl Events<'_, '_> {
    fn is_full(&self) -> bool {
        self.count == self.room
    }

    /// Writes an event. `Ok(true)` means that the peer has hung up.
    fn push(&mut self, userdata: u64, ty: u8, outcome: Result<bool, Errno>) {
        let mut event = [0; EVENT as usize];
        event[..8].copy_from_slice(&userdata.to_le_bytes());
        event[8..10].copy_from_slice(&outcome.err().map_or(0, |e| e.0).to_le_bytes());
        event[10] = ty;
        if ty != CLOCK {
            // The number of readable bytes is unknown. WasmEdge reports 1 too.
            event[16] = u8::from(outcome.is_ok());
            let flags = if outcome == Ok(true) { HANGUP } else { 0 };
            event[24..26].copy_from_slice(&flags.to_le_bytes());
        }
        if !self.is_full() && self.memory.write(self.at + self.count * EVENT, 8, &event).is_ok() {
            self.count += 1;
        }
    }
}

/// The part of the subscriptions that [`scan`] examines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    All,
    Clocks,
    Others,
}

/// Examines every subscription once, and writes the events of the ready ones. Registers the task's waker with the
/// sockets that are not ready.
pub(super) fn scan(
    list: &[Subscription],
    part: Part,
    sources: &mut Sources<'_>,
    events: &mut Events<'_, '_>,
    task: &mut Context<'_>,
) {
    for subscription in list {
        let is_clock = matches!(subscription.target, Target::Clock(_));
        if events.is_full() || part == (if is_clock { Part::Others } else { Part::Clocks }) {
            continue;
        }
        let (ty, outcome) = match subscription.target {
            Target::Clock(Some(at)) if sources.now.is_some_and(|now| at <= now) => {
                (CLOCK, Ok(false))
            }
            Target::Clock(_) => continue,
            Target::Socket { fd, direction } => {
                match sources.sockets.poll_ready(fd, direction, task) {
                    Poll::Ready(outcome) => (event_type(direction), outcome),
                    Poll::Pending => continue,
                }
            }
            Target::Signal { mask, ty } if sources.signals.is_pending(mask) => {
                events.signals |= mask;
                (ty, Ok(false))
            }
            Target::Signal { .. } => continue,
            Target::Stdin if sources.stdin_is_ready => (FD_READ, Ok(false)),
            Target::Stdin | Target::Descriptor { .. } => continue,
            Target::Always { ty } => (ty, Ok(false)),
            Target::Failed { errno, ty } => (ty, Err(errno)),
        };
        events.push(subscription.userdata, ty, outcome);
    }
}

/// Performs the [`scan`] of an extended call: failed changes, subscriptions of this call alone, armed sockets, clocks.
/// If there are events from an earlier scan, only sockets are examined. Returns `Pending` and wakes the task if there
/// is no event yet and there were more sockets than are examined at once.
pub(super) fn collect(
    failed: &mut VecDeque<Subscription>,
    list: &[Subscription],
    sources: &mut Sources<'_>,
    events: &mut Events<'_, '_>,
    task: &mut Context<'_>,
) -> Poll<()> {
    let first = events.count == 0;
    if first {
        let n = failed.len().min(events.room as usize);
        for Subscription { userdata, target } in failed.drain(..n) {
            if let Target::Failed { errno, ty } = target {
                events.push(userdata, ty, Err(errno));
            }
        }
        scan(list, Part::Others, sources, events, task);
    }
    // tokio's budget is meant for tasks that never wait. A poll always yields.
    let sockets = &mut *sources.sockets;
    let mut look = pin!(unconstrained(poll_fn(|task| {
        let room = events.room - events.count;
        Poll::Ready(sockets.take_ready(room, task, |ready| {
            events.push(ready.userdata, event_type(ready.direction), ready.outcome);
        }))
    })));
    let looked = look.as_mut().poll(task);
    if first {
        scan(list, Part::Clocks, sources, events, task);
    }
    if events.count == 0 && looked == Poll::Ready(Scan::Partial) {
        task.waker().wake_by_ref();
        return Poll::Pending;
    }
    Poll::Ready(())
}

pub(super) fn event_type(direction: Direction) -> u8 {
    match direction {
        Direction::Read => FD_READ,
        Direction::Write => FD_WRITE,
    }
}

/// A scan of a list that is too long to be examined at once. Each step examines a piece.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// The position where the next step begins.
    at: usize,
    noticed: Arc<Noticed>,
}

/// The waker of a pass. It records that a target became ready after it was examined, and another pass follows. The
/// task's own waker cannot record this, because the task is woken for each piece anyway.
#[derive(Debug, Default)]
struct Noticed {
    was_woken: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Noticed {
    fn wake(self: Arc<Noticed>) {
        self.was_woken.store(true, SeqCst);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Pass {
    /// Ready when the whole list has been examined, and an event was found or nothing was woken meanwhile. Otherwise
    /// the task is woken for the next step.
    pub(super) fn step(
        &mut self,
        list: &[Subscription],
        sources: &mut Sources<'_>,
        events: &mut Events<'_, '_>,
        task: &mut Context<'_>,
    ) -> Poll<()> {
        if self.at == 0 {
            events.count = 0;
            self.noticed.was_woken.store(false, SeqCst);
        }
        let waker = Some(task.waker().clone());
        *self.noticed.task.lock().unwrap_or_else(PoisonError::into_inner) = waker;
        let end = list.len().min(self.at + PIECE);
        let noticed = Waker::from(self.noticed.clone());
        let piece = &list[self.at..end];
        scan(piece, Part::All, sources, events, &mut Context::from_waker(&noticed));
        let is_over = end == list.len();
        self.at = if is_over { 0 } else { end };
        if !is_over || events.count == 0 && self.noticed.was_woken.load(SeqCst) {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}
