//! One socket of a guest: the host's socket, its readiness, its modes.
//!
//! The host's socket never blocks. Whether the *guest* blocks on it is a flag
//! here, and blocking means suspending the guest's stack until tokio says that
//! the socket is ready.
//!
//! A stream socket is registered with tokio's reactor when it connects or
//! listens, not when it is opened: an idle one reports a hang-up, which tokio
//! would remember for good.

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
use crate::p1::sockets::senders::{self, MANY};
use crate::permits::Permit;
use crate::policy::Grants;

/// What travels through a socket.
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
    /// The guest asked not to be suspended by this socket.
    pub(crate) nonblocking: bool,
    /// `SO_RCVTIMEO`, which the host's never blocking socket cannot keep.
    pub(crate) recv_timeout: Option<Duration>,
    /// `SO_SNDTIMEO`, likewise.
    pub(crate) send_timeout: Option<Duration>,
    /// `SO_LINGER` with a time: the host's socket has none, see [`set_linger`](Self::set_linger).
    pub(super) linger: Option<Duration>,
    /// The port that the guest asked to be bound to; 0 leaves it to the kernel.
    pub(crate) wanted_port: u16,
    /// Whom it hears, if not everybody; of a datagram socket.
    pub(crate) senders: Option<Grants>,
    /// The error of receiving the next message, which a poll has met.
    pub(super) pending_error: Option<io::Error>,
    /// Of the descriptor, unless somebody else opened it.
    pub(crate) permit: Option<Permit>,
    /// Waits for an error of a datagram socket, which tokio's readiness for reading leaves out.
    error_wait: Mutex<Option<ErrorWait>>,
    /// What small reads have left so far.
    pub(super) drain_predictor: DrainPredictor,
    /// The turn in which an attempt took back what tokio remembered of data to read. It learns of more when its driver
    /// runs, which is between turns; on another thread in between, too, and then a poll is a false alarm.
    pub(super) unready: Option<u32>,
    /// Its slot is queued when tokio's driver forgets who waits, once the socket was armed.
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
    /// tokio's `TcpStream` stands for every kind of socket here, listening and
    /// datagram sockets too: it is the one type with the full set of readiness
    /// methods on every platform, and nothing of TCP is called on it.
    Registered(Arc<TcpStream>),
    /// Nothing is granted to the guest, so there is none.
    Refused(#[expect(dead_code, reason = "it is counted")] Arc<()>),
    /// Between the two, or failed there.
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

    /// A listener that somebody else made. Register it before it is used.
    pub(crate) fn listening(listener: std::net::TcpListener) -> io::Result<Socket> {
        listener.set_nonblocking(true)?;
        let domain = Domain::for_address(listener.local_addr()?);
        let mut socket = Socket::with(Io::Idle(listener.into()), Kind::Stream, domain);
        // Its connections would inherit it.
        let linger = socket.host()?.linger()?;
        socket.set_linger(linger)?;
        Ok(socket)
    }

    /// `SO_LINGER`. Closing a host's socket that lingers waits for the peer, even if nothing else about it does, and
    /// the thread with it. So it does not linger: what was sent goes on to the peer after the close, for the time that
    /// the guest has set. Without a time nothing goes on, and the peer sees a reset.
    pub(super) fn set_linger(&mut self, time: Option<Duration>) -> io::Result<()> {
        let resets = time.is_some_and(|time| time.is_zero());
        self.host()?.set_linger(resets.then_some(Duration::ZERO))?;
        self.linger = time.filter(|time| !time.is_zero());
        Ok(())
    }

    /// The socket of a guest that may have none. `count` is dropped with it.
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

    /// The host's socket.
    pub(crate) fn host(&self) -> io::Result<SockRef<'_>> {
        match &self.io {
            Io::Idle(socket) => Ok(SockRef::from(socket)),
            Io::Registered(stream) => Ok(SockRef::from(&**stream)),
            Io::Refused(_) => Err(io::ErrorKind::PermissionDenied.into()),
            Io::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Hands the socket to the reactor; again, if it is there already, so that
    /// readiness remembered from an earlier life is forgotten.
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

    /// Makes sure that the next message, if there is one, may reach the guest.
    pub(super) fn admit(&self, host: &socket2::Socket) -> io::Result<()> {
        self.senders.as_ref().map_or(Ok(()), |grants| senders::admit(host, grants))
    }

    /// Starts a connection. `Ok(false)` means that it is under way.
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

    /// Takes one connection off the queue.
    pub(crate) fn accept(&self) -> io::Result<Socket> {
        let (socket, _) = self.attempt(Interest::READABLE, |host| host.accept(), |_| false)?;
        socket.set_nonblocking(true)?;
        let mut accepted = Socket::with(Io::Idle(socket), Kind::Stream, self.domain);
        if self.linger.is_some() {
            // It may have inherited what the listener had when the connection came.
            accepted.set_linger(self.linger)?;
        }
        accepted.register()?;
        Ok(accepted)
    }

    /// Tries an operation on the host's socket, at once and without waiting.
    ///
    /// tokio remembers readiness per direction and learns of new readiness only
    /// when its driver runs. So when it remembers none the operation is tried
    /// all the same: one system call finds out more than it knows. Remembered
    /// readiness is cleared only through `try_io`, whose tick keeps an edge
    /// that arrives meanwhile from being lost.
    ///
    /// `drained` says of a success that the kernel has nothing more in that
    /// direction (a short read or write), which spares the next poll a false
    /// alarm.
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
            // One in the other: `try_io` takes two interests at once for none.
            Kind::Datagram => {
                gated(stream, Interest::ERROR, || gated(stream, interest, &mut operation))
            }
        };
        result
    }

    /// Waits until `interest` is ready, at most for `timeout`. `true` says that this half is closed.
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
            // tokio remembers that for good. Should the operation wait nevertheless, this comes
            // back at once: it must not keep the thread, nor go by what is long over.
            yield_now().await;
            if still_ready(stream, reading) {
                return Ok(true);
            }
            self.register()?;
        }
    }

    /// Whether `interest` is ready, for `poll_oneoff`; leaves the task's waker
    /// behind if not. `Ready(true)` means that the peer has hung up.
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
                // The kernel just said otherwise: tokio never forgets that a half was closed, and
                // since then this socket is used for something else.
                Poll::Ready(Ok(())) if again => {
                    self.register()?;
                    continue;
                }
                Poll::Ready(Ok(())) => {}
            }
            // What tokio remembers may be out of date, as a read that emptied
            // the socket exactly does not tell. A guest that does not block
            // finds out when it tries. One that does would be stuck in the read
            // that it was told would not wait: for it the kernel is asked, and for
            // one that was promised that nothing is left.
            if let (Some(grants), true) = (&self.senders, reading) {
                let look = || senders::admit(&SockRef::from(&**stream), grants);
                match stream.try_io(interest, look) {
                    Ok(()) => return Poll::Ready(Ok(hung_up(stream, reading, cx))),
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                    Err(e) if e.kind() == MANY => {
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

    /// An error ends the wait for a message: nobody listens where the last one was sent to.
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
                    // What fails here fails in the read that follows, too.
                    ready.map_or(true, |ready| !ready.is_empty())
                }))
            });
            let Poll::Ready(news) = wait.0.as_mut().poll(cx) else { return Poll::Pending };
            *error_wait = None;
            // Else it tells of a message that was received since.
            if news {
                return Poll::Ready(());
            }
        }
    }
}

impl Drop for Socket {
    /// What lingers has the system's own time to go on where it cannot be told another.
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some(time) = self.linger
            && let Ok(host) = self.host()
        {
            let _ = host.set_tcp_user_timeout(Some(time));
        }
    }
}

/// Runs `operation`, and clears what was remembered of `interest` before if it says so.
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

/// tokio tells closed halves apart only through `ready`, which is ready here.
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
