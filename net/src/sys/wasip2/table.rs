//! Numbers for sockets, where programs expect descriptors.
//!
//! WASI 0.2 has no descriptors, but programs use them to pass sockets on: from socket2 through std's types to tokio's.
//! A number is created on demand, and only this crate and the drop-ins on top of it understand it. Numbers start above
//! the range of the C library, so that it never uses one of them.
//!
//! A socket that is given away goes to the C library, on which std's types are built (`libc/mod.rs`). If the C library
//! cannot take it, the socket keeps its number.
//!
//! Limits: in that case std's types do not know the owner of the number. When one of them is dropped with the number
//! inside, the socket stays open until the guest ends.
#![allow(unsafe_code)] // Owned descriptors are made from numbers.

use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use wasio_runtime::once::Once;
use wasio_runtime::reactor::{Direction, Subscribe};

use super::libc::{self, udp};
use super::socket::{Resource, Shared, Socket};
use super::tcp::Tcp;
use super::udp::Udp;
use crate::sys::Opt;

/// Far above the numbers that the C library assigns.
const FIRST: RawFd = 1 << 20;

enum Entry {
    Free,
    /// The number of a socket that is owned elsewhere, if it still exists.
    Lent(Weak<Shared>),
    /// The table owns the socket.
    Owned(Arc<Shared>),
}

static TABLE: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

fn table() -> MutexGuard<'static, Vec<Entry>> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index(number: RawFd) -> Option<usize> {
    usize::try_from(number.checked_sub(FIRST)?).ok()
}

