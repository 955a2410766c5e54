//! The guest's socket numbers.
//!
//! A number is `generation << 20 | slot`, with generations counted from 1. Every socket number is therefore at least
//! 2^20, far above the preview 1 descriptors of wasmtime-wasi, which count up from 0. A closed number is reused only
//! after its slot was reused 2,047 times: a guest that keeps a closed socket gets `BADF`, not another connection.
//!
//! The listeners that the guest was given have the numbers from 3 on, as with systemd. Its files and folders come after
//! them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use socket2::Domain;

use crate::p1::errno::Errno;
use crate::p1::sockets::ready_queue::{Armed, ReadyQueue};
use crate::p1::sockets::socket::{Kind, Socket};
use crate::permits::{MAX_REFUSED, Permit};

const SLOT_BITS: u32 = 20;
const MAX_SLOTS: usize = 1 << SLOT_BITS;
/// Numbers are positive `i32`s, which leaves 11 bits.
const MAX_GENERATION: u32 = (1 << (31 - SLOT_BITS)) - 1;

/// The smallest number a socket can have.
pub(crate) const FIRST: u32 = 1 << SLOT_BITS;

/// The first number after the standard streams.
const FIRST_LISTENER: u32 = 3;

/// The meaning of one guest's descriptors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    listeners: u32,
}

impl Numbers {
    #[cfg(test)]
    pub(crate) fn of_listeners(listeners: u32) -> Numbers {
        Numbers { listeners }
    }

    /// Returns whether `fd` is in the sockets' range of numbers.
    pub(crate) fn is_socket(self, fd: i32) -> bool {
        fd as u32 >= FIRST || self.is_listener(fd)
    }

    /// Returns whether `fd` is, or was, a listener that the guest was given.
    pub(crate) fn is_listener(self, fd: i32) -> bool {
        (fd as u32).checked_sub(FIRST_LISTENER).is_some_and(|i| i < self.listeners)
    }

    /// Returns wasmtime-wasi's number of the guest's descriptor `fd`, and an unknown one for a listener.
    pub(crate) fn file(self, fd: i32) -> i32 {
        match fd as u32 {
            0..FIRST_LISTENER => fd,
            _ if self.is_listener(fd) => -1,
            _ => fd.wrapping_sub(self.listeners as i32),
        }
    }

    /// Returns the guest's number of wasmtime-wasi's descriptor `fd`.
    pub(crate) fn guests(self, fd: u32) -> u32 {
        if fd < FIRST_LISTENER { fd } else { fd + self.listeners }
    }
}

/// All open sockets of one guest.
#[derive(Debug)]
pub(crate) struct Table {
    pub(super) slots: Vec<Slot>,
    free: Vec<u32>,
    limit: usize,
    /// How many sockets all guests together may have.
    most: usize,
    /// Counts refused sockets: each holds a clone.
    refused: Arc<()>,
    /// The number of slots of listeners. They are the first ones, and are not reused.
    listeners: u32,
    /// The queue of armed sockets that may be ready (`armed.rs`).
    pub(super) queue: Arc<ReadyQueue>,
    /// Slots that were taken off the queue or just armed, and are to be examined.
    pub(super) due: VecDeque<u32>,
}

#[derive(Debug)]
pub(super) struct Slot {
    generation: u32,
    pub(super) socket: Option<Socket>,
    /// Present once a socket of the slot was armed.
    pub(super) armed: Option<Box<Armed>>,
}

impl Slot {
    fn new(generation: u32, socket: Option<Socket>) -> Slot {
        Slot { generation, socket, armed: None }
    }

    /// Disarms the socket, and returns the userdata of its armed directions.
    pub(super) fn disarm(&mut self) -> [Option<u64>; 2] {
        self.armed.as_mut().map_or([None; 2], |armed| armed.clear())
    }
}

impl Table {
    /// Creates a table for at most `limit` sockets at a time, while all guests together have fewer than `most`.
    pub(crate) fn new(limit: usize, most: usize) -> Table {
        Table {
            slots: Vec::new(),
            free: Vec::new(),
            limit: limit.min(MAX_SLOTS),
            most,
            refused: Arc::default(),
            listeners: 0,
            queue: Arc::default(),
            due: VecDeque::new(),
        }
    }

    /// Adds a listener, before the guest has any socket of its own.
    pub(crate) fn give(&mut self, listener: Socket) {
        self.slots.push(Slot::new(1, Some(listener)));
        self.listeners += 1;
        self.limit = (self.limit + 1).min(MAX_SLOTS);
    }

    /// Registers the listeners with the reactor that the guest runs on.
    pub(crate) fn register_listeners(&mut self) -> io::Result<()> {
        let given = self.slots.iter_mut().take(self.listeners as usize);
        given.filter_map(|slot| slot.socket.as_mut()).try_for_each(Socket::register)
    }

