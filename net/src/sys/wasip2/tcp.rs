//! TCP over `wasi:sockets`.
//!
//! The host buffers: it accepts a write as a whole, up to the number of bytes that `check-write` permits, and sends it
//! in the background. Dropping a stream waits for that, and would hold up every task of the guest. So a socket with
//! writes under way is kept until they are done.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wasio_runtime::io::forget;
use wasio_runtime::once::Once;
use wasio_runtime::reactor::wasip2_io::{
    InputStream, OutputStream, Pollable, StreamError, wait_for,
};
use wasio_runtime::reactor::{Direction, Subscribe};
use wasip2::sockets::network::{ErrorCode, IpAddressFamily};
use wasip2::sockets::tcp::ShutdownType;

use super::ahead::{self, Ahead};
use super::convert::{error, failed, unconnected, unspecified};
use super::host::{StartedOp, TcpSocket};
use super::libc::{Handles, Kind};
use super::socket::unsupported;
use super::table::Number;
use super::wasi::MAX_DEAD_PEERS;
use crate::sys::{Family, Opt};

/// The maximum number of bytes to which several buffers are joined for one call.
const MAX_JOINED: usize = 64 * 1024;
pub(super) struct Tcp {
    // Children are declared before their parents, because fields are dropped in this order.
    streams: Once<Streams>,
    /// Used while connecting, and for listening.
    pollable: Once<Pollable>,
    socket: TcpSocket,
    number: Number,
    /// The last value set for `TCP_NODELAY`: the interface has no such option.
    nodelay: AtomicBool,
}

pub(super) struct Streams {
    readable: Once<Pollable>,
    writable: Once<Pollable>,
    input: InputStream,
    output: OutputStream,
    pub(super) ahead: Ahead,
    /// Whether bytes that were read ahead are kept. The field is here because there is room for it.
    pub(super) is_ahead: AtomicBool,
    has_written: AtomicBool,
}

impl Streams {
    fn new(input: InputStream, output: OutputStream) -> Streams {
        Streams {
            readable: Once::new(),
            writable: Once::new(),
            input,
            output,
            ahead: Ahead::default(),
            is_ahead: AtomicBool::new(false),
            has_written: AtomicBool::new(false),
        }
    }

    /// Reads. An empty result is the end.
    pub(super) fn read(&self, len: usize) -> io::Result<Vec<u8>> {
        match self.input.read(len as u64) {
            Ok(bytes) if bytes.is_empty() && len > 0 => Err(io::ErrorKind::WouldBlock.into()),
            Ok(bytes) => Ok(bytes),
            Err(StreamError::Closed) => Ok(Vec::new()),
            Err(failure) => Err(failed(failure, io::ErrorKind::ConnectionReset)),
        }
    }

