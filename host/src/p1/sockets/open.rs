//! `sock_open`, `sock_bind`, `sock_listen`, `sock_accept`, `sock_shutdown`, and the addresses of both ends.

use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};

use socket2::{Domain, SockAddr};
use tokio::io::Interest;

use crate::p1::errno::Errno;
use crate::p1::memory::GuestMemory;
use crate::p1::sockets::address;
use crate::p1::sockets::socket::{Kind, Socket};
use crate::p1::state::{Cx, NONBLOCK, parts, state};
use crate::policy::Grants;

const SHUTDOWN_READ: i32 = 1;
const SHUTDOWN_WRITE: i32 = 2;

pub(crate) fn open(cx: &mut Cx<'_>, family: i32, kind: i32, out: i32) -> Result<(), Errno> {
    let (mut memory, state) = parts(cx)?;
    memory.range(out as u32, 4, 4)?;
    let domain = address::domain(family)?;
    let kind = match kind {
        1 => Kind::Datagram,
        2 => Kind::Stream,
        _ => return Err(Errno::INVAL),
    };
    if state.grants.is_none() {
        let fd = state.sockets.insert_refused(domain, kind)?;
        return memory.write_u32(out as u32, fd);
    }
    let permit = state.sockets.permit()?;
    let mut socket = Socket::open(domain, kind)?;
    socket.permit = Some(permit);
    if kind == Kind::Datagram {
        // Sending binds the socket.
        let ip = if domain == Domain::IPV4 {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        hear_granted(&mut socket, &state.grants, SocketAddr::new(ip, 0));
    }
    let fd = state.sockets.insert(socket)?;
    memory.write_u32(out as u32, fd)
}

pub(crate) fn bind(cx: &mut Cx<'_>, fd: i32, addr: i32, port: i32) -> Result<(), Errno> {
    let (memory, state) = parts(cx)?;
    let addr = address::read(&memory, addr as u32, port)?;
    let socket = state.sockets.get_mut(fd)?;
    state.grants.bind(addr).map_err(|_| Errno::ACCES)?;
    socket.host()?.bind(&SockAddr::from(addr))?;
    socket.wanted_port = addr.port();
    if socket.kind == Kind::Datagram {
        hear_granted(socket, &state.grants, addr);
    }
    Ok(())
}

/// Restricts a socket bound to `addr` to datagrams from peers that the guest may send to, unless the guest may be a
/// server there.
fn hear_granted(socket: &mut Socket, grants: &Grants, addr: SocketAddr) {
    socket.senders = (!grants.serves(addr, addr.port())).then(|| grants.clone());
}

pub(crate) fn listen(cx: &mut Cx<'_>, fd: i32, backlog: i32) -> Result<(), Errno> {
    let state = state(cx);
    let socket = state.sockets.get_mut(fd)?;
    if socket.kind == Kind::Datagram {
        return Err(Errno::NOTSUP);
    }
    let bound = local_addr(socket)?;
    state.grants.listen(bound, socket.wanted_port).map_err(|_| Errno::ACCES)?;
    Ok(socket.listen(backlog)?)
}

pub(crate) async fn accept(cx: &mut Cx<'_>, fd: i32, out: i32) -> Result<(), Errno> {
    accept_with_flags(cx, fd, 0, out).await
}

pub(crate) async fn accept_with_flags(
    cx: &mut Cx<'_>,
    fd: i32,
    flags: i32,
    out: i32,
) -> Result<(), Errno> {
    let (memory, state) = parts(cx)?;
    memory.range(out as u32, 4, 4)?;
    if flags & !0x1f != 0 {
        return Err(Errno::INVAL);
    }
    if state.sockets.get(fd)?.kind == Kind::Datagram {
        return Err(Errno::NOTSUP);
    }
    let mut accepted = loop {
        let permit = state.sockets.permit()?;
        let listener = state.sockets.get_mut(fd)?;
        match listener.accept() {
            Ok(mut socket) => {
                socket.permit = Some(permit);
                break socket;
            }
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                if listener.nonblocking {
                    return Err(Errno::AGAIN);
                }
                drop(permit);
                listener.wait(Interest::READABLE, listener.recv_timeout).await?;
            }
            Err(e) => return Err(e.into()),
        }
    };
    accepted.nonblocking = flags & i32::from(NONBLOCK) != 0;
    let (mut memory, state) = parts(cx)?;
    let fd = state.sockets.insert(accepted)?;
    memory.write_u32(out as u32, fd)
}

