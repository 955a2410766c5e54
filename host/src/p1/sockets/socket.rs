//! One socket of a guest: the host's socket, its readiness, its modes.
//!
//! The host's socket never blocks. Whether the *guest* blocks on it is a flag here. Blocking means suspending the
//! guest's stack until tokio reports that the socket is ready.
//!
//! A stream socket is registered with tokio's reactor when it connects or listens, not when it is opened: an idle one
//! reports a hang-up, which tokio would remember for good.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Type};
use tokio::io::{Interest, Ready};
use tokio::net::TcpStream;
use tokio::task::yield_now;

use crate::p1::sockets::drain_predictor::DrainPredictor;
use crate::p1::sockets::ready_queue::SlotWaker;
use crate::p1::sockets::senders::{self, MORE_TO_DROP};
use crate::permits::Permit;
use crate::policy::Grants;

/// The kind of a socket's transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Datagram,
    Stream,
}

/// A socket as a guest sees it.
#[derive(Debug)]
pub(crate) struct Socket {
    io: Io,
    pub(crate) kind: Kind,
    pub(crate) domain: Domain,
    /// Whether the guest asked not to be suspended by this socket.
    pub(crate) nonblocking: bool,
    /// `SO_RCVTIMEO`, which the host's non-blocking socket cannot implement.
    pub(crate) recv_timeout: Option<Duration>,
    /// `SO_SNDTIMEO`, likewise.
    pub(crate) send_timeout: Option<Duration>,
    /// `SO_LINGER` with a time. It is not set on the host's socket, see [`set_linger`](Self::set_linger).
    pub(super) linger: Option<Duration>,
    /// The port that the guest asked to be bound to. 0 leaves the choice to the kernel.
    pub(crate) wanted_port: u16,
    /// The peers from which a datagram socket receives. `None` means any peer.
    pub(crate) senders: Option<Grants>,
    /// An error of receiving the next datagram that a poll has encountered.
    pub(super) pending_error: Option<io::Error>,
    /// The permit of the descriptor, unless the embedder opened it.
    pub(crate) permit: Option<Permit>,
    /// A wait for an error of a datagram socket, which is not part of tokio's readiness for reading.
    error_wait: Mutex<Option<ErrorWait>>,
    /// Predicts whether small reads drain the socket.
    pub(super) drain_predictor: DrainPredictor,
    /// The number of polls at the time that an attempt cleared tokio's readiness for reading. tokio learns of new data
    /// when its driver runs, which is when the guest polls. If the driver also runs on another thread between two
    /// polls, a poll is a false alarm.
    pub(super) unready: Option<u32>,
    /// The waker of the socket's slot, once the socket was armed. It queues the slot when the wakers in tokio's driver
    /// are lost.
    pub(super) slot_waker: Option<Arc<SlotWaker>>,
}

struct ErrorWait(Pin<Box<dyn Future<Output = bool> + Send>>);

impl std::fmt::Debug for ErrorWait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErrorWait")
    }
}

#[derive(Debug)]
enum Io {
    /// A stream that neither connects nor listens.
    Idle(socket2::Socket),
    /// Registered with the reactor.
    ///
    /// tokio's `TcpStream` is used for every kind of socket here, including listening and datagram sockets. It is the
    /// one type with the full set of readiness methods on every platform, and none of its TCP methods are called.
    Registered(Arc<TcpStream>),
    /// The guest has no grants, so there is no socket of the host.
    Refused(#[expect(dead_code, reason = "it is counted")] Arc<()>),
    /// Being registered, or lost when that failed.
    Lost,
}

impl Socket {
    pub(crate) fn open(domain: Domain, kind: Kind) -> io::Result<Socket> {
        let ty = match kind {
            Kind::Datagram => Type::DGRAM,
            Kind::Stream => Type::STREAM,
        };
        let socket = socket2::Socket::new(domain, ty, None)?;
        socket.set_nonblocking(true)?;
        let io = Io::Idle(socket);
        let mut socket = Socket::with(io, kind, domain);
        if kind == Kind::Datagram {
            socket.register()?;
        }
        Ok(socket)
    }

