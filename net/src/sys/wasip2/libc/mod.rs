//! Sockets of the C library, on which std's are built: taking them over, and handing wasio's sockets over. TCP is here,
//! UDP in `udp.rs`.
//!
//! There is no public function for either. The C library has functions that add a socket to its table of descriptors
//! and find an entry (`build.rs` checks that they exist), but the content of an entry is private and differs between
//! versions. So before anything is read or written, a new entry is compared with the one layout that this file knows,
//! byte by byte, also after options were set that are kept in it ([`entries`]). With any other C library sockets keep
//! their numbers (`table.rs`), and std's are refused.
//!
//! A socket that is taken over leaves the table: an unused socket replaces it, whose descriptor is closed. A socket
//! that is handed over belongs to the C library alone.
#![allow(unsafe_code)] // Functions and memory of the C library.

pub(super) mod udp;

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use wasio_runtime::once::Once;
use wasio_runtime::reactor::wasip2_io::Pollable;

use super::convert::error;
use super::host::TcpSocket;
use crate::sys::Family;

/// An entry of the table.
#[repr(C)]
struct Entry {
    data: *mut c_void,
    /// The same for all sockets of a kind.
    functions: usize,
}

/// The data of a TCP socket's entry.
#[repr(C)]
#[derive(Clone, Copy, PartialEq)]
struct Data {
    socket: u32,
    /// Pollables are 0 until the first wait.
    pollable: u32,
    blocks: u8,
    no_delay: u8,
    reuse_addr: u8,
    is_v6: u8,
    state: u32,
    streams: DataStreams,
    send_timeout: u64,
    recv_timeout: u64,
}

/// Valid in the state `CONNECTED`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq)]
struct DataStreams {
    input: u32,
    readable: u32,
    output: u32,
    writable: u32,
}

const _: () = assert!(size_of::<Data>() == 48);

const UNBOUND: u32 = 0;
const BOUND: u32 = 1;
const CONNECTED: u32 = 3;
const LISTENING: u32 = 5;

const SOL_SOCKET: i32 = 0x7fff_ffff;
const SO_REUSEADDR: i32 = 2;
const SO_RCVTIMEO: i32 = 66;
const SO_SNDTIMEO: i32 = 67;
const IPPROTO_TCP: i32 = 6;
const TCP_NODELAY: i32 = 1;

#[repr(C)]
struct Timeval {
    seconds: i64,
    micros: i64,
}

unsafe extern "C" {
    fn __wasilibc_add_tcp_socket(socket: u32, is_v6: u32, blocks: u32) -> RawFd;
    fn descriptor_table_get_ref(fd: RawFd) -> *mut Entry;
    fn malloc_usable_size(memory: *const c_void) -> usize;
    fn setsockopt(fd: RawFd, level: i32, name: i32, value: *const c_void, len: usize) -> i32;
}

/// The handles of a socket, which the owner of this value owns. Those of pollables are dropped already.
pub(super) struct Handles {
    pub(super) socket: u32,
    /// Input and output, once the socket is connected.
    pub(super) streams: Option<(u32, u32)>,
    /// The requested value: the host has no such option.
    pub(super) nodelay: bool,
}

/// Further properties of a socket that is handed over.
pub(super) struct Kind {
    pub(super) is_v6: bool,
    pub(super) is_bound: bool,
    pub(super) is_listening: bool,
}

/// Returns the functions of the entries for TCP sockets, if entries have the layout that this file expects.
fn entries() -> Option<usize> {
    static ENTRIES: Once<Option<usize>> = Once::new();
    *ENTRIES.get_or_init(|| {
        let socket = TcpSocket::create(Family::V4).ok()?.into_handle();
        let fd = add(socket, true, true)?;
        // SAFETY: the descriptor is new.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        is_as_known(fd.as_raw_fd(), socket)
    })
}

/// Compares a new entry for `socket`, of IPv6 and blocking, with the layout. Returns its functions if they match.
fn is_as_known(fd: RawFd, socket: u32) -> Option<usize> {
    let streams = DataStreams { input: 0, readable: 0, output: 0, writable: 0 };
    let mut expected = Data {
        socket,
        pollable: 0,
        blocks: 1,
        no_delay: 0,
        reuse_addr: 0,
        is_v6: 1,
        state: UNBOUND,
        streams,
        send_timeout: 0,
        recv_timeout: 0,
    };
    let (data, functions) = allocation(fd, size_of::<Data>())?;
    let data = data.cast::<Data>();
    // SAFETY: it points to that much of the C library's memory.
    let is = |expected: &Data| unsafe { data.read() == *expected };
    if !is(&expected) {
        return None;
    }
    set(fd, IPPROTO_TCP, TCP_NODELAY, &1_u32)?;
    set(fd, SOL_SOCKET, SO_REUSEADDR, &1_u32)?;
    set(fd, SOL_SOCKET, SO_SNDTIMEO, &Timeval { seconds: 1, micros: 0 })?;
    set(fd, SOL_SOCKET, SO_RCVTIMEO, &Timeval { seconds: 2, micros: 0 })?;
    expected.no_delay = 1;
    expected.reuse_addr = 1;
    expected.send_timeout = 1_000_000_000;
    expected.recv_timeout = 2_000_000_000;
    is(&expected).then_some(functions)
}