pub(crate) fn shutdown(cx: &mut Cx<'_>, fd: i32, how: i32) -> Result<(), Errno> {
    let how = match how {
        SHUTDOWN_READ => Shutdown::Read,
        SHUTDOWN_WRITE => Shutdown::Write,
        3 => Shutdown::Both,
        _ => return Err(Errno::INVAL),
    };
    Ok(state(cx).sockets.get(fd)?.host()?.shutdown(how)?)
}

pub(crate) fn local_addr_v1(
    cx: &mut Cx<'_>,
    fd: i32,
    addr: i32,
    ty: i32,
    port: i32,
) -> Result<(), Errno> {
    let (memory, state) = parts(cx)?;
    name_v1(memory, addr as u32, ty as u32, port as u32, || local_addr(state.sockets.get(fd)?))
}

pub(crate) fn peer_addr_v1(
    cx: &mut Cx<'_>,
    fd: i32,
    addr: i32,
    ty: i32,
    port: i32,
) -> Result<(), Errno> {
    let (memory, state) = parts(cx)?;
    name_v1(memory, addr as u32, ty as u32, port as u32, || peer_addr(state.sockets.get(fd)?))
}

pub(crate) fn local_addr_v2(cx: &mut Cx<'_>, fd: i32, addr: i32, port: i32) -> Result<(), Errno> {
    let (memory, state) = parts(cx)?;
    name_v2(memory, addr as u32, port as u32, || local_addr(state.sockets.get(fd)?))
}

pub(crate) fn peer_addr_v2(cx: &mut Cx<'_>, fd: i32, addr: i32, port: i32) -> Result<(), Errno> {
    let (memory, state) = parts(cx)?;
    name_v2(memory, addr as u32, port as u32, || peer_addr(state.sockets.get(fd)?))
}

fn local_addr(socket: &Socket) -> Result<SocketAddr, Errno> {
    socket.host()?.local_addr()?.as_socket().ok_or(Errno::AFNOSUPPORT)
}

fn peer_addr(socket: &Socket) -> Result<SocketAddr, Errno> {
    socket.host()?.peer_addr()?.as_socket().ok_or(Errno::NOTCONN)
}

/// The first version writes 4 or 6 for the family, unlike the rest of the interface.
fn name_v1(
    mut memory: GuestMemory<'_>,
    addr: u32,
    ty: u32,
    port: u32,
    name: impl FnOnce() -> Result<SocketAddr, Errno>,
) -> Result<(), Errno> {
    let target = address::target(&memory, addr)?;
    memory.range(ty, 4, 4)?;
    memory.range(port, 4, 4)?;
    if address::is_storage(target) {
        return Err(Errno::INVAL);
    }
    let name = name()?;
    address::write(&mut memory, target, name.ip())?;
    memory.write_u32(ty, if name.is_ipv4() { 4 } else { 6 })?;
    memory.write_u32(port, u32::from(name.port()))
}

fn name_v2(
    mut memory: GuestMemory<'_>,
    addr: u32,
    port: u32,
    name: impl FnOnce() -> Result<SocketAddr, Errno>,
) -> Result<(), Errno> {
    let target = address::target(&memory, addr)?;
    memory.range(port, 4, 4)?;
    if !address::is_storage(target) {
        return Err(Errno::INVAL);
    }
    let name = name()?;
    address::write(&mut memory, target, name.ip())?;
    memory.write_u32(port, u32::from(name.port()))
}
