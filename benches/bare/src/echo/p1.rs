//! WASI preview 1 with WasmEdge's socket imports, and `poll_oneoff`.

use std::net::SocketAddrV4;
use std::time::Duration;

use crate::Found;

const IPV4: u32 = 1;
const STREAM: u32 = 2;
const NONBLOCK: u32 = 4;
const IPPROTO_TCP: u32 = 6;
const TCP_NODELAY: u32 = 1;
const BACKLOG: u32 = 1024;
const EAGAIN: u32 = 6;
const CLOCK_MONOTONIC: u32 = 1;
const TAG_CLOCK: u8 = 0;
const TAG_READ: u8 = 1;
/// The descriptor that stands for what the host keeps, version 1, and how many events are taken at a time.
const QUEUE: i32 = 0xd04f_4c01_u32 as i32;
const ROOM: usize = 1024;
/// The clock's place among the events.
const CLOCK: u64 = u64::MAX;

/// A piece of memory: an address's octets, what is read into, what is written.
#[repr(C)]
struct Piece {
    first: *const u8,
    len: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Subscription {
    userdata: u64,
    tag: u8,
    subject: Subject,
}

/// A clock, or a descriptor with nothing behind it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Subject {
    id: u32,
    /// Padding in preview 1; 0 arms in an extended call.
    change: u32,
    timeout: u64,
    precision: u64,
    flags: u16,
}

impl Subject {
    fn of(id: i32) -> Subject {
        Subject { id: id as u32, change: 0, timeout: 0, precision: 0, flags: 0 }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Event {
    userdata: u64,
    error: u16,
    kind: u8,
    bytes: u64,
    flags: u16,
}

const _: () = assert!(size_of::<Subscription>() == 48 && size_of::<Event>() == 32);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn sock_open(family: u32, kind: u32, fd: *mut i32) -> u32;
    fn sock_bind(fd: i32, address: *const Piece, port: u32) -> u32;
    fn sock_listen(fd: i32, backlog: u32) -> u32;
    fn sock_accept(fd: i32, flags: u32, accepted: *mut i32) -> u32;
    fn sock_setsockopt(fd: i32, level: u32, name: u32, value: *const u8, size: u32) -> u32;
    fn sock_recv(
        fd: i32,
        pieces: *const Piece,
        count: usize,
        flags: u32,
        len: *mut usize,
        out: *mut u16,
    ) -> u32;
    fn sock_send(fd: i32, pieces: *const Piece, count: usize, flags: u32, len: *mut usize) -> u32;
    fn fd_fdstat_set_flags(fd: i32, flags: u32) -> u32;
    fn fd_close(fd: i32) -> u32;
    fn fd_fdstat_get(fd: i32, stat: *mut [u64; 3]) -> u32;
    fn poll_oneoff(
        subscriptions: *const Subscription,
        events: *mut Event,
        count: usize,
        found: *mut usize,
    ) -> u32;
}

fn check(what: &str, errno: u32) {
    assert_eq!(errno, 0, "{what}");
}

pub(crate) struct Listener(i32);

impl Listener {
    pub(crate) fn bind(address: SocketAddrV4) -> Listener {
        let octets = address.ip().octets();
        let ip = Piece { first: octets.as_ptr(), len: 4 };
        let mut fd = -1;
        // SAFETY: the pointers are to what the imports expect, and live as long as the calls.
        unsafe {
            check("open", sock_open(IPV4, STREAM, &mut fd));
            check("do not block", fd_fdstat_set_flags(fd, NONBLOCK));
            check("bind", sock_bind(fd, &ip, address.port().into()));
            check("listen", sock_listen(fd, BACKLOG));
        }
        Listener(fd)
    }

    pub(crate) fn subscription(&self) -> i32 {
        self.0
    }

    pub(crate) fn accept(&self) -> Option<Stream> {
        let mut fd = -1;
        // SAFETY: a place for the result.
        match unsafe { sock_accept(self.0, NONBLOCK, &mut fd) } {
            0 => {
                let yes = 1u32.to_le_bytes();
                // WasmEdge has no such option: without it, the kernel waits for more only after an
                // answer that was not acknowledged.
                // SAFETY: four bytes that live for the call.
                unsafe { sock_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, yes.as_ptr(), 4) };
                Some(Stream { fd, buffer: Box::new([0; 4096]) })
            }
            EAGAIN => None,
            errno => panic!("accept: errno {errno}"),
        }
    }
}

