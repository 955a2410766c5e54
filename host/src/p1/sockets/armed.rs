//! Sockets that stay armed between polls: `POLL_EXTENSION.md`.
//!
//! An extended poll examines only the sockets in the queue (`ready_queue.rs`), so the number of armed sockets does not
//! affect its cost.
//!
//! Two invariants hold between calls. First, an armed socket is either in the queue or has its waker registered with
//! tokio: an ordinary poll of it therefore registers that waker, too, and a socket that is registered anew is queued.
//! Second, a slot is in the queue at most once, whatever became of its socket: the queue is bounded by the table.

use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Release};
use std::task::{Context, Poll};

use crate::p1::errno::Errno;
use crate::p1::sockets::ready_queue::{Armed, Direction};
use crate::p1::sockets::table::Table;

/// How many sockets one pass examines.
const MAX_EXAMINED: usize = 1024;

/// The result of a scan: whether there are more sockets to examine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    Complete,
    Partial,
}

/// An event of one socket.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) userdata: u64,
    pub(crate) direction: Direction,
    /// Whether the peer has hung up.
    pub(crate) outcome: Result<bool, Errno>,
}

impl Table {
    /// Arms `fd`: one event is reported when it is or becomes ready.
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
            socket.slot_waker.get_or_insert_with(|| armed.slot_waker.clone());
            if !armed.slot_waker.is_queued.swap(true, AcqRel) {
                self.due.push_back(index as u32);
            }
        }
        Ok(())
    }

    /// Reverts [`arm`](Self::arm). Has no effect if `fd` is not armed.
    pub(crate) fn disarm(&mut self, fd: i32, direction: Direction) {
        if let Ok(index) = self.slot(fd)
            && let Some(armed) = &mut self.slots[index].armed
        {
            armed.userdata[direction as usize] = None;
        }
    }

    /// Makes `to` the number of the socket `from`, and closes the previous `to`. What is armed moves with the socket.
    pub(crate) fn renumber(&mut self, from: i32, to: i32) -> Result<(), Errno> {
        self.get(from)?;
        let (source, target) = (self.slot(from)?, self.slot(to)?);
        self.get(to)?;
        if source == target {
            return Ok(());
        }
        let userdata = self.slots[source].disarm();
        let socket = self.remove(from)?;
        self.slots[target].disarm();
        self.slots[target].socket = Some(socket);
        self.arm_again(to, userdata)
    }

    /// Arms the socket that is now `fd` with the userdata of its previous number.
    fn arm_again(&mut self, fd: i32, userdata: [Option<u64>; 2]) -> Result<(), Errno> {
        // The waker belongs to the old slot.
        self.get_mut(fd)?.slot_waker = None;
        for direction in Direction::ALL {
            if let Some(userdata) = userdata[direction as usize] {
                self.arm(fd, direction, userdata)?;
            }
        }
        Ok(())
    }

    /// Wakes the task when an armed socket becomes ready.
    pub(crate) fn watch(&mut self, task: &Context<'_>) {
        // With one reference, nothing was ever armed.
        if Arc::strong_count(&self.queue) > 1 {
            drop(self.queue.watch(task));
        }
    }

    /// Ends [`watch`](Self::watch).
    pub(crate) fn unwatch(&self) {
        self.queue.unwatch();
    }

    /// Reports and disarms up to `room` ready directions, of at most [`MAX_EXAMINED`] sockets. The rest is left to
    /// the next call. Watches for sockets that become ready.
    pub(crate) fn take_ready(
        &mut self,
        mut room: u32,
        task: &Context<'_>,
        mut report: impl FnMut(Ready),
    ) -> Scan {
        self.due.extend(self.queue.watch(task).slots.drain(..));
        // Sockets that are queued meanwhile wake the task and are examined at its next poll.
        for _ in 0..self.due.len().min(MAX_EXAMINED) {
            if room == 0 {
                return Scan::Partial;
            }
            let Some(index) = self.due.pop_front() else { break };
            let slot = &mut self.slots[index as usize];
            let Some(armed) = &mut slot.armed else { continue };
            armed.slot_waker.is_queued.store(false, Release);
            let Some(socket) = &mut slot.socket else { continue };
            for direction in Direction::ALL {
                let Some(userdata) = armed.userdata[direction as usize] else { continue };
                if room == 0 {
                    if !armed.slot_waker.is_queued.swap(true, AcqRel) {
                        self.due.push_front(index);
                    }
                    return Scan::Partial;
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
        if self.due.is_empty() { Scan::Complete } else { Scan::Partial }
    }

    /// Polls `fd` for an ordinary poll. If it is not ready, registers the task's waker, or that of its slot if it is
    /// armed.
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

#[cfg(test)]
mod tests {
    use socket2::Domain;

    use super::*;
    use crate::p1::sockets::socket::{Kind, Socket};

    fn socket() -> Socket {
        Socket::open(Domain::IPV4, Kind::Stream).unwrap()
    }

    #[test]
    fn renumbering_moves_and_closes() {
        let mut table = Table::new(4, usize::MAX);
        let a = table.insert(socket()).unwrap() as i32;
        let b = table.insert(Socket::open(Domain::IPV6, Kind::Stream).unwrap()).unwrap() as i32;
        table.renumber(b, a).unwrap();
        assert_eq!(table.get(a).unwrap().domain, Domain::IPV6);
        assert_eq!(table.get(b).map(drop), Err(Errno::BADF));
        assert_eq!(table.renumber(b, a), Err(Errno::BADF));
    }
}