    /// Returns the number of bytes that may be written now.
    fn permit(&self) -> io::Result<usize> {
        match self.output.check_write() {
            Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
            Ok(n) => Ok(n as usize),
            Err(failure) => Err(failed(failure, io::ErrorKind::BrokenPipe)),
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.has_written.store(true, Ordering::Relaxed);
        let written = self.output.write(bytes);
        written.map_err(|failure| failed(failure, io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    /// Returns whether dropping the stream would wait.
    fn is_writing(&self) -> bool {
        if !self.has_written.load(Ordering::Relaxed) {
            return false;
        }
        let is_writing = matches!(self.output.check_write(), Ok(0));
        // The socket is asked once more after its source is gone.
        self.has_written.store(is_writing, Ordering::Relaxed);
        is_writing
    }
}

/// Copies as many bytes as fit.
pub(super) fn fill(buf: &mut [MaybeUninit<u8>], bytes: &[u8]) -> usize {
    for (to, from) in buf.iter_mut().zip(bytes) {
        to.write(*from);
    }
    buf.len().min(bytes.len())
}

#[allow(unsafe_code)] // Handles of others.
impl Tcp {
    pub(super) fn open(family: Family) -> io::Result<Tcp> {
        let socket = TcpSocket::create(family).map_err(error)?;
        Ok(Tcp::new(Once::new(), socket))
    }

    fn new(streams: Once<Streams>, socket: TcpSocket) -> Tcp {
        let (number, nodelay) = (Number::default(), AtomicBool::new(false));
        Tcp { streams, pollable: Once::new(), socket, number, nodelay }
    }

    /// Creates a socket from these handles.
    ///
    /// # Safety
    ///
    /// The handles belong to a socket and its streams, and nothing else owns them.
    pub(super) unsafe fn from_handles(handles: Handles) -> Tcp {
        // SAFETY: promised by the caller.
        unsafe {
            let streams = handles.streams.map(|(input, output)| {
                let input = InputStream::from_handle(input);
                let streams = Streams::new(input, OutputStream::from_handle(output));
                // The previous owner may have written.
                streams.has_written.store(true, Ordering::Relaxed);
                streams
            });
            let streams = streams.map_or_else(Once::new, Once::from);
            let mut tcp = Tcp::new(streams, TcpSocket::from_handle(handles.socket));
            tcp.nodelay = AtomicBool::new(handles.nodelay);
            tcp
        }
    }

    /// Returns the handles, which the caller then owns. Bytes that were read ahead are lost.
    pub(super) fn into_handles(self) -> Handles {
        let Tcp { streams, pollable, socket, number, nodelay } = self;
        drop((pollable, number));
        let streams = streams.into_inner().map(|streams| {
            let Streams { readable, writable, input, output, .. } = streams;
            drop((readable, writable));
            (input.into_handle(), output.into_handle())
        });
        Handles { socket: socket.into_handle(), streams, nodelay: nodelay.into_inner() }
    }

    /// Returns whether bytes that were read ahead are kept here.
    pub(super) fn is_ahead(&self) -> bool {
        self.streams.get().is_some_and(|streams| streams.is_ahead.load(Ordering::Relaxed))
    }

    /// Returns the properties of the socket, for its next owner.
    pub(super) fn kind(&self) -> Kind {
        let socket = self.socket.published();
        Kind {
            is_v6: socket.address_family() == IpAddressFamily::Ipv6,
            is_bound: self.socket.local_address().is_ok(),
            is_listening: socket.is_listening(),
        }
    }

    fn own_pollable(&self) -> &Pollable {
        self.pollable.get_or_init(|| self.socket.subscribe())
    }

    /// Waits for the end of an operation that hosts complete at once.
    fn complete(&self, what: StartedOp) -> io::Result<()> {
        loop {
            match self.socket.finish(what) {
                Err(ErrorCode::WouldBlock) => wait_for(self.own_pollable().handle()),
                result => return result.map_err(error),
            }
        }
    }

    fn streams(&self) -> io::Result<&Streams> {
        self.streams.get().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Subscribe for Tcp {
    fn pollable(&self, direction: Direction) -> Option<u32> {
        let streams = self.streams.get();
        let place = match (streams, direction) {
            (None, _) => &self.pollable,
            (Some(streams), Direction::Write) => &streams.writable,
            // Bytes that were read ahead can be read.
            (Some(streams), _) if streams.is_ahead.load(Ordering::Relaxed) => return None,
            (Some(streams), _) => &streams.readable,
        };
        // Created in one place, so that the code exists once.
        let pollable = place.get_or_init(|| match (streams, direction) {
            (None, _) => self.socket.subscribe(),
            (Some(streams), Direction::Write) => streams.output.subscribe(),
            (Some(streams), Direction::Read) => streams.input.subscribe(),
        });
        Some(pollable.handle())
    }

    fn close(&self) -> bool {
        if !self.streams.get().is_some_and(Streams::is_writing) {
            return false;
        }
        // The peer sees the end after the last byte.
        let _ = self.shutdown(Shutdown::Write).map_err(forget);
        true
    }
}

impl Tcp {
    pub(super) fn number(&self) -> &Number {
        &self.number
    }

    pub(super) fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket.start_bind(addr).map_err(error)?;
        self.complete(StartedOp::Bind)
    }

    /// Binds the socket to any address if it has none. On other targets listening implies that.
    pub(super) fn ensure_bound(&self) -> io::Result<()> {
        if let Err(ErrorCode::InvalidState) = self.socket.local_address() {
            self.bind(unspecified(self.socket.published().address_family()))?;
        }
        Ok(())
    }

    pub(super) fn listen(&self, backlog: u32) -> io::Result<()> {
        match self.socket.set_listen_backlog_size(backlog.max(1).into()) {
            Err(ErrorCode::NotSupported) => {}
            result => result.map_err(error)?,
        }
        self.socket.start_listen().map_err(error)?;
        self.complete(StartedOp::Listen)
    }

    pub(super) fn accept(&self) -> io::Result<(Tcp, SocketAddr)> {
        for _ in 0..MAX_DEAD_PEERS {
            let (socket, input, output) = self.socket.accept().map_err(error)?;
            let tcp = Tcp::new(Once::from(Streams::new(input, output)), socket);
            // If it has no address, the peer is gone.
            if let Ok(addr) = tcp.socket.remote_address() {
                return Ok((tcp, addr));
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    pub(super) fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket.start_connect(addr).map_err(error)
    }

    pub(super) fn connected(&self) -> io::Result<()> {
        let (input, output) = self.socket.finish_connect().map_err(error)?;
        self.streams.set(Streams::new(input, output));
        Ok(())
    }

    pub(super) fn is_read_closed(&self) -> bool {
        self.streams.get().is_some_and(ahead::is_closed)
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let how = match how {
            Shutdown::Read => ShutdownType::Receive,
            Shutdown::Write => ShutdownType::Send,
            Shutdown::Both => ShutdownType::Both,
        };
        self.socket.shutdown(how).map_err(unconnected)
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.socket.local_address() {
            Ok(addr) => Ok(addr),
            Err(ErrorCode::InvalidState) => {
                Ok(unspecified(self.socket.published().address_family()))
            }
            Err(code) => Err(error(code)),
        }
    }

    pub(super) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.remote_address().map_err(unconnected)
    }

    #[inline]
    pub(super) fn recv(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<usize> {
        let streams = self.streams()?;
        if peek {
            return ahead::peek(streams, buf);
        }
        if let Some(read) = streams.ahead.reader() {
            return read(streams, buf);
        }
        let bytes = streams.read(buf.len())?;
        Ok(fill(buf, &bytes))
    }

    #[inline]
    pub(super) fn send(&self, buf: &[u8]) -> io::Result<usize> {
        let streams = self.streams()?;
        let permit = streams.permit()?;
        streams.write(&buf[..buf.len().min(permit)])
    }

    pub(super) fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut full = bufs.iter().filter(|buf| !buf.is_empty());
        match (full.next(), full.next()) {
            (None, _) => self.send(&[]),
            (Some(only), None) => self.send(only),
            (Some(first), _) if first.len() >= MAX_JOINED => self.send(first),
            _ => {
                let streams = self.streams()?;
                let permit = streams.permit()?.min(MAX_JOINED);
                let mut joined = Vec::with_capacity(permit.min(bufs.iter().map(|b| b.len()).sum()));
                for buf in bufs {
                    let n = buf.len().min(permit - joined.len());
                    joined.extend_from_slice(&buf[..n]);
                }
                streams.write(&joined)
            }
        }
    }

    #[inline]
    pub(super) fn option(&self, opt: Opt) -> io::Result<u32> {
        let socket = self.socket.published();
        let value = match opt {
            Opt::Keepalive => socket.keep_alive_enabled().map(u32::from),
            Opt::RecvBuffer => socket.receive_buffer_size().map(saturate),
            Opt::SendBuffer => socket.send_buffer_size().map(saturate),
            Opt::Ttl => socket.hop_limit().map(u32::from),
            Opt::ReuseAddr => Ok(1),
            Opt::NoDelay => Ok(self.nodelay.load(Ordering::Relaxed).into()),
            _ => return unsupported(),
        };
        value.map_err(error)
    }

    pub(super) fn set_nodelay(&self, on: bool) {
        self.nodelay.store(on, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn set_option(&self, opt: Opt, value: u32) -> io::Result<()> {
        let socket = self.socket.published();
        let result = match opt {
            Opt::Keepalive => socket.set_keep_alive_enabled(value != 0),
            Opt::RecvBuffer => socket.set_receive_buffer_size(value.max(1).into()),
            Opt::SendBuffer => socket.set_send_buffer_size(value.max(1).into()),
            Opt::Ttl => match u8::try_from(value) {
                Ok(ttl) => socket.set_hop_limit(ttl),
                Err(_) => Err(ErrorCode::InvalidArgument),
            },
            Opt::ReuseAddr if value != 0 => Ok(()),
            _ => return unsupported(),
        };
        result.map_err(error)
    }

    pub(super) fn set_keepalive_times(
        &self,
        time: Option<Duration>,
        interval: Option<Duration>,
        retries: Option<u32>,
    ) -> io::Result<()> {
        let nanos = |t: Duration| u64::try_from(t.as_nanos()).unwrap_or(u64::MAX);
        let socket = self.socket.published();
        if let Some(time) = time {
            socket.set_keep_alive_idle_time(nanos(time)).map_err(error)?;
        }
        if let Some(interval) = interval {
            socket.set_keep_alive_interval(nanos(interval)).map_err(error)?;
        }
        if let Some(retries) = retries {
            socket.set_keep_alive_count(retries).map_err(error)?;
        }
        Ok(())
    }

    /// Returns the idle time before the first probe, the time between two, and how many may stay unanswered.
    pub(super) fn keepalive_times(&self) -> io::Result<(Duration, Duration, u32)> {
        let socket = self.socket.published();
        let time = socket.keep_alive_idle_time().map_err(error)?;
        let interval = socket.keep_alive_interval().map_err(error)?;
        let retries = socket.keep_alive_count().map_err(error)?;
        Ok((Duration::from_nanos(time), Duration::from_nanos(interval), retries))
    }

    pub(super) fn is_listening(&self) -> bool {
        self.socket.published().is_listening()
    }

    /// Waits until a connection under way is established or has failed, or for `timeout`.
    pub(super) fn wait_connected(&self, timeout: Duration) -> io::Result<()> {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let end = wasip2::clocks::monotonic_clock::subscribe_duration(nanos);
        loop {
            match self.connected() {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            let changed = self.socket.published().subscribe();
            wasip2::io::poll::poll(&[&changed, &end]);
            if end.ready() && !changed.ready() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }

    /// Calls `then` while the socket appears to have no writes under way.
    pub(super) fn without_writes(&self, then: impl FnOnce()) {
        let has_written = self.streams.get().map(|streams| &streams.has_written);
        let before = has_written.map(|flag| flag.swap(false, Ordering::Relaxed));
        then();
        if let (Some(flag), Some(before)) = (has_written, before) {
            flag.store(before, Ordering::Relaxed);
        }
    }
}

pub(super) fn saturate(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