    /// Creates a socket from a listener of the embedder. Register it before it is used.
    pub(crate) fn listening(listener: std::net::TcpListener) -> io::Result<Socket> {
        listener.set_nonblocking(true)?;
        let domain = Domain::for_address(listener.local_addr()?);
        let mut socket = Socket::with(Io::Idle(listener.into()), Kind::Stream, domain);
        // Accepted connections would inherit the option.
        let linger = socket.host()?.linger()?;
        socket.set_linger(linger)?;
        Ok(socket)
    }

    /// Sets `SO_LINGER`. Closing a host's socket that lingers waits for the peer, even if it is non-blocking, and
    /// blocks the thread. The host's socket therefore does not linger: after the close, sent data is still delivered to
    /// the peer for the time that the guest has set. With a time of zero nothing is delivered, and the peer sees a
    /// reset.
    pub(super) fn set_linger(&mut self, time: Option<Duration>) -> io::Result<()> {
        let resets = time.is_some_and(|time| time.is_zero());
        self.host()?.set_linger(resets.then_some(Duration::ZERO))?;
        self.linger = time.filter(|time| !time.is_zero());
        Ok(())
    }

    /// Creates the socket of a guest that may have none. `count` is dropped with it.
    pub(crate) fn refused(domain: Domain, kind: Kind, count: Arc<()>) -> Socket {
        Socket::with(Io::Refused(count), kind, domain)
    }

    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.io, Io::Refused(_))
    }

    fn with(io: Io, kind: Kind, domain: Domain) -> Socket {
        Socket {
            io,
            kind,
            domain,
            nonblocking: false,
            recv_timeout: None,
            send_timeout: None,
            linger: None,
            wanted_port: 0,
            senders: None,
            pending_error: None,
            permit: None,
            error_wait: Mutex::default(),
            drain_predictor: DrainPredictor::default(),
            unready: None,
            slot_waker: None,
        }
    }

    /// Returns the host's socket.
    pub(crate) fn host(&self) -> io::Result<SockRef<'_>> {
        match &self.io {
            Io::Idle(socket) => Ok(SockRef::from(socket)),
            Io::Registered(stream) => Ok(SockRef::from(&**stream)),
            Io::Refused(_) => Err(io::ErrorKind::PermissionDenied.into()),
            Io::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Registers the socket with the reactor. If it is registered already, it is registered anew, so that readiness
    /// remembered from its earlier use is forgotten.
    pub(crate) fn register(&mut self) -> io::Result<()> {
        if let Some(slot_waker) = &self.slot_waker {
            slot_waker.enqueue();
        }
        *self.error_wait.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        let lost = || io::Error::from(io::ErrorKind::NotConnected);
        let socket: std::net::TcpStream = match std::mem::replace(&mut self.io, Io::Lost) {
            Io::Idle(socket) => socket.into(),
            Io::Registered(stream) => Arc::into_inner(stream).ok_or_else(lost)?.into_std()?,
            Io::Refused(_) | Io::Lost => return Err(lost()),
        };
        self.io = Io::Registered(Arc::new(TcpStream::from_std(socket)?));
        Ok(())
    }

    /// Drops datagrams that may not reach the guest, up to the next one that may.
    pub(super) fn admit(&self, host: &socket2::Socket) -> io::Result<()> {
        self.senders.as_ref().map_or(Ok(()), |grants| senders::admit(host, grants))
    }

    /// Starts a connection. `Ok(false)` means that it is in progress.
    pub(crate) fn start_connect(&mut self, addr: &SockAddr) -> io::Result<bool> {
        let outcome = retry(|| self.host()?.connect(addr));
        match outcome {
            Ok(()) => {
                if self.kind == Kind::Stream {
                    self.register()?;
                }
                Ok(true)
            }
            Err(e) if in_progress(&e) => {
                self.register()?;
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }

    pub(crate) fn listen(&mut self, backlog: i32) -> io::Result<()> {
        self.host()?.listen(backlog)?;
        self.register()
    }

    /// Accepts one connection.
    pub(crate) fn accept(&self) -> io::Result<Socket> {
        let (socket, _) = self.attempt(Interest::READABLE, |host| host.accept(), |_| false)?;
        socket.set_nonblocking(true)?;
        let mut accepted = Socket::with(Io::Idle(socket), Kind::Stream, self.domain);
        if self.linger.is_some() {
            // The connection may have inherited the option that the listener had when it arrived.
            accepted.set_linger(self.linger)?;
        }
        accepted.register()?;
        Ok(accepted)
    }

    /// Tries an operation on the host's socket, without waiting.
    ///
    /// tokio remembers readiness per direction, and learns of new readiness only when its driver runs. If it remembers
    /// none, the operation is tried all the same: one system call finds out more than tokio knows. Remembered readiness
    /// is cleared only through `try_io`, whose tick prevents the loss of an edge that arrives meanwhile.
    ///
    /// `drained` returns for a success whether the kernel has nothing more in that direction (a short read or write).
    /// That saves the next poll a false alarm.
    pub(crate) fn attempt<T>(
        &self,
        interest: Interest,
        mut operation: impl FnMut(&socket2::Socket) -> io::Result<T>,
        drained: impl Fn(&T) -> bool,
    ) -> io::Result<T> {
        let host = self.host()?;
        let Io::Registered(stream) = &self.io else {
            return retry(|| operation(&host));
        };
        let mut operation = || {
            let result = retry(|| operation(&host));
            let clear = match &result {
                Ok(value) => EDGE_TRIGGERED && drained(value),
                Err(e) => e.kind() == io::ErrorKind::WouldBlock,
            };
            (result, clear)
        };
        let (result, _) = match self.kind {
            Kind::Stream => gated(stream, interest, operation),
            // The calls are nested because one `try_io` cannot clear two interests.
            Kind::Datagram => {
                gated(stream, Interest::ERROR, || gated(stream, interest, &mut operation))
            }
        };
        result
    }

    /// Waits until `interest` is ready, at most for `timeout`. Returns `true` if this half is closed.
    pub(crate) async fn wait(
        &mut self,
        interest: Interest,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        match timeout {
            None => self.ready(interest).await,
            Some(limit) => tokio::time::timeout(limit, self.ready(interest))
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::WouldBlock))?,
        }
    }

    async fn ready(&mut self, interest: Interest) -> io::Result<bool> {
        let reading = interest.is_readable();
        loop {
            let Io::Registered(stream) = &self.io else {
                return Err(io::ErrorKind::NotConnected.into());
            };
            let ready = stream.ready(self.with_errors(interest)).await?;
            let closed = if reading { ready.is_read_closed() } else { ready.is_write_closed() };
            if !closed {
                return Ok(false);
            }
            // tokio remembers this for good. If the operation would block nevertheless, `ready` returns at once every
            // time: the loop must not occupy the thread, nor rely on a state that is long past.
            yield_now().await;
            if still_ready(stream, reading) {
                return Ok(true);
            }
            self.register()?;
        }
    }

    /// Polls `interest` for `poll_oneoff`. If it is not ready, registers the task's waker. `Ready(true)` means that the
    /// peer has hung up.
    pub(crate) fn poll_ready(
        &mut self,
        interest: Interest,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        let reading = interest.is_readable();
        let mut again = false;
        loop {
            let Io::Registered(stream) = &self.io else {
                return Poll::Ready(Ok(true));
            };
            let ready =
                if reading { stream.poll_read_ready(cx) } else { stream.poll_write_ready(cx) };
            match ready {
                Poll::Pending if reading && self.kind == Kind::Datagram => {
                    return self.poll_error(stream, cx).map(|()| Ok(false));
                }
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                // The kernel has just reported the opposite: tokio never forgets that a half was closed, and the socket
                // has been reused since.
                Poll::Ready(Ok(())) if again => {
                    self.register()?;
                    continue;
                }
                Poll::Ready(Ok(())) => {}
            }
            // tokio's readiness may be out of date, because it is not cleared by a read that empties the socket
            // exactly. A guest that does not block finds out when it tries. A guest that blocks would be stuck in a
            // read that was reported as ready, so the kernel is asked for it. The kernel is also asked for a guest that
            // was told that nothing is left.
            if let (Some(grants), true) = (&self.senders, reading) {
                let look = || senders::admit(&SockRef::from(&**stream), grants);
                match stream.try_io(interest, look) {
                    Ok(()) => return Poll::Ready(Ok(hung_up(stream, reading, cx))),
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                    Err(e) if e.kind() == MORE_TO_DROP => {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Err(e) => {
                        self.pending_error = Some(e);
                        return Poll::Ready(Ok(false));
                    }
                }
                again = true;
                continue;
            }
            let doubtful = reading && std::mem::take(&mut self.drain_predictor.is_prediction);
            let checked = (self.nonblocking && !doubtful)
                || stream
                    .try_io(interest, || match still_ready(stream, reading) {
                        true => Ok(()),
                        false => Err(io::ErrorKind::WouldBlock.into()),
                    })
                    .is_ok();
            if checked {
                return Poll::Ready(Ok(hung_up(stream, reading, cx)));
            }
            again = true;
        }
    }

    /// An error also ends the wait for a datagram: the destination of the last one has no receiver.
    fn with_errors(&self, interest: Interest) -> Interest {
        match self.kind {
            Kind::Datagram => interest | Interest::ERROR,
            Kind::Stream => interest,
        }
    }

    fn poll_error(&self, stream: &Arc<TcpStream>, cx: &mut Context<'_>) -> Poll<()> {
        let mut error_wait = self.error_wait.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let wait = error_wait.get_or_insert_with(|| {
                let stream = stream.clone();
                ErrorWait(Box::pin(async move {
                    let ready = stream.ready(Interest::READABLE | Interest::ERROR).await;
                    // If this fails, the read that follows fails, too.
                    ready.map_or(true, |ready| !ready.is_empty())
                }))
            });
            let Poll::Ready(news) = wait.0.as_mut().poll(cx) else { return Poll::Pending };
            *error_wait = None;
            // Otherwise the readiness is that of a datagram which has been received since.
            if news {
                return Poll::Ready(());
            }
        }
    }
}

