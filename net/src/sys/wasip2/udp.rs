//! UDP over `wasi:sockets`.
//!
//! Messages go through two streams. The first use creates them, and `connect` replaces them.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasio_runtime::once::Once;
use wasio_runtime::reactor::{Direction, Subscribe};
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll::Pollable;
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::udp::{
    IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket,
};
use wasip2::sockets::udp_create_socket::create_udp_socket;

use super::convert::{error, from_host, to_host, unconnected, unspecified};
use super::host::network;
use super::libc::udp::Handles;
use super::socket::{Resource, unsupported};
use super::table::Number;
use super::tcp::{fill, saturate};
use crate::sys::{Family, Opt};

pub(super) struct Udp {
    // Children are declared before their parents, because fields are dropped in this order.
    streams: Mutex<Option<Streams>>,
    socket: UdpSocket,
    number: Number,
    /// The C library owns the socket, too, and would not see a message that was peeked at.
    is_lent: bool,
}

struct Streams {
    readable: Once<Pollable>,
    writable: Once<Pollable>,
    incoming: IncomingDatagramStream,
    outgoing: OutgoingDatagramStream,
    /// A message that was received for a peek. The next receive returns it first.
    peeked: Option<(Vec<u8>, SocketAddr)>,
}

impl Streams {
    fn new(incoming: IncomingDatagramStream, outgoing: OutgoingDatagramStream) -> Streams {
        let (readable, writable) = (Once::new(), Once::new());
        Streams { readable, writable, incoming, outgoing, peeked: None }
    }
}

impl Udp {
    pub(super) fn open(family: Family) -> io::Result<Udp> {
        let socket = create_udp_socket(family.into()).map_err(error)?;
        Ok(Udp { streams: Mutex::default(), socket, number: Number::default(), is_lent: false })
    }

    /// # Safety
    ///
    /// The handles belong to a socket and its streams, and nothing else owns them, unless `is_lent`. Then the C library
    /// owns them, too, and gets them back through [`into_handles`](Self::into_handles).
    #[allow(unsafe_code)]
    pub(super) unsafe fn from_handles(handles: Handles, is_lent: bool) -> Udp {
        // SAFETY: promised by the caller.
        let (streams, socket) = unsafe {
            let streams = handles.streams.map(|(incoming, outgoing)| {
                Streams::new(
                    IncomingDatagramStream::from_handle(incoming),
                    OutgoingDatagramStream::from_handle(outgoing),
                )
            });
            (streams, UdpSocket::from_handle(handles.socket))
        };
        Udp { streams: Mutex::new(streams), socket, number: Number::default(), is_lent }
    }

    /// Returns the handles, which the caller then owns. A message that was peeked at is lost.
    pub(super) fn into_handles(self) -> Handles {
        let streams = self.streams.into_inner().unwrap_or_else(PoisonError::into_inner);
        let streams = streams.map(|Streams { readable, writable, incoming, outgoing, .. }| {
            drop((readable, writable));
            (incoming.take_handle(), outgoing.take_handle())
        });
        Handles { socket: self.socket.take_handle(), streams }
    }

