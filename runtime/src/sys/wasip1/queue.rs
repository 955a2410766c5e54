//! Polling that costs as much as what happens, not as what is armed, on a host that offers it.
//!
//! `host/POLL_EXTENSION.md` specifies it. The host keeps what is armed. A wait tells the host what changed since the last
//! one, and the host reports what happened. The guest finds out once whether the host knows the extension, by asking about
//! a descriptor that stands for it and is unknown elsewhere.
//!
//! The host keeps sockets only. Everything else is named in every call, as without the extension: see
//! [`armed`].
#![allow(unsafe_code)] // `fd_fdstat_get` is an import.

use std::os::fd::RawFd;

use super::selector::{Subscription, TAG_CLOCK, TAG_READ, TAG_WRITE};
use super::wasi::armed::{self, owner};
use crate::io::{Interest, Ready};
use crate::reactor::Direction;

/// The descriptor of the extension's version 1.
const QUEUE: RawFd = 0xd04f_4c01_u32 as RawFd;

/// How many events a call may bring.
pub(super) const CAPACITY: usize = 512;

/// How many changes a call may tell of. Every host takes so many; one that is told more at once may refuse.
const MOST_CHANGES: usize = 1000;

/// So many changes that mean nothing any more are not worth a pass over the list.
const FEW: usize = 64;

/// What stands first in a call: the queue and the clock.
const HEAD: usize = 2;

const CLOCK_MONOTONIC: u32 = 1;
const NEVER: u64 = u64::MAX;

/// `filetype`s of preview 1.
const SOCKET_DGRAM: u8 = 5;
const SOCKET_STREAM: u8 = 6;

/// `fdstat` of the WASI preview 1 witx, 24 bytes.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Fdstat {
    filetype: u8,
    rest: [u8; 23],
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn fd_fdstat_get(fd: RawFd, stat: *mut Fdstat) -> u16;
}

/// What kind of file a descriptor is; `None` if there is none.
fn filetype(fd: RawFd) -> Option<u8> {
    let mut stat = Fdstat { filetype: 0, rest: [0; 23] };
    // SAFETY: `stat` has the layout of the witx, and lives for the call.
    let errno = unsafe { fd_fdstat_get(fd, &mut stat) };
    (errno == 0).then_some(stat.filetype)
}

/// What the host keeps of one source.
#[derive(Clone, Copy, Default)]
struct Kept {
    /// Whether it is a socket, so that the host keeps it.
    is_socket: bool,
    fd: RawFd,
    /// By direction.
    armed: [bool; 2],
    /// Where the change that armed it stood in the list; it may be gone from there.
    place: [u32; 2],
}

/// What is armed at the host.
pub(super) struct HostQueue {
    /// By key.
    kept: Vec<Kept>,
    count: usize,
    /// The next call: the head, and what changed since the last one.
    call: Vec<Subscription>,
    /// How many of the changes mean nothing any more.
    dead: usize,
}

impl HostQueue {
    /// `None` on a host without the extension.
    pub(super) fn find() -> Option<HostQueue> {
        filetype(QUEUE)?;
        let queue = Subscription::new(CAPACITY, TAG_READ, QUEUE as u32);
        let clock = Subscription::new(armed::CLOCK, TAG_CLOCK, CLOCK_MONOTONIC);
        Some(HostQueue { kept: Vec::new(), count: 0, call: vec![queue, clock], dead: 0 })
    }

    /// Whether nothing is armed.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A source begins.
    pub(super) fn register(&mut self, fd: RawFd, key: usize) {
        while self.kept.len() <= key {
            self.kept.push(Kept::default());
        }
        let is_socket = matches!(filetype(fd), Some(SOCKET_DGRAM | SOCKET_STREAM));
        self.kept[key] = Kept { is_socket, fd, ..Kept::default() };
    }