impl Drop for Socket {
    /// Lets a lingering socket deliver its data for the system's own time, if no other time can be set.
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some(time) = self.linger
            && let Ok(host) = self.host()
        {
            let _ = host.set_tcp_user_timeout(Some(time));
        }
    }
}

/// Runs `operation`, and clears the readiness for `interest` that was remembered before if its second value is `true`.
fn gated<T>(
    stream: &TcpStream,
    interest: Interest,
    mut operation: impl FnMut() -> (io::Result<T>, bool),
) -> (io::Result<T>, bool) {
    let mut outcome = None;
    let gate = stream.try_io(interest, || {
        let (result, clear) = operation();
        outcome = Some((result, clear));
        if clear { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    match (outcome, gate) {
        (Some(outcome), _) => outcome,
        (None, Err(e)) if e.kind() != io::ErrorKind::WouldBlock => (Err(e), false),
        (None, _) => operation(),
    }
}

#[cfg(unix)]
fn still_ready(stream: &TcpStream, reading: bool) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let flags = if reading { PollFlags::IN } else { PollFlags::OUT };
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(stream, flags)], Some(&now)) != Ok(0)
}

#[cfg(not(unix))]
fn still_ready(_stream: &TcpStream, _reading: bool) -> bool {
    true
}

/// Returns whether this half is closed. tokio reports that only through `ready`, which is ready here.
fn hung_up(stream: &TcpStream, reading: bool, cx: &mut Context<'_>) -> bool {
    let interest = if reading { Interest::READABLE } else { Interest::WRITABLE };
    let future = std::pin::pin!(stream.ready(interest));
    match future.poll(cx) {
        Poll::Ready(Ok(ready)) if reading => Ready::is_read_closed(ready),
        Poll::Ready(Ok(ready)) => Ready::is_write_closed(ready),
        _ => false,
    }
}

/// Whether a short read or write proves that a new edge will follow.
pub(super) const EDGE_TRIGGERED: bool = cfg!(unix);

// PERF: inlined into the fast path (`fast_path.rs`).
#[inline(always)]
pub(super) fn retry<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match operation() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::EINPROGRESS) {
        return true;
    }
    error.kind() == io::ErrorKind::WouldBlock
}