/// A socket's number, once one was requested, and the function that releases it. A pointer, so that a program that
/// requests no numbers links nothing of the table.
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
    /// Takes a socket that `into_fd` gave away, or one of the C library's.
    #[track_caller]
    pub(crate) fn from_fd(fd: OwnedFd) -> io::Result<Socket> {
        let socket = Socket::from_fd_unchecked(fd);
        // A descriptor that is neither fails here.
        if let Err(error) = socket.local_addr() {
            // A missing runtime is reported first, as on every target.
            socket.register()?;
            return Err(error);
        }
        Ok(socket)
    }

    /// Like `from_fd`, but a descriptor that is no socket becomes one on which every operation fails.
    pub(crate) fn from_fd_unchecked(fd: OwnedFd) -> Socket {
        let mut table = table();
        match index(fd.as_raw_fd()).and_then(|index| table.get_mut(index)) {
            Some(entry @ Entry::Owned(_)) => {
                let Entry::Owned(socket) = std::mem::replace(entry, Entry::Free) else {
                    unreachable!("matched above")
                };
                *entry = Entry::Lent(Arc::downgrade(&socket));
                // The C library never knew this number.
                let _ = fd.into_raw_fd();
                Socket(socket)
            }
            Some(_) => Socket(Foreign::shared()),
            None if udp::is_one(fd.as_raw_fd()) => match udp::take(fd) {
                // SAFETY: as below.
                Ok(handles) => Socket::of_udp(unsafe { Udp::from_handles(handles, false) }),
                Err(_) => Socket(Foreign::shared()),
            },
            None => match libc::take(fd) {
                // SAFETY: the C library owned them, and does not use them any more.
                Ok(handles) => Socket(Arc::new(Shared::Tcp(unsafe { Tcp::from_handles(handles) }))),
                Err(_) => Socket(Foreign::shared()),
            },
        }
    }

    /// Borrows a socket.
    pub(crate) fn borrowed(fd: BorrowedFd<'_>) -> Borrowed {
        let table = table();
        let entry = index(fd.as_raw_fd()).and_then(|index| table.get(index));
        let socket = match entry {
            Some(Entry::Owned(socket)) => Some(socket.clone()),
            Some(Entry::Lent(socket)) => socket.upgrade(),
            _ => None,
        };
        if let Some(socket) = socket {
            return Borrowed { socket: Some(Socket(socket)), c: None };
        }
        drop(table);
        let number = fd.as_raw_fd();
        let socket = if let Some(handles) = libc::look(number) {
            // SAFETY: the C library owns the handles while the descriptor is lent. They are forgotten before that ends.
            let tcp = unsafe { Tcp::from_handles(handles) };
            Socket(Arc::new(Shared::Tcp(tcp)))
        } else if let Some(handles) = udp::look(number) {
            // SAFETY: as above.
            Socket::of_udp(unsafe { Udp::from_handles(handles, true) })
        } else {
            return Borrowed { socket: Some(Socket(Foreign::shared())), c: None };
        };
        Borrowed { socket: Some(socket), c: Some(number) }
    }

    fn of_udp(udp: Udp) -> Socket {
        Socket(Arc::new(Shared::Other(Box::new(udp))))
    }

    pub(super) fn is_ahead(&self) -> bool {
        match &*self.0 {
            Shared::Tcp(tcp) => tcp.is_ahead(),
            Shared::Other(other) => other.udp().is_some_and(Udp::is_ahead),
        }
    }

    /// Gives the socket to the C library, so that std can use it. If that is impossible, gives it to the table.
    pub(crate) fn into_fd(self) -> OwnedFd {
        if self.is_ahead() {
            return self.into_number();
        }
        let socket = match Arc::try_unwrap(self.into_shared()) {
            Ok(Shared::Tcp(tcp)) => {
                let kind = tcp.kind();
                match libc::give(tcp.into_handles(), kind) {
                    Ok(fd) => return fd,
                    Err(handles) => {
                        // SAFETY: the C library did not take the handles, so this function still owns them.
                        let tcp = unsafe { Tcp::from_handles(handles) };
                        Socket(Arc::new(Shared::Tcp(tcp)))
                    }
                }
            }
            Ok(Shared::Other(other)) if other.udp().is_some() => match other
                .into_udp()
                .map(|udp| udp::give(udp.into_handles()))
            {
                Some(Ok(fd)) => return fd,
                // SAFETY: as above.
                Some(Err(handles)) => Socket::of_udp(unsafe { Udp::from_handles(handles, false) }),
                None => unreachable!("asked above"),
            },
            Ok(other) => Socket(Arc::new(other)),
            Err(shared) => Socket(shared),
        };
        socket.into_number()
    }

    /// Moves the socket into the table, from which its number retrieves it.
    fn into_number(self) -> OwnedFd {
        let socket = self;
        let number = socket.as_raw_fd();
        if let Some(index) = index(number) {
            table()[index] = Entry::Owned(socket.0.clone());
        }
        // SAFETY: nothing else owns the number. The C library has no such descriptor, and closing it there does
        // nothing.
        unsafe { OwnedFd::from_raw_fd(number) }
    }

    /// Returns the inner value without running the destructor.
    fn into_shared(self) -> Arc<Shared> {
        let socket = ManuallyDrop::new(self);
        // SAFETY: the original is never dropped.
        unsafe { std::ptr::read(&socket.0) }
    }
}

/// A borrowed socket.
#[derive(Debug)]
pub(crate) struct Borrowed {
    /// `None` only during the drop.
    socket: Option<Socket>,
    /// The descriptor, if the C library owns its handles.
    c: Option<RawFd>,
}

impl std::ops::Deref for Borrowed {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        match &self.socket {
            Some(socket) => socket,
            None => unreachable!("it is being dropped"),
        }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let (Some(fd), Some(socket)) = (self.c, self.socket.take()) else { return };
        // Only numbers are left, because the pollables are dropped.
        match Arc::try_unwrap(socket.into_shared()) {
            Ok(Shared::Tcp(tcp)) => _ = tcp.into_handles(),
            Ok(Shared::Other(other)) => {
                if let Some(udp) = other.into_udp() {
                    udp::put_back(fd, &udp.into_handles());
                }
            }
            Err(_) => {}
        }
    }
}

/// A descriptor that this crate does not know. Every operation on it fails.
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
        "this descriptor of the C library cannot be used here: WASI 0.2 has no descriptors, and of the C library's \
         only sockets can be taken over, with the C library that Rust 1.95 has",
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
        // SAFETY: the number belongs to this socket as long as it lives.
        unsafe { BorrowedFd::borrow_raw(self.as_raw_fd()) }
    }
}