/// Returns an entry's data and functions.
fn entry(fd: RawFd) -> Option<(*mut c_void, usize)> {
    // SAFETY: the table's function may be called with any descriptor. An entry begins with two words in every version.
    unsafe {
        let entry = descriptor_table_get_ref(fd);
        (!entry.is_null()).then(|| ((*entry).data, (*entry).functions))
    }
}

/// The same for a new entry of any C library, if its data is an allocation of at least `size` bytes.
fn allocation(fd: RawFd, size: usize) -> Option<(*mut c_void, usize)> {
    let (data, functions) = entry(fd)?;
    // An earlier version has the functions first. They are not an allocation, so their size must not be asked for.
    let is_memory =
        |address: usize| address % 8 == 0 && address < core::arch::wasm32::memory_size(0) << 16;
    if data.is_null() || !is_memory(data.addr()) || functions == 0 {
        return None;
    }
    // SAFETY: the C library allocated the data, and knows its size.
    (unsafe { malloc_usable_size(data) } >= size).then_some((data, functions))
}

fn set<T>(fd: RawFd, level: i32, name: i32, value: &T) -> Option<()> {
    // SAFETY: the size is that of `value`, which lives for the call.
    let failed = unsafe { setsockopt(fd, level, name, (&raw const *value).cast(), size_of::<T>()) };
    (failed == 0).then_some(())
}

/// Adds a socket to the table, which then owns its handle, even if it has no room for it.
fn add(socket: u32, is_v6: bool, blocks: bool) -> Option<RawFd> {
    // SAFETY: the function takes the handle of a socket, and nothing else owns it.
    let fd = unsafe { __wasilibc_add_tcp_socket(socket, is_v6.into(), blocks.into()) };
    (fd >= 0).then_some(fd)
}

/// Returns the entry's data for a descriptor, if it is a TCP socket.
fn data(fd: RawFd) -> Option<*mut Data> {
    let (data, functions) = entry(fd)?;
    (Some(functions) == entries()).then_some(data.cast())
}

/// Returns the handles of a descriptor, if it is a TCP socket. The C library keeps them.
pub(super) fn look(fd: RawFd) -> Option<Handles> {
    // SAFETY: `data` found it, and nothing else accesses it while this is read.
    let Data { socket, state, streams, no_delay, .. } = unsafe { data(fd)?.read() };
    let streams = (state == CONNECTED).then_some((streams.input, streams.output));
    Some(Handles { socket, streams, nodelay: no_delay != 0 })
}

/// Takes a TCP socket over. Its descriptor is closed.
///
/// # Errors
///
/// `Err(None)` if it is no such socket, or the C library has another layout; otherwise the host's error. The socket is
/// closed then.
pub(super) fn take(fd: OwnedFd) -> Result<Handles, Option<io::Error>> {
    let handles = look(fd.as_raw_fd()).ok_or(None)?;
    let data = data(fd.as_raw_fd()).ok_or(None)?;
    // An unused socket, which replaces it in the table.
    let nothing = TcpSocket::create(Family::V4).map_err(|code| Some(error(code)))?.into_handle();
    // SAFETY: `data` found it, and nothing else accesses it while this is written. Its pollables are the C library's,
    // whose fields are reset.
    unsafe {
        let pollables = match handles.streams {
            Some(_) => [(*data).streams.readable, (*data).streams.writable, (*data).pollable],
            None => [0, 0, (*data).pollable],
        };
        for pollable in pollables.into_iter().filter(|&handle| handle != 0) {
            drop(Pollable::from_handle(pollable));
        }
        (*data).socket = nothing;
        (*data).pollable = 0;
        (*data).state = UNBOUND;
    }
    Ok(handles)
}

/// Hands a TCP socket over in non-blocking mode.
///
/// # Errors
///
/// Returns the handles if the C library has another layout.
pub(super) fn give(handles: Handles, kind: Kind) -> Result<OwnedFd, Handles> {
    if entries().is_none() {
        return Err(handles);
    }
    let fd = add(handles.socket, kind.is_v6, false);
    let Some((fd, data)) = fd.and_then(|fd| data(fd).map(|data| (fd, data))) else {
        // The C library had no memory for it.
        std::alloc::handle_alloc_error(std::alloc::Layout::new::<Data>())
    };
    // SAFETY: `data` found it, and nothing else accesses it while this is written. The streams are handed over.
    unsafe {
        (*data).no_delay = handles.nodelay.into();
        (*data).state = match handles.streams {
            Some((input, output)) => {
                (*data).streams = DataStreams { input, readable: 0, output, writable: 0 };
                CONNECTED
            }
            None if kind.is_listening => LISTENING,
            None if kind.is_bound => BOUND,
            None => UNBOUND,
        };
        Ok(OwnedFd::from_raw_fd(fd))
    }
}
