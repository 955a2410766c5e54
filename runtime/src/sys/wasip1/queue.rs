//! Polling on a host with wasio's extension: the cost depends on the number of events, not of armed sources.
//!
//! `host/POLL_EXTENSION.md` specifies it. The host keeps the armed directions. A wait passes the host the changes since
//! the last one, and the host returns the events. The guest finds out once whether the host knows the extension, by
//! asking about a descriptor that stands for it and is unknown elsewhere.
//!
//! The host keeps sockets only. Every other source is named in every call, as without the extension: see [`armed`].
#![allow(unsafe_code)] // `fd_fdstat_get` is an import.

use std::os::fd::RawFd;

use super::selector::{Subscription, TAG_CLOCK, TAG_READ, TAG_WRITE};
use super::wasi::armed::{self, owner};
use crate::io::{Interest, Ready};
use crate::reactor::Direction;

/// The descriptor of the extension's version 1.
const QUEUE: RawFd = 0xd04f_4c01_u32 as RawFd;

/// The maximum number of events in one call.
pub(super) const CAPACITY: usize = 512;

/// The maximum number of changes in one call. Every host accepts this many. A host may refuse a call with more.
const MAX_CHANGES: usize = 1000;

/// The list is not compacted for fewer dead changes than this.
const MIN_DEAD: usize = 64;

/// The entries at the start of every call: the queue and the clock.
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

/// Returns the file type of a descriptor, or `None` if the descriptor is unknown.
fn filetype(fd: RawFd) -> Option<u8> {
    let mut stat = Fdstat { filetype: 0, rest: [0; 23] };
    // SAFETY: `stat` has the layout of the witx, and lives for the call.
    let errno = unsafe { fd_fdstat_get(fd, &mut stat) };
    (errno == 0).then_some(stat.filetype)
}

/// The state of one source at the host.
#[derive(Clone, Copy, Default)]
struct SourceState {
    /// Whether the source is a socket, so that the host keeps it.
    is_socket: bool,
    fd: RawFd,
    /// Indexed by direction.
    armed: [bool; 2],
    /// The index in the list of the change that armed the direction. The change may no longer be there.
    place: [u32; 2],
}

/// The state of the host's queue.
pub(super) struct HostQueue {
    /// Indexed by key.
    sources: Vec<SourceState>,
    count: usize,
    /// The next call: the head, and the changes since the last call.
    call: Vec<Subscription>,
    /// The number of changes that no longer have an effect.
    dead: usize,
}

impl HostQueue {
    /// `None` on a host without the extension.
    pub(super) fn find() -> Option<HostQueue> {
        filetype(QUEUE)?;
        let queue = Subscription::new(CAPACITY, TAG_READ, QUEUE as u32);
        let clock = Subscription::new(armed::CLOCK, TAG_CLOCK, CLOCK_MONOTONIC);
        Some(HostQueue { sources: Vec::new(), count: 0, call: vec![queue, clock], dead: 0 })
    }

    /// Whether nothing is armed.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a source.
    pub(super) fn register(&mut self, fd: RawFd, key: usize) {
        while self.sources.len() <= key {
            self.sources.push(SourceState::default());
        }
        let is_socket = matches!(filetype(fd), Some(SOCKET_DGRAM | SOCKET_STREAM));
        self.sources[key] = SourceState { is_socket, fd, ..SourceState::default() };
    }

    /// Arms a source. Returns false if the host does not keep it.
    pub(super) fn arm(&mut self, key: usize, interest: Interest) -> bool {
        let source = &mut self.sources[key];
        if !source.is_socket {
            return false;
        }
        for (direction, tag, wanted) in [
            (Direction::Read, TAG_READ, interest.is_readable()),
            (Direction::Write, TAG_WRITE, interest.is_writable()),
        ] {
            if wanted && !std::mem::replace(&mut source.armed[direction as usize], true) {
                self.count += 1;
                source.place[direction as usize] = self.call.len() as u32;
                self.call.push(Subscription::new(owner(key, direction), tag, source.fd as u32));
            }
        }
        true
    }

    /// Disarms a direction whose event was reported. Returns false if the host does not keep the source.
    pub(super) fn spend(&mut self, key: usize, direction: Direction) -> bool {
        let Some(source) = self.sources.get_mut(key) else { return false };
        if std::mem::take(&mut source.armed[direction as usize]) {
            self.count -= 1;
        }
        source.is_socket
    }

    /// Disarms both directions. Returns those that were armed.
    pub(super) fn disarm(&mut self, key: usize) -> Ready {
        let mut ready = Ready::EMPTY;
        if self.disarm_direction(key, Direction::Read, TAG_READ) {
            ready |= Ready::READABLE;
        }
        if self.disarm_direction(key, Direction::Write, TAG_WRITE) {
            ready |= Ready::WRITABLE;
        }
        ready
    }

    /// Disarms one direction. Returns whether it was armed.
    #[inline(never)]
    fn disarm_direction(&mut self, key: usize, direction: Direction, tag: u8) -> bool {
        let Some(source) = self.sources.get_mut(key) else { return false };
        let was_armed = std::mem::take(&mut source.armed[direction as usize]);
        if was_armed {
            self.count -= 1;
            let place = source.place[direction as usize] as usize;
            match self.call.get_mut(place) {
                // The host has not been told yet, and need not be.
                Some(change) if place >= HEAD && change.arms(owner(key, direction)) => {
                    change.cancel();
                    self.dead += 1;
                    self.forget_dead();
                }
                _ => self.call.push(Subscription::disarm(tag, source.fd as u32)),
            }
        }
        was_armed
    }

    /// Removes the dead changes when they are most of the list. A program that arms and drops again and again between
    /// two calls then needs no more memory than one that does so once. The order of the other changes stays.
    #[inline(never)]
    fn forget_dead(&mut self) {
        if self.dead < MIN_DEAD || 2 * self.dead < self.call.len() {
            return;
        }
        let mut end = HEAD;
        for index in HEAD..self.call.len() {
            let change = self.call[index];
            if change.is_cancelled() {
                continue;
            }
            if let Some((key, direction)) = change.arms_direction()
                && let Some(source) = self.sources.get_mut(key)
            {
                source.place[direction as usize] = end as u32;
            }
            self.call[end] = change;
            end += 1;
        }
        self.call.truncate(end);
        self.dead = 0;
    }

    /// Returns a part of the changes, for a call that does not wait, if there are more than fit in one call.
    pub(super) fn excess(&mut self) -> Option<&[Subscription]> {
        let part = HEAD + MAX_CHANGES;
        if self.call.len() <= part {
            return None;
        }
        self.call[1].set_timeout(0);
        Some(&self.call[..part])
    }

    /// Removes the changes of [`excess`](Self::excess) after their call was made.
    pub(super) fn remove_excess(&mut self) {
        self.call.copy_within(HEAD + MAX_CHANGES.., HEAD);
        self.call.truncate(self.call.len() - MAX_CHANGES);
    }

    /// Returns the subscriptions of a call: the head, the changes, and the sources that the host does not keep.
    pub(super) fn call(
        &mut self,
        others: &[Subscription],
        timeout: Option<u64>,
    ) -> &[Subscription] {
        self.call[1].set_timeout(timeout.unwrap_or(NEVER));
        // SIZE: not `extend_from_slice`, which nothing else in a guest links. There are rarely any.
        for other in others {
            self.call.push(*other);
        }
        &self.call
    }

    /// Removes the changes after the call was made.
    pub(super) fn clear_changes(&mut self) {
        self.call.truncate(HEAD);
        self.dead = 0;
    }
}
