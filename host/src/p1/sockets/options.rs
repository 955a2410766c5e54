//! `sock_getsockopt` and `sock_setsockopt`.
//!
//! Level 0 holds WasmEdge's fifteen options. Level 6 (`IPPROTO_TCP`) name 1 is `TCP_NODELAY`, which WasmEdge lacks.
//! Options that a sandboxed guest must not choose (`BINDTODEVICE`) or that the host cannot set portably are
//! `NOPROTOOPT`.

use std::io;
use std::time::Duration;

use crate::p1::errno::Errno;
use crate::p1::memory::GuestMemory;
use crate::p1::sockets::socket::{Kind, Socket};
use crate::p1::state::{Cx, parts};

const SOL_SOCKET: i32 = 0;
const IPPROTO_TCP: i32 = 6;
const TCP_NODELAY: i32 = 1;

const REUSEADDR: i32 = 0;
const TYPE: i32 = 1;
const ERROR: i32 = 2;
const BROADCAST: i32 = 4;
const SNDBUF: i32 = 5;
const RCVBUF: i32 = 6;
const KEEPALIVE: i32 = 7;
const OOBINLINE: i32 = 8;
const LINGER: i32 = 9;
const RCVTIMEO: i32 = 11;
const SNDTIMEO: i32 = 12;
const ACCEPTCONN: i32 = 13;

/// An option's value, in its C form.
enum Value {
    Int(i32),
    /// `struct linger`: whether, and for how many seconds.
    Linger(i32, i32),
    /// `struct timeval` with 64-bit fields, as in wasi-libc.
    Time(Option<Duration>),
}

pub(crate) fn get(
    cx: &mut Cx<'_>,
    fd: i32,
    level: i32,
    name: i32,
    out: i32,
    len: i32,
) -> Result<(), Errno> {
    let (mut memory, state) = parts(cx)?;
    let room = memory.read_u32(len as u32)?;
    memory.range(out as u32, room as usize, 1)?;
    let value = read(state.sockets.get(fd)?, level, name)?;
    let mut bytes = [0; 16];
    let size = value.encode(&mut bytes);
    if (room as usize) < size {
        return Err(Errno::INVAL);
    }
    memory.write(out as u32, 1, &bytes[..size])?;
    memory.write_u32(len as u32, size as u32)
}

pub(crate) fn set(
    cx: &mut Cx<'_>,
    fd: i32,
    level: i32,
    name: i32,
    value: i32,
    len: i32,
) -> Result<(), Errno> {
    let (memory, state) = parts(cx)?;
    memory.range(value as u32, len as u32 as usize, 1)?;
    let socket = state.sockets.get_mut(fd)?;
    // The option has no effect, and the operation that follows reports why.
    if socket.is_refused() {
        return Ok(());
    }
    write(socket, &memory, level, name, value as u32, len as u32)
}

fn read(socket: &Socket, level: i32, name: i32) -> Result<Value, Errno> {
    let host = socket.host()?;
    let flag = |on: io::Result<bool>| Ok(Value::Int(i32::from(on?)));
    match (level, name) {
        (IPPROTO_TCP, TCP_NODELAY) if socket.kind == Kind::Stream => flag(host.tcp_nodelay()),
        (SOL_SOCKET, REUSEADDR) => flag(host.reuse_address()),
        (SOL_SOCKET, TYPE) => Ok(Value::Int(match socket.kind {
            Kind::Datagram => 1,
            Kind::Stream => 2,
        })),
        // Reading the error clears it in the kernel, so it is reported once.
        (SOL_SOCKET, ERROR) => {
            let error = host.take_error()?;
            Ok(Value::Int(error.map_or(0, |e| i32::from(Errno::from(e).0))))
        }
        (SOL_SOCKET, BROADCAST) => flag(host.broadcast()),
        (SOL_SOCKET, SNDBUF) => {
            Ok(Value::Int(host.send_buffer_size()?.try_into().unwrap_or(i32::MAX)))
        }
        (SOL_SOCKET, RCVBUF) => {
            Ok(Value::Int(host.recv_buffer_size()?.try_into().unwrap_or(i32::MAX)))
        }
        (SOL_SOCKET, KEEPALIVE) => flag(host.keepalive()),
        (SOL_SOCKET, OOBINLINE) => flag(host.out_of_band_inline()),
        (SOL_SOCKET, LINGER) => Ok(match socket.linger.or(host.linger()?) {
            None => Value::Linger(0, 0),
            Some(time) => Value::Linger(1, time.as_secs().try_into().unwrap_or(i32::MAX)),
        }),
        (SOL_SOCKET, RCVTIMEO) => Ok(Value::Time(socket.recv_timeout)),
        (SOL_SOCKET, SNDTIMEO) => Ok(Value::Time(socket.send_timeout)),
        (SOL_SOCKET, ACCEPTCONN) => flag(is_listener(&host)),
        (SOL_SOCKET, _) => Err(Errno::NOPROTOOPT),
        _ => Err(Errno::INVAL),
    }
}

