//! The functions of `wasi:sockets` that a TCP server or client calls. They are declared under the version that the C
//! library declares, as the runtime does for streams (`runtime/src/sys/wasip2/host.rs`), whose types a connection uses.
//!
//! Options and other kinds of socket use the published bindings.
#![allow(unsafe_code)] // Imports, as the canonical ABI lowers them.

use std::mem::{ManuallyDrop, transmute};
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use wasio_runtime::once::Once;
use wasio_runtime::reactor::wasip2_io::{AbiResult, InputStream, OutputStream, Pollable};
use wasip2::sockets::network::{ErrorCode, Network};
use wasip2::sockets::tcp as published;

use crate::sys::Family;

/// A socket of the host.
pub(super) struct TcpSocket(u32);

/// Operations that are begun and finished in separate calls.
#[derive(Clone, Copy)]
pub(super) enum StartedOp {
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
        // SAFETY: by the canonical ABI, the host's answer is a case of the interface. The enum has the same cases, with
        // the same numbers, in one byte.
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
    fn create_tcp_socket(is_v6: u32, socket: *mut AbiResult<u32, Code>);
}

/// `start-bind` and `start-connect`: the socket, the network, an address in twelve parts, and a pointer for the result.
#[rustfmt::skip]
type Start = unsafe extern "C" fn(
    u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, *mut AbiResult<(), Code>,
);
/// An import whose only argument is the socket.
type Ask<T> = unsafe extern "C" fn(u32, *mut AbiResult<T, Code>);

#[link(wasm_import_module = "wasi:sockets/tcp@0.2.0")]
#[rustfmt::skip]
unsafe extern "C" {
    #[link_name = "[method]tcp-socket.start-bind"]
    fn start_bind(
        socket: u32, network: u32, is_v6: u32, port: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32,
        _: u32, _: u32, _: u32, _: u32, done: *mut AbiResult<(), Code>,
    );
    #[link_name = "[method]tcp-socket.finish-bind"]
    fn finish_bind(socket: u32, done: *mut AbiResult<(), Code>);
    #[link_name = "[method]tcp-socket.start-connect"]
    fn start_connect(
        socket: u32, network: u32, is_v6: u32, port: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32,
        _: u32, _: u32, _: u32, _: u32, done: *mut AbiResult<(), Code>,
    );
    #[link_name = "[method]tcp-socket.finish-connect"]
    fn finish_connect(socket: u32, streams: *mut AbiResult<[u32; 2], Code>);
    #[link_name = "[method]tcp-socket.set-listen-backlog-size"]
    fn set_listen_backlog_size(socket: u32, size: u64, done: *mut AbiResult<(), Code>);
    #[link_name = "[method]tcp-socket.start-listen"]
    fn start_listen(socket: u32, done: *mut AbiResult<(), Code>);
    #[link_name = "[method]tcp-socket.finish-listen"]
    fn finish_listen(socket: u32, done: *mut AbiResult<(), Code>);
    #[link_name = "[method]tcp-socket.accept"]
    fn accept(socket: u32, connection: *mut AbiResult<[u32; 3], Code>);
    #[link_name = "[method]tcp-socket.local-address"]
    fn local_address(socket: u32, address: *mut AbiResult<Address, Code>);
    #[link_name = "[method]tcp-socket.remote-address"]
    fn remote_address(socket: u32, address: *mut AbiResult<Address, Code>);
    #[link_name = "[method]tcp-socket.subscribe"]
    fn subscribe(socket: u32) -> u32;
    #[link_name = "[method]tcp-socket.shutdown"]
    fn shutdown(socket: u32, how: u32, done: *mut AbiResult<(), Code>);
    #[link_name = "[resource-drop]tcp-socket"]
    fn drop_socket(socket: u32);
}

/// Returns the network that the guest was given: one handle for all.
pub(super) fn network() -> &'static Network {
    static NETWORK: Once<Network> = Once::new();
    // SAFETY: the guest owns the handle that the host returns.
    NETWORK.get_or_init(|| unsafe { Network::from_handle(instance_network()) })
}

impl TcpSocket {
    pub(super) fn create(family: Family) -> Result<TcpSocket> {
        let is_v6 = u32::from(family == Family::V6);
        // SAFETY: the result is a handle, which the guest owns, or a code.
        let socket =
            unsafe { AbiResult::<u32, Code>::of(|answer| create_tcp_socket(is_v6, answer)) };
        socket.map(TcpSocket).map_err(ErrorCode::from)
    }