    /// Arms; false if the host does not keep such a source.
    pub(super) fn arm(&mut self, key: usize, interest: Interest) -> bool {
        let kept = &mut self.kept[key];
        if !kept.is_socket {
            return false;
        }
        for (direction, tag, wanted) in [
            (Direction::Read, TAG_READ, interest.is_readable()),
            (Direction::Write, TAG_WRITE, interest.is_writable()),
        ] {
            if wanted && !std::mem::replace(&mut kept.armed[direction as usize], true) {
                self.count += 1;
                kept.place[direction as usize] = self.call.len() as u32;
                self.call.push(Subscription::new(owner(key, direction), tag, kept.fd as u32));
            }
        }
        true
    }

    /// An event was reported, which ends the arm. False if it is not the host that kept the source.
    pub(super) fn spend(&mut self, key: usize, direction: Direction) -> bool {
        let Some(kept) = self.kept.get_mut(key) else { return false };
        if std::mem::take(&mut kept.armed[direction as usize]) {
            self.count -= 1;
        }
        kept.is_socket
    }

    /// Takes both directions back; returns those that were armed.
    pub(super) fn disarm(&mut self, key: usize) -> Ready {
        let mut ready = Ready::EMPTY;
        if self.take_back(key, Direction::Read, TAG_READ) {
            ready |= Ready::READABLE;
        }
        if self.take_back(key, Direction::Write, TAG_WRITE) {
            ready |= Ready::WRITABLE;
        }
        ready
    }

    /// Takes one direction back; whether it was armed.
    #[inline(never)]
    fn take_back(&mut self, key: usize, direction: Direction, tag: u8) -> bool {
        let Some(kept) = self.kept.get_mut(key) else { return false };
        let was_armed = std::mem::take(&mut kept.armed[direction as usize]);
        if was_armed {
            self.count -= 1;
            let place = kept.place[direction as usize] as usize;
            match self.call.get_mut(place) {
                // The host has not been told yet, and need not be.
                Some(change) if place >= HEAD && change.arms(owner(key, direction)) => {
                    change.cancel();
                    self.dead += 1;
                    self.forget_dead();
                }
                _ => self.call.push(Subscription::disarm(tag, kept.fd as u32)),
            }
        }
        was_armed
    }

    /// Takes dead changes out when they are most of the list: who arms and drops without end between two calls needs no
    /// more memory than who does so once. The order of the others stays.
    #[inline(never)]
    fn forget_dead(&mut self) {
        if self.dead < FEW || 2 * self.dead < self.call.len() {
            return;
        }
        let mut end = HEAD;
        for index in HEAD..self.call.len() {
            let change = self.call[index];
            if change.is_cancelled() {
                continue;
            }
            if let Some((key, direction)) = change.armed_place()
                && let Some(kept) = self.kept.get_mut(key)
            {
                kept.place[direction as usize] = end as u32;
            }
            self.call[end] = change;
            end += 1;
        }
        self.call.truncate(end);
        self.dead = 0;
    }

    /// A part of the changes, for a call that does not wait, if there are more than one call should have.
    pub(super) fn excess(&mut self) -> Option<&[Subscription]> {
        let part = HEAD + MOST_CHANGES;
        if self.call.len() <= part {
            return None;
        }
        self.call[1].set_timeout(0);
        Some(&self.call[..part])
    }

    /// The call with [`excess`](Self::excess) was made.
    pub(super) fn told_excess(&mut self) {
        self.call.copy_within(HEAD + MOST_CHANGES.., HEAD);
        self.call.truncate(self.call.len() - MOST_CHANGES);
    }

    /// The subscriptions of a call: the head, what changed, and what the host does not keep.
    pub(super) fn call(
        &mut self,
        others: &[Subscription],
        timeout: Option<u64>,
    ) -> &[Subscription] {
        self.call[1].set_timeout(timeout.unwrap_or(NEVER));
        // Seldom any. Not `extend_from_slice`, which would be alone in needing what it needs.
        for other in others {
            self.call.push(*other);
        }
        &self.call
    }

    /// The call was made.
    pub(super) fn called(&mut self) {
        self.call.truncate(HEAD);
        self.dead = 0;
    }
}
