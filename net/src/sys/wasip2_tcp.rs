//! TCP over `wasi:sockets`.
//!
//! The host buffers: a write is taken whole, up to what `check-write` permits, and goes on in the
//! background. Dropping a stream waits for that, and would hold up every task of the guest; so a socket
//! with writes under way is kept until they are done.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use wasio_runtime::io::forget;
use wasio_runtime::once::Once;
use wasio_runtime::reactor::{Direction, Source, Subscribe, wait_for};
use wasio_runtime::task::coop::unconstrained;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::tcp::{ShutdownType, TcpSocket};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

use super::wasip2::{network, unsupported};
use super::wasip2_ahead::{self, Ahead};
use super::wasip2_convert::{error, failed, from_host, to_host, unconnected, unspecified};
use super::wasip2_table::Number;
use super::{Family, Opt};

/// How much several buffers are joined to at most, for one call.
const JOINED: usize = 64 * 1024;
/// How long the end of a runtime waits for writes under way.
const LAST_WRITES: Duration = Duration::from_secs(1);
/// How often it looks meanwhile.
const STEP: Duration = Duration::from_millis(5);

pub(super) struct Tcp {
    // Children before their parents: fields are dropped in this order.
    streams: Once<Streams>,
    /// While connecting, and for listening.
    pollable: Once<Pollable>,
    socket: TcpSocket,
    number: Number,
}

pub(super) struct Streams {
    readable: Once<Pollable>,
    writable: Once<Pollable>,
    input: InputStream,
    output: OutputStream,
    pub(super) ahead: Ahead,
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
            has_written: AtomicBool::new(false),
        }
    }

    fn writable(&self) -> &Pollable {
        self.writable.get_or_init(|| self.output.subscribe())
    }

    /// Reads; an empty answer is the end.
    pub(super) fn read(&self, len: usize) -> io::Result<Vec<u8>> {
        match self.input.read(len as u64) {
            Ok(bytes) if bytes.is_empty() && len > 0 => Err(io::ErrorKind::WouldBlock.into()),
            Ok(bytes) => Ok(bytes),
            Err(StreamError::Closed) => Ok(Vec::new()),
            Err(failure) => Err(failed(failure, io::ErrorKind::ConnectionReset)),
        }
    }

    /// How much may be written now.
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

    /// Whether dropping the stream would wait.
    #[inline(never)] // Asked when sockets are closed, in three places.
    fn is_writing(&self) -> bool {
        self.has_written.load(Ordering::Relaxed) && matches!(self.output.check_write(), Ok(0))
    }
}

/// Copies as much as fits.
pub(super) fn fill(buf: &mut [MaybeUninit<u8>], bytes: &[u8]) -> usize {
    for (to, from) in buf.iter_mut().zip(bytes) {
        to.write(*from);
    }
    buf.len().min(bytes.len())
}

impl Tcp {
    pub(super) fn open(family: Family) -> io::Result<Tcp> {
        let socket = create_tcp_socket(family.into()).map_err(error)?;
        Ok(Tcp::new(Once::new(), socket))
    }

    fn new(streams: Once<Streams>, socket: TcpSocket) -> Tcp {
        Tcp { streams, pollable: Once::new(), socket, number: Number::default() }
    }

    fn own_pollable(&self) -> &Pollable {
        self.pollable.get_or_init(|| self.socket.subscribe())
    }

    /// Waits for the end of something that hosts do at once.
    #[inline(never)]
    fn complete(&self, attempt: fn(&TcpSocket) -> Result<(), ErrorCode>) -> io::Result<()> {
        loop {
            match attempt(&self.socket) {
                Err(ErrorCode::WouldBlock) => wait_for(self.own_pollable()),
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
        let pollable = match (self.streams.get(), direction) {
            (None, _) => self.own_pollable(),
            (Some(streams), Direction::Write) => streams.writable(),
            // What was read ahead is there to be read.
            (Some(streams), _) if streams.ahead.is_kept() => return None,
            (Some(streams), _) => streams.readable.get_or_init(|| streams.input.subscribe()),
        };
        Some(pollable.handle())
    }
}

impl Tcp {
    pub(super) fn number(&self) -> &Number {
        &self.number
    }

    pub(super) fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket.start_bind(network(), to_host(addr)).map_err(error)?;
        self.complete(TcpSocket::finish_bind)
    }

    /// Binds the socket to any address if it has none, which elsewhere listening implies.
    pub(super) fn ensure_bound(&self) -> io::Result<()> {
        if let Err(ErrorCode::InvalidState) = self.socket.local_address() {
            self.bind(unspecified(self.socket.address_family()))?;
        }
        Ok(())
    }

    pub(super) fn listen(&self, backlog: u32) -> io::Result<()> {
        match self.socket.set_listen_backlog_size(backlog.max(1).into()) {
            Err(ErrorCode::NotSupported) => {}
            result => result.map_err(error)?,
        }
        self.socket.start_listen().map_err(error)?;
        self.complete(TcpSocket::finish_listen)
    }

    pub(super) fn accept(&self) -> io::Result<(Tcp, SocketAddr)> {
        loop {
            let (socket, input, output) = self.socket.accept().map_err(error)?;
            let tcp = Tcp::new(Once::from(Streams::new(input, output)), socket);
            // Without an address, the peer has gone.
            if let Ok(addr) = tcp.socket.remote_address() {
                return Ok((tcp, from_host(addr)));
            }
        }
    }

    pub(super) fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket.start_connect(network(), to_host(addr)).map_err(error)
    }

