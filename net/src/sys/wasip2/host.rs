//! What a server or client of TCP calls of `wasi:sockets`, declared under the version that the C library declares, as
//! the runtime does with streams (`wasip2_io.rs`): the streams of a connection are those.
//!
//! Options and other kinds of socket go through the published bindings.
#![allow(unsafe_code)] // Imports, as the canonical ABI lowers them.

use std::mem::{ManuallyDrop, transmute};
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use wasio_runtime::once::Once;
use wasio_runtime::reactor::wasip2_io::{Answer, InputStream, OutputStream, Pollable};
use wasip2::sockets::network::{ErrorCode, Network};
use wasip2::sockets::tcp as published;

use crate::sys::Family;

/// A socket of the host.
pub(super) struct TcpSocket(u32);

/// What is ended apart from its beginning.
#[derive(Clone, Copy)]
pub(super) enum Begun {
    Bind,
    Listen,
}

/// A connection: its socket and its streams.
pub(super) type Connection = (TcpSocket, InputStream, OutputStream);

/// An `ip-socket-address` as the canonical ABI stores it.
#[derive(Clone, Copy)]
#[repr(C)]
struct Address {
    is_v6: u8,
    ip: Ip,
}

#[derive(Clone, Copy)]
#[repr(C)]
union Ip {
    v4: V4,
    v6: V6,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct V4 {
    port: u16,
    ip: [u8; 4],
}

#[derive(Clone, Copy)]
#[repr(C)]
struct V6 {
    port: u16,
    flow_info: u32,
    ip: [u16; 8],
    scope_id: u32,
}

/// An `error-code`.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Code(u8);

impl From<Code> for ErrorCode {
    fn from(code: Code) -> ErrorCode {
        // SAFETY: the host's answer is one of the interface's, by the canonical ABI, and those are the enum's, which
        // is of one byte and numbered as they are.
        unsafe { transmute::<Code, ErrorCode>(code) }
    }
}

type Result<T> = std::result::Result<T, ErrorCode>;

#[link(wasm_import_module = "wasi:sockets/instance-network@0.2.0")]
unsafe extern "C" {
    #[link_name = "instance-network"]
    fn instance_network() -> u32;
}

#[link(wasm_import_module = "wasi:sockets/tcp-create-socket@0.2.0")]
unsafe extern "C" {
    #[link_name = "create-tcp-socket"]
    fn create_tcp_socket(is_v6: u32, socket: *mut Answer<u32, Code>);
}

/// `start-bind` and `start-connect`: the socket, the network, an address in twelve parts, and where the answer goes.
#[rustfmt::skip]
type Start = unsafe extern "C" fn(
    u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, *mut Answer<(), Code>,
);
/// What is asked of a socket alone.
type Ask<T> = unsafe extern "C" fn(u32, *mut Answer<T, Code>);

#[link(wasm_import_module = "wasi:sockets/tcp@0.2.0")]
#[rustfmt::skip]
unsafe extern "C" {
    #[link_name = "[method]tcp-socket.start-bind"]
    fn start_bind(
        socket: u32, network: u32, is_v6: u32, port: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32,
        _: u32, _: u32, _: u32, _: u32, done: *mut Answer<(), Code>,
    );
    #[link_name = "[method]tcp-socket.finish-bind"]
    fn finish_bind(socket: u32, done: *mut Answer<(), Code>);
    #[link_name = "[method]tcp-socket.start-connect"]
    fn start_connect(
        socket: u32, network: u32, is_v6: u32, port: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32,
        _: u32, _: u32, _: u32, _: u32, done: *mut Answer<(), Code>,
    );
    #[link_name = "[method]tcp-socket.finish-connect"]
    fn finish_connect(socket: u32, streams: *mut Answer<[u32; 2], Code>);
    #[link_name = "[method]tcp-socket.set-listen-backlog-size"]
    fn set_listen_backlog_size(socket: u32, size: u64, done: *mut Answer<(), Code>);
    #[link_name = "[method]tcp-socket.start-listen"]
    fn start_listen(socket: u32, done: *mut Answer<(), Code>);
    #[link_name = "[method]tcp-socket.finish-listen"]
    fn finish_listen(socket: u32, done: *mut Answer<(), Code>);
    #[link_name = "[method]tcp-socket.accept"]
    fn accept(socket: u32, connection: *mut Answer<[u32; 3], Code>);
    #[link_name = "[method]tcp-socket.local-address"]
    fn local_address(socket: u32, address: *mut Answer<Address, Code>);
    #[link_name = "[method]tcp-socket.remote-address"]
    fn remote_address(socket: u32, address: *mut Answer<Address, Code>);
    #[link_name = "[method]tcp-socket.subscribe"]
    fn subscribe(socket: u32) -> u32;
    #[link_name = "[method]tcp-socket.shutdown"]
    fn shutdown(socket: u32, how: u32, done: *mut Answer<(), Code>);
    #[link_name = "[resource-drop]tcp-socket"]
    fn drop_socket(socket: u32);
}

/// The network that the guest was given: one handle for all.
pub(super) fn network() -> &'static Network {
    static NETWORK: Once<Network> = Once::new();
    // SAFETY: what the host returns is ours.
    NETWORK.get_or_init(|| unsafe { Network::from_handle(instance_network()) })
}

