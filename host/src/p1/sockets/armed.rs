//! Sockets that stay armed between polls: `POLL_EXTENSION.md`.
//!
//! An armed socket leaves a waker of its own, a [`Bell`], with tokio. When it rings, the socket's slot is put in a
//! queue, and the next extended poll looks at what is there and at nothing else: it costs nothing to have armed many.
//!
//! Two things hold between calls. Whatever is armed is either in the queue or has its bell with tokio: so an ordinary
//! poll about it leaves that bell, too, and a socket that is registered anew rings it. And a slot is in the queue once
//! at most, whatever became of its socket, so that the queue is bounded by the table.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{AcqRel, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::io::Interest;

use crate::p1::errno::Errno;
use crate::p1::sockets::table::Table;

/// What a socket can be ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

impl Direction {
    const ALL: [Direction; 2] = [Direction::Read, Direction::Write];

    fn interest(self) -> Interest {
        match self {
            Direction::Read => Interest::READABLE,
            Direction::Write => Interest::WRITABLE,
        }
    }
}

/// Slots whose bell rang. Bells ring on the threads of tokio's driver.
#[derive(Debug, Default)]
pub(super) struct Queue {
    rung: Mutex<Rung>,
    /// Whether the guest wants to be woken by the next bell.
    waiting: AtomicBool,
}

#[derive(Debug, Default)]
struct Rung {
    slots: Vec<u32>,
    /// The guest's, as of its last poll.
    task: Option<Waker>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Rung> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on a bell wakes the task, once.
    fn watch(&self, task: &Context<'_>) -> MutexGuard<'_, Rung> {
        let mut rung = self.lock();
        match &mut rung.task {
            Some(waker) => waker.clone_from(task.waker()),
            none => *none = Some(task.waker().clone()),
        }
        self.waiting.store(true, Release);
        rung
    }
}

/// The waker of the sockets in one slot, one after the other.
#[derive(Debug)]
pub(super) struct Bell {
    queue: Arc<Queue>,
    slot: u32,
    /// Whether the slot is in the queue.
    queued: AtomicBool,
}

impl Bell {
    pub(super) fn ring(&self) {
        let mut rung = self.queue.lock();
        if !self.queued.swap(true, AcqRel) {
            rung.slots.push(self.slot);
        }
        // Also if it was queued before: an ordinary poll looks at no queue.
        let task = if self.queue.waiting.swap(false, AcqRel) { rung.task.clone() } else { None };
        drop(rung);
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Bell>) {
        self.ring();
    }
}

/// What is armed in one slot. It stays with the slot, for the next socket.
#[derive(Debug)]
pub(super) struct Armed {
    bell: Arc<Bell>,
    waker: Waker,
    /// By direction, if it is armed.
    userdata: [Option<u64>; 2],
}

impl Armed {
    fn new(queue: &Arc<Queue>, slot: usize) -> Armed {
        let bell = Bell { queue: queue.clone(), slot: slot as u32, queued: AtomicBool::new(false) };
        let bell = Arc::new(bell);
        Armed { waker: bell.clone().into(), bell, userdata: [None; 2] }
    }

    /// Disarms, and says what was armed.
    pub(super) fn clear(&mut self) -> [Option<u64>; 2] {
        std::mem::take(&mut self.userdata)
    }
}

/// So many sockets are looked at in one turn.
const AT_ONCE: usize = 1024;

/// Whether there is more to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    AtAll,
    AtSome,
}

/// One socket's news.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) userdata: u64,
    pub(crate) direction: Direction,
    /// Whether the peer has hung up.
    pub(crate) outcome: Result<bool, Errno>,
}

impl Table {
    /// One event is reported when `fd` is or becomes ready.
    pub(crate) fn arm(
        &mut self,
        fd: i32,
        direction: Direction,
        userdata: u64,
    ) -> Result<(), Errno> {
        let index = self.slot(fd)?;
        let slot = &mut self.slots[index];
        let socket = slot.socket.as_mut().ok_or(Errno::BADF)?;
        let armed = slot.armed.get_or_insert_with(|| Box::new(Armed::new(&self.queue, index)));
        if armed.userdata[direction as usize].replace(userdata).is_none() {
            socket.bell.get_or_insert_with(|| armed.bell.clone());
            if !armed.bell.queued.swap(true, AcqRel) {
                self.due.push_back(index as u32);
            }
        }
        Ok(())
    }

