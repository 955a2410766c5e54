//! `sock_connect`.
//!
//! On a non-blocking socket it returns `INPROGRESS`. The socket becomes writable when the outcome is known, and
//! `SO_ERROR` reports it once.

use socket2::SockAddr;
use tokio::io::Interest;

use crate::p1::errno::Errno;
use crate::p1::sockets::address;
use crate::p1::state::{Cx, parts, state};

pub(crate) async fn connect(cx: &mut Cx<'_>, fd: i32, addr: i32, port: i32) -> Result<(), Errno> {
    let (memory, state_) = parts(cx)?;
    let addr = address::read(&memory, addr as u32, port)?;
    let socket = state_.sockets.get_mut(fd)?;
    state_.grants.connect(addr).map_err(|_| Errno::ACCES)?;
    if socket.start_connect(&SockAddr::from(addr))? {
        return Ok(());
    }
    if socket.nonblocking {
        return Err(Errno::INPROGRESS);
    }
    let socket = state(cx).sockets.get_mut(fd)?;
    match socket.wait(Interest::WRITABLE, socket.send_timeout).await {
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return Err(Errno::INPROGRESS),
        Err(e) => return Err(e.into()),
    }
    match socket.host()?.take_error()? {
        None => Ok(()),
        Some(e) => Err(e.into()),
    }
}