pub(crate) struct Stream {
    fd: i32,
    /// Each has one, as in all the other programs.
    buffer: Box<[u8; 4096]>,
}

impl Stream {
    pub(crate) fn subscription(&self) -> i32 {
        self.fd
    }

    pub(crate) fn echo(&mut self) -> Found {
        let mut piece = Piece { first: self.buffer.as_mut_ptr(), len: self.buffer.len() };
        let (mut len, mut out) = (0, 0);
        // SAFETY: the buffer is ours, and lives for the call.
        match unsafe { sock_recv(self.fd, &piece, 1, 0, &mut len, &mut out) } {
            0 if len > 0 => {}
            EAGAIN => return Found::Nothing,
            _ => return Found::End,
        }
        piece.len = len;
        // A closed loop leaves room for its only message.
        // SAFETY: as above.
        match unsafe { sock_send(self.fd, &piece, 1, 0, &mut len) } {
            0 if len == piece.len => Found::Data,
            _ => Found::End,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: no pointers.
        unsafe { fd_close(self.fd) };
    }
}

/// What is polled.
#[derive(Default)]
pub(crate) struct Set {
    subscriptions: Vec<Subscription>,
    events: Vec<Event>,
}

impl Set {
    pub(crate) fn push(&mut self, fd: i32) {
        let subject = Subject::of(fd);
        let userdata = self.subscriptions.len() as u64;
        self.subscriptions.push(Subscription { userdata, tag: TAG_READ, subject });
    }

    pub(crate) fn swap_remove(&mut self, at: usize) {
        self.subscriptions.swap_remove(at);
        if let Some(moved) = self.subscriptions.get_mut(at) {
            moved.userdata = at as u64;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.subscriptions.clear();
    }

    /// Waits for any of them; their places are in `ready` then.
    pub(crate) fn poll(&mut self, timeout: Option<Duration>, ready: &mut Vec<usize>) {
        if let Some(timeout) = timeout {
            let timeout = timeout.as_nanos() as u64;
            let subject = Subject { timeout, ..Subject::of(CLOCK_MONOTONIC as i32) };
            self.subscriptions.push(Subscription { userdata: CLOCK, tag: TAG_CLOCK, subject });
        }
        let count = self.subscriptions.len();
        if self.events.len() < count {
            self.events.resize(count, Event::default());
        }
        let mut found = 0;
        // SAFETY: there are as many of both as is said.
        check("poll", unsafe {
            let subscriptions = self.subscriptions.as_ptr();
            poll_oneoff(subscriptions, self.events.as_mut_ptr(), count, &mut found)
        });
        if timeout.is_some() {
            self.subscriptions.pop();
        }
        ready.clear();
        let events = self.events[..found].iter().filter(|event| event.userdata != CLOCK);
        ready.extend(events.map(|event| event.userdata as usize));
    }
}

/// What the host keeps between polls.
pub(crate) struct Queue {
    /// The queue itself, then what is to be armed.
    subscriptions: Vec<Subscription>,
    events: Vec<Event>,
}

impl Queue {
    /// Nothing on a host that keeps nothing.
    pub(crate) fn open() -> Option<Queue> {
        let mut stat = [0; 3];
        // SAFETY: a `fdstat` has 24 bytes.
        let known = unsafe { fd_fdstat_get(QUEUE, &mut stat) } == 0;
        let queue =
            Subscription { userdata: ROOM as u64, tag: TAG_READ, subject: Subject::of(QUEUE) };
        let events = vec![Event::default(); ROOM];
        known.then(|| Queue { subscriptions: vec![queue], events })
    }

    pub(crate) fn arm(&mut self, fd: i32, place: usize) {
        let subject = Subject::of(fd);
        self.subscriptions.push(Subscription { userdata: place as u64, tag: TAG_READ, subject });
    }

    /// Waits for any that is armed, and disarms those that are in `ready` then.
    pub(crate) fn wait(&mut self, ready: &mut Vec<usize>) {
        let mut found = 0;
        // SAFETY: there are as many subscriptions as is said, and the first says how many events fit.
        check("wait", unsafe {
            let (subscriptions, count) = (self.subscriptions.as_ptr(), self.subscriptions.len());
            poll_oneoff(subscriptions, self.events.as_mut_ptr(), count, &mut found)
        });
        self.subscriptions.truncate(1);
        ready.clear();
        ready.extend(self.events[..found].iter().map(|event| event.userdata as usize));
    }
}