    /// Takes back [`arm`](Self::arm); it need not have happened.
    pub(crate) fn disarm(&mut self, fd: i32, direction: Direction) {
        if let Ok(index) = self.slot(fd)
            && let Some(armed) = &mut self.slots[index].armed
        {
            armed.userdata[direction as usize] = None;
        }
    }

    /// Moves what was armed to the socket that `fd` is now.
    pub(super) fn arm_again(&mut self, fd: i32, userdata: [Option<u64>; 2]) -> Result<(), Errno> {
        // The bell of its old place is nobody's.
        self.get_mut(fd)?.bell = None;
        for direction in Direction::ALL {
            if let Some(userdata) = userdata[direction as usize] {
                self.arm(fd, direction, userdata)?;
            }
        }
        Ok(())
    }

    /// The task is woken when something of what is armed becomes ready.
    pub(crate) fn watch(&mut self, task: &Context<'_>) {
        // Else nothing was ever armed.
        if Arc::strong_count(&self.queue) > 1 {
            drop(self.queue.watch(task));
        }
    }

    /// The end of [`watch`](Self::watch).
    pub(crate) fn look_away(&self) {
        self.queue.waiting.store(false, Release);
    }

    /// Reports and disarms what is ready, up to `room` events, of so many sockets as one turn has time for; the rest is for
    /// the next call. Watches for what becomes ready.
    pub(crate) fn take_ready(
        &mut self,
        mut room: u32,
        task: &Context<'_>,
        mut report: impl FnMut(Ready),
    ) -> Looked {
        self.due.extend(self.queue.watch(task).slots.drain(..));
        // What rings meanwhile is looked at when the task is polled for it.
        for _ in 0..self.due.len().min(AT_ONCE) {
            if room == 0 {
                return Looked::AtSome;
            }
            let Some(index) = self.due.pop_front() else { break };
            let slot = &mut self.slots[index as usize];
            let Some(armed) = &mut slot.armed else { continue };
            armed.bell.queued.store(false, Release);
            let Some(socket) = &mut slot.socket else { continue };
            for direction in Direction::ALL {
                let Some(userdata) = armed.userdata[direction as usize] else { continue };
                if room == 0 {
                    if !armed.bell.queued.swap(true, AcqRel) {
                        self.due.push_front(index);
                    }
                    return Looked::AtSome;
                }
                let mut context = Context::from_waker(&armed.waker);
                if let Poll::Ready(outcome) = socket.poll_ready(direction.interest(), &mut context)
                {
                    armed.userdata[direction as usize] = None;
                    room -= 1;
                    report(Ready { userdata, direction, outcome: outcome.map_err(Errno::from) });
                }
            }
        }
        if self.due.is_empty() { Looked::AtAll } else { Looked::AtSome }
    }

    /// Whether `fd` is ready, for an ordinary poll. Leaves the task's waker, or the bell of what is armed.
    pub(crate) fn poll_ready(
        &mut self,
        fd: i32,
        direction: Direction,
        task: &mut Context<'_>,
    ) -> Poll<Result<bool, Errno>> {
        let index = match self.slot(fd) {
            Ok(index) => index,
            Err(errno) => return Poll::Ready(Err(errno)),
        };
        let slot = &mut self.slots[index];
        let Some(socket) = &mut slot.socket else { return Poll::Ready(Err(Errno::BADF)) };
        let ready = match &slot.armed {
            Some(armed) if armed.userdata[direction as usize].is_some() => {
                let mut context = Context::from_waker(&armed.waker);
                socket.poll_ready(direction.interest(), &mut context)
            }
            _ => socket.poll_ready(direction.interest(), task),
        };
        ready.map_err(Errno::from)
    }
}
