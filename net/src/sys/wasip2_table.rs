//! Numbers for sockets, where programs expect descriptors.
//!
//! WASI 0.2 has no descriptors, but programs pass sockets on by them: from socket2 through std's types to
//! tokio's. A number is made when somebody asks, and only this crate, and the drop-ins on top of it,
//! understand it. Numbers start where the C library's end, so that it takes none of them for its own.
//!
//! Limits: std's types do not know whom a number belongs to. When one of them is dropped with the number
//! inside, the socket stays open until the guest ends.
#![allow(unsafe_code)] // Owned descriptors are made from numbers.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use wasio_runtime::once::Once;
use wasio_runtime::reactor::{Direction, Source, Subscribe};

use super::Opt;
use super::wasip2::{Resource, Shared, Socket};

/// Far above what the C library counts up to.
const FIRST: RawFd = 1 << 20;

enum Entry {
    Free,
    /// Somebody knows the number of a socket that lives elsewhere, if it still does.
    Lent(Weak<Shared>),
    /// The number is all that there is of the socket.
    Owned(Arc<Shared>),
}

static TABLE: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

fn table() -> MutexGuard<'static, Vec<Entry>> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index(number: RawFd) -> Option<usize> {
    usize::try_from(number.checked_sub(FIRST)?).ok()
}

/// A socket's number, once somebody asked for one, and how it is given back: a pointer, so that a program in which
/// nobody asks has nothing of the table.
#[derive(Default)]
pub(super) struct Number(Once<(RawFd, fn(RawFd))>);

impl Number {
    fn get(&self, socket: &Arc<Shared>) -> RawFd {
        let make = || {
            let mut table = table();
            let index = table.iter().position(|e| matches!(e, Entry::Free)).unwrap_or_else(|| {
                table.push(Entry::Free);
                table.len() - 1
            });
            table[index] = Entry::Lent(Arc::downgrade(socket));
            (FIRST + index as RawFd, give_back as fn(RawFd))
        };
        self.0.get_or_init(make).0
    }
}

fn give_back(number: RawFd) {
    if let Some(entry) = index(number) {
        table()[entry] = Entry::Free;
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        if let Some((number, give_back)) = self.0.get() {
            give_back(*number);
        }
    }
}

impl Socket {
    /// Takes a socket that `into_fd` gave away.
    #[track_caller]
    pub(crate) fn from_fd(fd: OwnedFd) -> io::Result<Socket> {
        let socket = Socket::from_fd_unchecked(fd);
        // One that is none of ours says so.
        if let Err(error) = socket.local_addr() {
            // That there is no runtime is told first, as on every target.
            Source::new(socket.raw())?;
            return Err(error);
        }
        Ok(socket)
    }

    /// The same; a descriptor that is none of ours makes a socket on which everything fails.
    pub(crate) fn from_fd_unchecked(fd: OwnedFd) -> Socket {
        let mut table = table();
        match index(fd.as_raw_fd()).and_then(|index| table.get_mut(index)) {
            Some(entry @ Entry::Owned(_)) => {
                let Entry::Owned(socket) = std::mem::replace(entry, Entry::Free) else {
                    unreachable!("matched above")
                };
                *entry = Entry::Lent(Arc::downgrade(&socket));
                // The C library never knew it.
                let _ = fd.into_raw_fd();
                Socket(socket)
            }
            _ => Socket(Foreign::shared()),
        }
    }

    /// Uses somebody else's socket.
    pub(crate) fn borrowed(fd: BorrowedFd<'_>) -> Borrowed {
        let table = table();
        let entry = index(fd.as_raw_fd()).and_then(|index| table.get(index));
        let socket = match entry {
            Some(Entry::Owned(socket)) => Some(socket.clone()),
            Some(Entry::Lent(socket)) => socket.upgrade(),
            _ => None,
        };
        Borrowed(Socket(socket.unwrap_or_else(Foreign::shared)))
    }

    /// Gives the socket away under its number.
    pub(crate) fn into_fd(self) -> OwnedFd {
        let number = self.as_raw_fd();
        if let Some(index) = index(number) {
            table()[index] = Entry::Owned(self.0.clone());
        }
        // SAFETY: nobody else owns the number; the C library has no such descriptor, and closing it there
        // does nothing.
        unsafe { OwnedFd::from_raw_fd(number) }
    }
}

/// Somebody else's socket.
#[derive(Debug)]
pub(crate) struct Borrowed(Socket);

impl std::ops::Deref for Borrowed {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.0
    }
}

/// A descriptor that is none of ours. Nothing can be done with it.
#[derive(Default)]
struct Foreign(Number);

impl Foreign {
    fn shared() -> Arc<Shared> {
        Arc::new(Shared::Other(Box::new(Foreign::default())))
    }
}

fn foreign<T>() -> io::Result<T> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "a descriptor of the C library is no socket here: WASI 0.2 has none, and only sockets that this \
         crate made can be handed to it",
    ))
}

impl Subscribe for Foreign {
    fn pollable(&self, _: Direction) -> Option<u32> {
        None
    }
}

impl Resource for Foreign {
    fn number(&self) -> &Number {
        &self.0
    }

    fn bind(&self, _: SocketAddr) -> io::Result<()> {
        foreign()
    }

    fn connect(&self, _: SocketAddr) -> io::Result<()> {
        foreign()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        foreign()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        foreign()
    }

    fn recv(&self, _: &mut [MaybeUninit<u8>], _: bool) -> io::Result<usize> {
        foreign()
    }

    fn send(&self, _: &[u8]) -> io::Result<usize> {
        foreign()
    }

    fn option(&self, _: Opt) -> io::Result<u32> {
        foreign()
    }

    fn set_option(&self, _: Opt, _: u32) -> io::Result<()> {
        foreign()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.number().get(&self.0)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the number stays this socket's as long as it lives.
        unsafe { BorrowedFd::borrow_raw(self.as_raw_fd()) }
    }
}
