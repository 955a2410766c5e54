//! UDP sockets of the C library, as `mod.rs` has those of TCP: the same rules, another layout.
//!
//! Both sides use a borrowed socket. Its pollables are dropped first, because the C library creates new ones when it
//! waits, and changes are put back afterwards ([`put_back`]).

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use wasio_runtime::once::Once;
use wasio_runtime::reactor::wasip2_io::Pollable;
use wasip2::sockets::network::IpAddressFamily;
use wasip2::sockets::udp::UdpSocket;
use wasip2::sockets::udp_create_socket::create_udp_socket;

use super::super::convert::error;
use super::{allocation, entry};

#[repr(C)]
#[derive(Clone, Copy, PartialEq)]
struct Data {
    socket: u32,
    /// Pollables are 0 until the first wait.
    pollable: u32,
    blocks: u8,
    is_v6: u8,
    unused: u16,
    state: u32,
    /// Valid in the states `STREAMING` and `CONNECTED`.
    streams: DataStreams,
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq)]
struct DataStreams {
    incoming: u32,
    readable: u32,
    outgoing: u32,
    writable: u32,
}

const NO_STREAMS: DataStreams = DataStreams { incoming: 0, readable: 0, outgoing: 0, writable: 0 };

const _: () = assert!(size_of::<Data>() == 32);

const UNBOUND: u32 = 0;
const BOUND: u32 = 1;
const STREAMING: u32 = 2;
const CONNECTED: u32 = 3;

unsafe extern "C" {
    fn __wasilibc_add_udp_socket(socket: u32, is_v6: u32, blocks: u32) -> RawFd;
}

/// The handles of a socket, which the owner of this value owns. Those of pollables are dropped already.
pub(in super::super) struct Handles {
    pub(in super::super) socket: u32,
    /// Incoming and outgoing messages, once one was sent or waited for.
    pub(in super::super) streams: Option<(u32, u32)>,
}

fn add(socket: u32, is_v6: bool, blocks: bool) -> Option<RawFd> {
    // SAFETY: the function takes the handle of a socket, and nothing else owns it.
    let fd = unsafe { __wasilibc_add_udp_socket(socket, is_v6.into(), blocks.into()) };
    (fd >= 0).then_some(fd)
}

/// Returns the functions of the entries for UDP sockets, if entries have the layout that this file expects.
fn entries() -> Option<usize> {
    static ENTRIES: Once<Option<usize>> = Once::new();
    *ENTRIES.get_or_init(|| {
        let socket = unused().ok()?;
        let fd = add(socket, true, true)?;
        // SAFETY: the descriptor is new.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let (data, functions) = allocation(fd.as_raw_fd(), size_of::<Data>())?;
        let expected = Data {
            socket,
            pollable: 0,
            blocks: 1,
            is_v6: 1,
            unused: 0,
            state: UNBOUND,
            streams: NO_STREAMS,
        };
        // SAFETY: it points to that much of the C library's memory.
        let is_as_known = unsafe { data.cast::<Data>().read() == expected };
        is_as_known.then_some(functions)
    })
}

/// Returns the handle of a socket without any use.
fn unused() -> io::Result<u32> {
    Ok(create_udp_socket(IpAddressFamily::Ipv4).map_err(error)?.take_handle())
}

/// Returns the entry's data for a descriptor, if it is a UDP socket.
fn data(fd: RawFd) -> Option<*mut Data> {
    let (data, functions): (*mut c_void, usize) = entry(fd)?;
    (Some(functions) == entries()).then_some(data.cast())
}

/// Returns whether a descriptor is a UDP socket that can be taken over.
pub(in super::super) fn is_one(fd: RawFd) -> bool {
    data(fd).is_some()
}

/// Returns the handles of a descriptor, if it is a UDP socket. The C library keeps them, and creates new pollables.
pub(in super::super) fn look(fd: RawFd) -> Option<Handles> {
    let data = data(fd)?;
    // SAFETY: `data` found it, and nothing else accesses it meanwhile. The pollables are the C library's, whose fields
    // are reset.
    unsafe {
        let Data { socket, pollable, state, streams, .. } = data.read();
        let has_streams = matches!(state, STREAMING | CONNECTED);
        let of_streams = if has_streams { [streams.readable, streams.writable] } else { [0; 2] };
        for pollable in of_streams.into_iter().chain([pollable]).filter(|&handle| handle != 0) {
            drop(Pollable::from_handle(pollable));
        }
        (*data).pollable = 0;
        if has_streams {
            (*data).streams.readable = 0;
            (*data).streams.writable = 0;
        }
        Some(Handles {
            socket,
            streams: has_streams.then_some((streams.incoming, streams.outgoing)),
        })
    }
}

/// Takes a UDP socket over. Its descriptor is closed.
///
/// # Errors
///
/// `Err(None)` if it is no such socket, or the C library has another layout; otherwise the host's error. The socket is
/// closed then.
pub(in super::super) fn take(fd: OwnedFd) -> Result<Handles, Option<io::Error>> {
    let data = data(fd.as_raw_fd()).ok_or(None)?;
    // An unused socket, which replaces it in the table.
    let nothing = unused().map_err(Some)?;
    let handles = look(fd.as_raw_fd()).ok_or(None)?;
    // SAFETY: `data` found it, and nothing else accesses it while this is written.
    unsafe {
        (*data).socket = nothing;
        (*data).state = UNBOUND;
        (*data).streams = NO_STREAMS;
    }
    Ok(handles)
}

/// Hands a UDP socket over in non-blocking mode.
///
/// # Errors
///
/// Returns the handles if the C library has another layout.
pub(in super::super) fn give(handles: Handles) -> Result<OwnedFd, Handles> {
    if entries().is_none() {
        return Err(handles);
    }
    // SAFETY: the handle is a socket's, and is passed on below.
    let socket = unsafe { UdpSocket::from_handle(handles.socket) };
    let is_v6 = socket.address_family() == IpAddressFamily::Ipv6;
    let Some(fd) = add(socket.take_handle(), is_v6, false) else {
        // The C library had no memory for it.
        std::alloc::handle_alloc_error(std::alloc::Layout::new::<Data>())
    };
    put_back(fd, &handles);
    // SAFETY: the descriptor is new.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Updates the C library's entry of the socket to these handles.
pub(in super::super) fn put_back(fd: RawFd, handles: &Handles) {
    let Some(data) = data(fd) else { return };
    // SAFETY: the handle is a socket's. This does not drop it.
    let socket = unsafe { UdpSocket::from_handle(handles.socket) };
    let is_connected = socket.remote_address().is_ok();
    let is_bound = socket.local_address().is_ok();
    let _ = socket.take_handle();
    // SAFETY: `data` found it, and nothing else accesses it while this is written. It has no pollables.
    unsafe {
        (*data).state = match handles.streams {
            Some((incoming, outgoing)) => {
                (*data).streams = DataStreams { incoming, outgoing, ..NO_STREAMS };
                if is_connected { CONNECTED } else { STREAMING }
            }
            None if is_bound => BOUND,
            None => UNBOUND,
        };
    }
}