    #[inline]
    pub(crate) fn numbers(&self) -> Numbers {
        Numbers { listeners: self.listeners }
    }

    /// Returns how many sockets there can be.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Checks that there is room for one more socket. Call this before the host opens one.
    pub(crate) fn room(&self) -> Result<(), Errno> {
        if self.free.is_empty() && self.slots.len() >= self.limit {
            return Err(Errno::MFILE);
        }
        Ok(())
    }

    /// Takes a permit for one more socket of the host.
    pub(crate) fn permit(&self) -> Result<Permit, Errno> {
        self.room()?;
        Permit::take(self.most).ok_or(Errno::MFILE)
    }

    /// Opens a socket for a guest without grants: not a descriptor, only a number whose operations report the refusal.
    pub(crate) fn insert_refused(&mut self, domain: Domain, kind: Kind) -> Result<u32, Errno> {
        if Arc::strong_count(&self.refused) > MAX_REFUSED {
            return Err(Errno::ACCES);
        }
        self.insert(Socket::refused(domain, kind, self.refused.clone()))
    }

    pub(crate) fn insert(&mut self, socket: Socket) -> Result<u32, Errno> {
        self.room()?;
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(Slot::new(0, None));
                (self.slots.len() - 1) as u32
            }
        };
        let entry = &mut self.slots[slot as usize];
        entry.generation = entry.generation % MAX_GENERATION + 1;
        entry.socket = Some(socket);
        Ok(entry.generation << SLOT_BITS | slot)
    }

    #[inline]
    pub(super) fn slot(&self, fd: i32) -> Result<usize, Errno> {
        if self.numbers().is_listener(fd) {
            return Ok((fd as u32 - FIRST_LISTENER) as usize);
        }
        let fd = fd as u32;
        if fd < FIRST {
            return Err(Errno::NOTSOCK);
        }
        let slot = (fd & (FIRST - 1)) as usize;
        match self.slots.get(slot) {
            Some(entry) if entry.generation == fd >> SLOT_BITS => Ok(slot),
            _ => Err(Errno::BADF),
        }
    }

    #[inline]
    pub(crate) fn get(&self, fd: i32) -> Result<&Socket, Errno> {
        let slot = self.slot(fd)?;
        self.slots[slot].socket.as_ref().ok_or(Errno::BADF)
    }

    pub(crate) fn get_mut(&mut self, fd: i32) -> Result<&mut Socket, Errno> {
        let slot = self.slot(fd)?;
        self.slots[slot].socket.as_mut().ok_or(Errno::BADF)
    }

    /// Removes a socket and disarms it. The caller closes it by dropping it.
    pub(crate) fn remove(&mut self, fd: i32) -> Result<Socket, Errno> {
        let slot = self.slot(fd)?;
        let socket = self.slots[slot].socket.take().ok_or(Errno::BADF)?;
        self.slots[slot].disarm();
        if slot >= self.listeners as usize {
            self.free.push(slot as u32);
        }
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> Socket {
        Socket::open(Domain::IPV4, Kind::Stream).unwrap()
    }

    #[test]
    fn numbers_stay_clear_of_files_and_of_each_other() {
        let mut table = Table::new(2, usize::MAX);
        let first = table.insert(socket()).unwrap();
        let second = table.insert(socket()).unwrap();
        assert!(first >= FIRST && second >= FIRST && first != second);
        assert_eq!(table.insert(socket()), Err(Errno::MFILE));
        drop(table.remove(first as i32).unwrap());
        assert_eq!(table.get(first as i32).map(drop), Err(Errno::BADF));
        assert_eq!(table.remove(first as i32).map(drop), Err(Errno::BADF));
        let third = table.insert(socket()).unwrap();
        assert_ne!(third, first);
        assert_eq!(table.get(first as i32).map(drop), Err(Errno::BADF));
        assert_eq!(table.get(0).map(drop), Err(Errno::NOTSOCK));
        assert_eq!(table.get(-1).map(drop), Err(Errno::BADF));
    }

    #[test]
    fn a_number_returns_only_after_its_generations() {
        let mut table = Table::new(1, usize::MAX);
        let first = table.insert(socket()).unwrap();
        let mut seen = 1;
        loop {
            let last = table.remove((if seen == 1 { first } else { 0 }) as i32);
            drop(last);
            let next = table.insert(socket()).unwrap();
            assert!(i32::try_from(next).is_ok());
            if next == first {
                break;
            }
            seen += 1;
            drop(table.remove(next as i32).unwrap());
        }
        assert_eq!(seen, MAX_GENERATION);
    }
}