    /// Takes ownership of the socket with this handle.
    ///
    /// # Safety
    ///
    /// The handle is one of a socket, and nothing else owns it.
    pub(super) unsafe fn from_handle(handle: u32) -> TcpSocket {
        TcpSocket(handle)
    }

    /// Returns the handle, which the caller then owns.
    pub(super) fn into_handle(self) -> u32 {
        ManuallyDrop::new(self).0
    }

    /// Returns the same socket in the type of the published bindings.
    pub(super) fn published(&self) -> ManuallyDrop<published::TcpSocket> {
        // SAFETY: the result is never dropped, and is only borrowed for calls.
        ManuallyDrop::new(unsafe { published::TcpSocket::from_handle(self.0) })
    }

    /// # Safety
    ///
    /// `ask` is an import for sockets, with a result of this type.
    #[inline] // SIZE: 29 bytes of an echo server.
    unsafe fn ask<T: Copy>(&self, ask: Ask<T>) -> Result<T> {
        // SAFETY: the guest owns the socket. The rest is promised by the caller.
        unsafe { AbiResult::of(|answer| ask(self.0, answer)) }.map_err(ErrorCode::from)
    }

    /// Passes an address as flat arguments.
    ///
    /// # Safety
    ///
    /// `start` is an import for sockets.
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
        // SAFETY: the guest owns the socket and the network. The rest is promised by the caller.
        let done = unsafe {
            AbiResult::of(|answer| {
                start(self.0, network, is_v6, port, a, b, c, d, e, f, g, h, i, j, answer);
            })
        };
        done.map_err(|code: Code| code.into())
    }

    pub(super) fn start_bind(&self, addr: SocketAddr) -> Result<()> {
        // SAFETY: it is such an import.
        unsafe { self.start(start_bind, addr) }
    }

    /// Finishes an operation, or returns that it is still under way.
    pub(super) fn finish(&self, what: StartedOp) -> Result<()> {
        let finish = match what {
            StartedOp::Bind => finish_bind,
            StartedOp::Listen => finish_listen,
        };
        // SAFETY: it is such an import.
        unsafe { self.ask(finish) }
    }

    pub(super) fn start_connect(&self, addr: SocketAddr) -> Result<()> {
        // SAFETY: it is such an import.
        unsafe { self.start(start_connect, addr) }
    }

    pub(super) fn finish_connect(&self) -> Result<(InputStream, OutputStream)> {
        // SAFETY: it is such an import, and the guest owns the streams that it returns.
        unsafe { self.ask(finish_connect).map(|[input, output]| streams(input, output)) }
    }

    pub(super) fn set_listen_backlog_size(&self, size: u64) -> Result<()> {
        // SAFETY: the guest owns the socket, and the result has these cases.
        let done = unsafe { AbiResult::of(|answer| set_listen_backlog_size(self.0, size, answer)) };
        done.map_err(|code: Code| code.into())
    }

    pub(super) fn start_listen(&self) -> Result<()> {
        // SAFETY: it is such an import.
        unsafe { self.ask(start_listen) }
    }

    pub(super) fn accept(&self) -> Result<Connection> {
        // SAFETY: it is such an import, and the guest owns the socket and the streams that it returns.
        unsafe {
            self.ask(accept).map(|[socket, input, output]| {
                let (input, output) = streams(input, output);
                (TcpSocket(socket), input, output)
            })
        }
    }

    pub(super) fn local_address(&self) -> Result<SocketAddr> {
        // SAFETY: it is such an import.
        unsafe { self.ask(local_address) }.map(SocketAddr::from)
    }

    pub(super) fn remote_address(&self) -> Result<SocketAddr> {
        // SAFETY: it is such an import.
        unsafe { self.ask(remote_address) }.map(SocketAddr::from)
    }

    pub(super) fn subscribe(&self) -> Pollable {
        // SAFETY: the guest owns the socket and the pollable that the host returns.
        unsafe { Pollable::from_handle(subscribe(self.0)) }
    }

    pub(super) fn shutdown(&self, how: published::ShutdownType) -> Result<()> {
        // SAFETY: the guest owns the socket, and the result has these cases.
        let done = unsafe { AbiResult::of(|answer| shutdown(self.0, how as u32, answer)) };
        done.map_err(|code: Code| code.into())
    }
}

impl Drop for TcpSocket {
    fn drop(&mut self) {
        // SAFETY: the guest owns it, and its children are dropped.
        unsafe { drop_socket(self.0) }
    }
}

/// # Safety
///
/// The handles belong to streams that nothing else owns.
unsafe fn streams(input: u32, output: u32) -> (InputStream, OutputStream) {
    // SAFETY: promised by the caller.
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