    /// Returns whether a message that was peeked at is kept here.
    pub(super) fn is_ahead(&self) -> bool {
        self.lock().as_ref().is_some_and(|streams| streams.peeked.is_some())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Streams>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stream(&self, remote: Option<SocketAddr>) -> io::Result<Streams> {
        let (incoming, outgoing) = self.socket.stream(remote.map(to_host)).map_err(error)?;
        Ok(Streams::new(incoming, outgoing))
    }

    fn with<R>(&self, op: impl FnOnce(&mut Streams) -> io::Result<R>) -> io::Result<R> {
        let mut streams = self.lock();
        match &mut *streams {
            Some(streams) => op(streams),
            none => op(none.insert(self.stream(None)?)),
        }
    }

    fn receive(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<(usize, SocketAddr)> {
        if peek && self.is_lent {
            return unsupported();
        }
        self.with(|streams| {
            let (bytes, from) = match streams.peeked.take() {
                Some(message) => message,
                None => match streams.incoming.receive(1).map_err(error)?.pop() {
                    Some(message) => (message.data, from_host(message.remote_address)),
                    None => return Err(io::ErrorKind::WouldBlock.into()),
                },
            };
            let n = fill(buf, &bytes);
            if peek {
                streams.peeked = Some((bytes, from));
            }
            Ok((n, from))
        })
    }

    fn transmit(&self, buf: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        self.with(|streams| {
            if streams.outgoing.check_send().map_err(error)? == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let message = OutgoingDatagram { data: buf.to_vec(), remote_address: to.map(to_host) };
            match streams.outgoing.send(&[message]) {
                Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
                Ok(_) => Ok(buf.len()),
                // Without a destination of its own, a message can only be sent through a connected socket.
                Err(ErrorCode::InvalidArgument | ErrorCode::InvalidState) if to.is_none() => {
                    Err(io::ErrorKind::NotConnected.into())
                }
                Err(code) => Err(error(code)),
            }
        })
    }
}

impl Subscribe for Udp {
    fn pollable(&self, direction: Direction) -> Option<u32> {
        let handle = self.with(|streams| {
            let pollable = match direction {
                // A message that was peeked at can be received.
                Direction::Read if streams.peeked.is_some() => return Ok(None),
                Direction::Read => streams.readable.get_or_init(|| streams.incoming.subscribe()),
                Direction::Write => streams.writable.get_or_init(|| streams.outgoing.subscribe()),
            };
            Ok(Some(pollable.handle()))
        });
        // Without streams, the attempt returns the error.
        handle.unwrap_or(None)
    }
}

impl Resource for Udp {
    fn number(&self) -> &Number {
        &self.number
    }

    fn udp(&self) -> Option<&Udp> {
        Some(self)
    }

    fn into_udp(self: Box<Self>) -> Option<Udp> {
        Some(*self)
    }

    fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket.start_bind(network(), to_host(addr)).map_err(error)?;
        loop {
            match self.socket.finish_bind() {
                Err(ErrorCode::WouldBlock) => self.socket.subscribe().block(),
                result => return result.map_err(error),
            }
        }
    }

    /// The caller makes sure that the reactor does not use the pollables meanwhile.
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        let mut streams = self.lock();
        if streams.take().is_some() {
            // A host may be receiving in the background, and needs a moment to stop.
            subscribe_duration(1_000_000).block();
        }
        *streams = Some(self.stream(Some(addr))?);
        Ok(())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.socket.local_address() {
            Ok(addr) => Ok(from_host(addr)),
            Err(ErrorCode::InvalidState) => Ok(unspecified(self.socket.address_family())),
            Err(code) => Err(error(code)),
        }
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.remote_address().map(from_host).map_err(unconnected)
    }

    fn recv(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<usize> {
        self.receive(buf, peek).map(|(n, _)| n)
    }

    fn recv_from(
        &self,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
    ) -> io::Result<(usize, SocketAddr)> {
        self.receive(buf, peek)
    }

    fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.transmit(buf, None)
    }

    fn send_to(&self, buf: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.transmit(buf, Some(to))
    }

    fn option(&self, opt: Opt) -> io::Result<u32> {
        let value = match opt {
            Opt::RecvBuffer => self.socket.receive_buffer_size().map(saturate),
            Opt::SendBuffer => self.socket.send_buffer_size().map(saturate),
            Opt::Ttl => self.socket.unicast_hop_limit().map(u32::from),
            Opt::ReuseAddr => Ok(1),
            _ => return unsupported(),
        };
        value.map_err(error)
    }

    fn set_option(&self, opt: Opt, value: u32) -> io::Result<()> {
        let result = match opt {
            Opt::RecvBuffer => self.socket.set_receive_buffer_size(value.max(1).into()),
            Opt::SendBuffer => self.socket.set_send_buffer_size(value.max(1).into()),
            Opt::Ttl => match u8::try_from(value) {
                Ok(ttl) => self.socket.set_unicast_hop_limit(ttl),
                Err(_) => Err(ErrorCode::InvalidArgument),
            },
            // The same as for TCP.
            Opt::ReuseAddr if value != 0 => Ok(()),
            _ => return unsupported(),
        };
        result.map_err(error)
    }
}