    pub(super) fn connected(&self) -> io::Result<()> {
        let (input, output) = self.socket.finish_connect().map_err(error)?;
        self.streams.set(Streams::new(input, output));
        Ok(())
    }

    pub(super) fn is_read_closed(&self) -> bool {
        self.streams.get().is_some_and(wasip2_ahead::is_closed)
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
            Ok(addr) => Ok(from_host(addr)),
            Err(ErrorCode::InvalidState) => Ok(unspecified(self.socket.address_family())),
            Err(code) => Err(error(code)),
        }
    }

    pub(super) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.remote_address().map(from_host).map_err(unconnected)
    }

    #[inline]
    pub(super) fn recv(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<usize> {
        let streams = self.streams()?;
        if peek {
            return wasip2_ahead::peek(streams, buf);
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
            (Some(first), _) if first.len() >= JOINED => self.send(first),
            _ => {
                let streams = self.streams()?;
                let permit = streams.permit()?.min(JOINED);
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
        let socket = &self.socket;
        let value = match opt {
            Opt::Keepalive => socket.keep_alive_enabled().map(u32::from),
            Opt::RecvBuffer => socket.receive_buffer_size().map(saturate),
            Opt::SendBuffer => socket.send_buffer_size().map(saturate),
            Opt::Ttl => socket.hop_limit().map(u32::from),
            Opt::ReuseAddr => Ok(1),
            _ => return unsupported(),
        };
        value.map_err(error)
    }

    #[inline]
    pub(super) fn set_option(&self, opt: Opt, value: u32) -> io::Result<()> {
        let socket = &self.socket;
        let result = match opt {
            Opt::Keepalive => socket.set_keep_alive_enabled(value != 0),
            Opt::RecvBuffer => socket.set_receive_buffer_size(value.max(1).into()),
            Opt::SendBuffer => socket.set_send_buffer_size(value.max(1).into()),
            Opt::Ttl => match u8::try_from(value) {
                Ok(ttl) => socket.set_hop_limit(ttl),
                Err(_) => Err(ErrorCode::InvalidArgument),
            },
            Opt::ReuseAddr if value != 0 => Ok(()),
            Opt::NoDelay => Ok(()),
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
        if let Some(time) = time {
            self.socket.set_keep_alive_idle_time(nanos(time)).map_err(error)?;
        }
        if let Some(interval) = interval {
            self.socket.set_keep_alive_interval(nanos(interval)).map_err(error)?;
        }
        if let Some(retries) = retries {
            self.socket.set_keep_alive_count(retries).map_err(error)?;
        }
        Ok(())
    }

    /// Keeps the socket until what was written is on its way, without holding anybody up.
    pub(super) fn finish(self: Arc<Self>) {
        if !self.streams.get().is_some_and(Streams::is_writing) {
            return;
        }
        // The peer sees the end after the last byte.
        ok(self.shutdown(Shutdown::Write));
        let source = if Source::is_available() { ok(Source::new(self.clone())) } else { None };
        Arc::new(Lingering { source, tcp: self }).watch();
    }
}

pub(super) fn saturate(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A socket with writes under way that nobody holds any more but its own waker: not a task, which would be
/// two kilobytes in every guest.
struct Lingering {
    /// `None` if no runtime could tell. Dropped before the socket.
    source: Option<Source>,
    tcp: Arc<Tcp>,
}

impl Lingering {
    /// Lets go of the socket, now or when it is written to the end.
    fn watch(self: Arc<Self>) {
        let Some(source) = &self.source else { return };
        let waker = Waker::from(self.clone());
        // Without a budget: this may run at the end of a task that has none left.
        let ready = unconstrained(poll_fn(|cx| source.poll_ready(cx, Direction::Write)));
        if let Poll::Ready(result) = pin!(ready).poll(&mut Context::from_waker(&waker)) {
            ok(result);
        }
    }
}

impl Wake for Lingering {
    fn wake(self: Arc<Self>) {
        self.watch();
    }
}

/// As `Result::ok`, with less code for the error.
fn ok<T>(result: io::Result<T>) -> Option<T> {
    result.map_err(forget).ok()
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(streams) = self.tcp.streams.get().filter(|streams| streams.is_writing()) else {
            return;
        };
        // The runtime ends. The host forgets what it has not sent when the guest ends: wait a little.
        for _ in 0..LAST_WRITES.as_millis() / STEP.as_millis() {
            wait_for(&subscribe_duration(STEP.as_nanos() as u64));
            if !streams.is_writing() {
                return;
            }
        }
        // Closing would wait for ever, as for a peer that does not read. The guest's end closes it, too.
        std::mem::forget(self.tcp.clone());
    }
}