impl TcpSocket {
    pub(super) fn create(family: Family) -> Result<TcpSocket> {
        let is_v6 = u32::from(family == Family::V6);
        // SAFETY: the answer is a handle, which is ours, or a code.
        let socket = unsafe { Answer::<u32, Code>::of(|answer| create_tcp_socket(is_v6, answer)) };
        socket.map(TcpSocket).map_err(ErrorCode::from)
    }

    /// The socket with this handle.
    ///
    /// # Safety
    ///
    /// It is one, and nobody else owns it.
    pub(super) unsafe fn from_handle(handle: u32) -> TcpSocket {
        TcpSocket(handle)
    }

    /// Its handle, which belongs to the caller then.
    pub(super) fn into_handle(self) -> u32 {
        ManuallyDrop::new(self).0
    }

    /// The same socket for the published bindings.
    pub(super) fn published(&self) -> ManuallyDrop<published::TcpSocket> {
        // SAFETY: it is never dropped there, and borrowed for calls.
        ManuallyDrop::new(unsafe { published::TcpSocket::from_handle(self.0) })
    }

    /// # Safety
    ///
    /// `ask` is an import of sockets, with an answer of this type.
    #[inline] // SIZE: 29 bytes of an echo server.
    unsafe fn ask<T: Copy>(&self, ask: Ask<T>) -> Result<T> {
        // SAFETY: the socket is ours, and the caller's promise.
        unsafe { Answer::of(|answer| ask(self.0, answer)) }.map_err(ErrorCode::from)
    }

    /// Passes an address, flat.
    ///
    /// # Safety
    ///
    /// `start` is an import of sockets.
    unsafe fn start(&self, start: Start, addr: SocketAddr) -> Result<()> {
        let mut rest = [0; 10];
        let is_v6 = match addr {
            SocketAddr::V4(addr) => {
                let [a, b, c, d] = addr.ip().octets();
                (rest[0], rest[1], rest[2], rest[3]) = (a.into(), b.into(), c.into(), d.into());
                0
            }
            SocketAddr::V6(addr) => {
                rest[0] = addr.flowinfo();
                for (part, segment) in rest[1..].iter_mut().zip(addr.ip().segments()) {
                    *part = segment.into();
                }
                rest[9] = addr.scope_id();
                1
            }
        };
        let [a, b, c, d, e, f, g, h, i, j] = rest;
        let (network, port) = (network().handle(), addr.port().into());
        // SAFETY: the socket and the network are ours, and the caller's promise.
        let done = unsafe {
            Answer::of(|answer| {
                start(self.0, network, is_v6, port, a, b, c, d, e, f, g, h, i, j, answer);
            })
        };
        done.map_err(|code: Code| code.into())
    }