fn write(
    socket: &mut Socket,
    memory: &GuestMemory<'_>,
    level: i32,
    name: i32,
    at: u32,
    len: u32,
) -> Result<(), Errno> {
    let bytes = memory.bytes(at, len)?;
    let int = || bytes.first_chunk().map(|b| i32::from_le_bytes(*b)).ok_or(Errno::INVAL);
    let flag = || int().map(|i| i != 0);
    let size = || int().and_then(|i| usize::try_from(i).map_err(|_| Errno::INVAL));
    match (level, name) {
        (SOL_SOCKET, RCVTIMEO) => socket.recv_timeout = timeval(bytes)?,
        (SOL_SOCKET, SNDTIMEO) => socket.send_timeout = timeval(bytes)?,
        (IPPROTO_TCP, TCP_NODELAY) if socket.kind == Kind::Stream => {
            socket.host()?.set_tcp_nodelay(flag()?)?;
        }
        (SOL_SOCKET, REUSEADDR) => socket.host()?.set_reuse_address(flag()?)?,
        (SOL_SOCKET, BROADCAST) => socket.host()?.set_broadcast(flag()?)?,
        (SOL_SOCKET, SNDBUF) => socket.host()?.set_send_buffer_size(size()?)?,
        (SOL_SOCKET, RCVBUF) => socket.host()?.set_recv_buffer_size(size()?)?,
        (SOL_SOCKET, KEEPALIVE) => socket.host()?.set_keepalive(flag()?)?,
        (SOL_SOCKET, OOBINLINE) => socket.host()?.set_out_of_band_inline(flag()?)?,
        (SOL_SOCKET, LINGER) => {
            let seconds = bytes.get(4..8).and_then(|b| b.first_chunk()).ok_or(Errno::INVAL)?;
            let seconds = u64::try_from(i32::from_le_bytes(*seconds)).map_err(|_| Errno::INVAL)?;
            socket.set_linger(flag()?.then(|| Duration::from_secs(seconds)))?;
        }
        (SOL_SOCKET, _) => return Err(Errno::NOPROTOOPT),
        _ => return Err(Errno::INVAL),
    }
    Ok(())
}

/// Zero means no timeout.
fn timeval(bytes: &[u8]) -> Result<Option<Duration>, Errno> {
    let field = |at: usize| {
        let bytes = bytes.get(at..at + 8).and_then(|b| b.first_chunk()).ok_or(Errno::INVAL)?;
        u64::try_from(i64::from_le_bytes(*bytes)).map_err(|_| Errno::INVAL)
    };
    let (seconds, micros) = (field(0)?, field(8)?);
    if micros >= 1_000_000 {
        return Err(Errno::INVAL);
    }
    let time = Duration::new(seconds, micros as u32 * 1000);
    Ok((!time.is_zero()).then_some(time))
}

impl Value {
    fn encode(&self, out: &mut [u8; 16]) -> usize {
        match self {
            Value::Int(value) => {
                out[..4].copy_from_slice(&value.to_le_bytes());
                4
            }
            Value::Linger(on, seconds) => {
                out[..4].copy_from_slice(&on.to_le_bytes());
                out[4..8].copy_from_slice(&seconds.to_le_bytes());
                8
            }
            Value::Time(time) => {
                let time = time.unwrap_or_default();
                out[..8].copy_from_slice(&time.as_secs().to_le_bytes());
                out[8..].copy_from_slice(&u64::from(time.subsec_micros()).to_le_bytes());
                16
            }
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn is_listener(host: &socket2::Socket) -> io::Result<bool> {
    host.is_listener()
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn is_listener(_host: &socket2::Socket) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}
