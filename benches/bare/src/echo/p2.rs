//! WASI 0.2: `wasi:sockets` and `wasi:io/poll`.

use std::net::SocketAddrV4;
use std::time::Duration;

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, OutputStream};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::tcp::TcpSocket;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

use crate::Found;

const BACKLOG: u64 = 1024;
/// From so many ready ones on a host on tokio may have used up its budget of 128 operations, and must be made
/// to yield.
const MANY: usize = 100;

/// A list as the canonical ABI returns it, in memory that the host asked our allocator for.
#[repr(C)]
struct Indices {
    first: *mut u32,
    count: usize,
}

// The published binding copies the list of handles for every poll.
#[link(wasm_import_module = "wasi:io/poll@0.2.0")]
unsafe extern "C" {
    fn poll(handles: *const u32, count: usize, ready: *mut Indices);
}

pub(crate) struct Listener {
    pollable: Pollable,
    socket: TcpSocket,
}

impl Listener {
    pub(crate) fn bind(address: SocketAddrV4) -> Listener {
        let [a, b, c, d] = address.ip().octets();
        let address = Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) };
        let socket = create_tcp_socket(IpAddressFamily::Ipv4).expect("a socket");
        let pollable = socket.subscribe();
        socket.start_bind(&instance_network(), IpSocketAddress::Ipv4(address)).expect("bind");
        pollable.block();
        socket.finish_bind().expect("bind");
        socket.set_listen_backlog_size(BACKLOG).expect("a backlog");
        socket.start_listen().expect("listen");
        pollable.block();
        socket.finish_listen().expect("listen");
        Listener { pollable, socket }
    }

    pub(crate) fn subscription(&self) -> u32 {
        self.pollable.handle()
    }

    pub(crate) fn accept(&self) -> Option<Stream> {
        match self.socket.accept() {
            Ok((socket, input, output)) => {
                let pollable = input.subscribe();
                let buffer = Box::new([0; 4096]);
                Some(Stream { pollable, input, output, _socket: socket, buffer })
            }
            Err(ErrorCode::WouldBlock) => None,
            Err(code) => panic!("accept: {code:?}"),
        }
    }
}

/// Children before their parents: fields are dropped in this order.
pub(crate) struct Stream {
    pollable: Pollable,
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
    /// Each has one, as in all the other programs.
    buffer: Box<[u8; 4096]>,
}

impl Stream {
    pub(crate) fn subscription(&self) -> u32 {
        self.pollable.handle()
    }

    pub(crate) fn echo(&mut self) -> Found {
        let Ok(read) = self.input.read(self.buffer.len() as u64) else { return Found::End };
        if read.is_empty() {
            return Found::Nothing;
        }
        let bytes = &mut self.buffer[..read.len()];
        bytes.copy_from_slice(&read);
        // More than is permitted would trap. A closed loop leaves room for its only message.
        match self.output.check_write() {
            Ok(permit) if permit >= bytes.len() as u64 && self.output.write(bytes).is_ok() => {
                Found::Data
            }
            _ => Found::End,
        }
    }
}

/// What is polled.
#[derive(Default)]
pub(crate) struct Set {
    handles: Vec<u32>,
}

impl Set {
    pub(crate) fn push(&mut self, handle: u32) {
        self.handles.push(handle);
    }

    pub(crate) fn swap_remove(&mut self, at: usize) {
        self.handles.swap_remove(at);
    }

    pub(crate) fn clear(&mut self) {
        self.handles.clear();
    }

    /// Waits for any of them; their places are in `ready` then.
    pub(crate) fn poll(&mut self, timeout: Option<Duration>, ready: &mut Vec<usize>) {
        let clock = timeout.map(|timeout| subscribe_duration(timeout.as_nanos() as u64));
        let count = self.handles.len();
        self.handles.extend(clock.as_ref().map(Pollable::handle));
        let found = call(&self.handles);
        if found.len() >= MANY {
            call(&self.handles[found[0] as usize..][..1]);
        }
        self.handles.truncate(count);
        ready.clear();
        ready.extend(found.into_iter().map(|at| at as usize).filter(|&at| at < count));
    }
}

fn call(handles: &[u32]) -> Vec<u32> {
    let mut ready = Indices { first: std::ptr::null_mut(), count: 0 };
    // SAFETY: `handles` live for the call, and are those of pollables that exist.
    unsafe { poll(handles.as_ptr(), handles.len(), &mut ready) };
    if ready.count == 0 {
        return Vec::new();
    }
    // SAFETY: the canonical ABI: the host had `cabi_realloc` allocate room for `count` numbers, filled them,
    // and left them to us. That function is the published bindings', over the global allocator.
    unsafe { Vec::from_raw_parts(ready.first, ready.count, ready.count) }
}

/// There is none here.
pub(crate) enum Queue {}

impl Queue {
    pub(crate) fn open() -> Option<Queue> {
        None
    }

    pub(crate) fn arm(&mut self, _: u32, _: usize) {
        match *self {}
    }

    pub(crate) fn wait(&mut self, _: &mut Vec<usize>) {
        match *self {}
    }
}