    pub(super) fn start_bind(&self, addr: SocketAddr) -> Result<()> {
        // SAFETY: it is one.
        unsafe { self.start(start_bind, addr) }
    }

    /// Ends what was begun, or tells that it is still under way.
    pub(super) fn finish(&self, what: Begun) -> Result<()> {
        let finish = match what {
            Begun::Bind => finish_bind,
            Begun::Listen => finish_listen,
        };
        // SAFETY: it is one.
        unsafe { self.ask(finish) }
    }

    pub(super) fn start_connect(&self, addr: SocketAddr) -> Result<()> {
        // SAFETY: it is one.
        unsafe { self.start(start_connect, addr) }
    }

    pub(super) fn finish_connect(&self) -> Result<(InputStream, OutputStream)> {
        // SAFETY: it is one, and returns streams that are ours.
        unsafe { self.ask(finish_connect).map(|[input, output]| streams(input, output)) }
    }

    pub(super) fn set_listen_backlog_size(&self, size: u64) -> Result<()> {
        // SAFETY: the socket is ours, and the answer is of these cases.
        let done = unsafe { Answer::of(|answer| set_listen_backlog_size(self.0, size, answer)) };
        done.map_err(|code: Code| code.into())
    }

    pub(super) fn start_listen(&self) -> Result<()> {
        // SAFETY: it is one.
        unsafe { self.ask(start_listen) }
    }

    pub(super) fn accept(&self) -> Result<Connection> {
        // SAFETY: it is one, and returns a socket and streams that are ours.
        unsafe {
            self.ask(accept).map(|[socket, input, output]| {
                let (input, output) = streams(input, output);
                (TcpSocket(socket), input, output)
            })
        }
    }

    pub(super) fn local_address(&self) -> Result<SocketAddr> {
        // SAFETY: it is one.
        unsafe { self.ask(local_address) }.map(SocketAddr::from)
    }

    pub(super) fn remote_address(&self) -> Result<SocketAddr> {
        // SAFETY: it is one.
        unsafe { self.ask(remote_address) }.map(SocketAddr::from)
    }

    pub(super) fn subscribe(&self) -> Pollable {
        // SAFETY: the socket is ours, and so is what the host returns.
        unsafe { Pollable::from_handle(subscribe(self.0)) }
    }

    pub(super) fn shutdown(&self, how: published::ShutdownType) -> Result<()> {
        // SAFETY: the socket is ours, and the answer is of these cases.
        let done = unsafe { Answer::of(|answer| shutdown(self.0, how as u32, answer)) };
        done.map_err(|code: Code| code.into())
    }
}

impl Drop for TcpSocket {
    fn drop(&mut self) {
        // SAFETY: it is ours, and its children are gone.
        unsafe { drop_socket(self.0) }
    }
}

/// # Safety
///
/// The handles are those of streams that nobody else owns.
unsafe fn streams(input: u32, output: u32) -> (InputStream, OutputStream) {
    // SAFETY: the caller's promise.
    unsafe { (InputStream::from_handle(input), OutputStream::from_handle(output)) }
}

impl From<Address> for SocketAddr {
    fn from(address: Address) -> SocketAddr {
        // SAFETY: the host says which of the two it has written.
        unsafe {
            match address.is_v6 {
                0 => SocketAddrV4::new(address.ip.v4.ip.into(), address.ip.v4.port).into(),
                _ => {
                    let V6 { port, flow_info, ip, scope_id } = address.ip.v6;
                    SocketAddrV6::new(Ipv6Addr::from(ip), port, flow_info, scope_id).into()
                }
            }
        }
    }
}
