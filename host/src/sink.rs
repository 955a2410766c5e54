//! Passes a guest's output to the embedding program as it is written.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError};
use wasmtime_wasi_io::bytes::Bytes;

/// The number of bytes accepted at once.
const PERMIT: usize = 1 << 16;

/// Receives a guest's output and may have to wait ([`GuestBuilder::stdout_to`](crate::GuestBuilder::stdout_to)).
///
/// # Examples
///
/// A receiver that passes output to an unbounded channel, and never waits:
///
/// ```
/// use std::task::{Context, Poll};
///
/// use tokio::sync::mpsc;
/// use wasio_host::Receive;
///
/// struct ToChannel(mpsc::UnboundedSender<Vec<u8>>);
///
/// impl Receive for ToChannel {
///     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
///         Poll::Ready(())
///     }
///
///     fn receive(&mut self, bytes: &[u8]) {
///         // Output is dropped if nothing receives it.
///         let _ = self.0.send(bytes.to_vec());
///     }
/// }
/// ```
pub trait Receive: Send + 'static {
    /// Returns whether more output is accepted. If it is not, the guest is suspended until the waker is called.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Takes what the guest has written, at most 64 KiB. It may be called without a call of
    /// [`poll_ready`](Self::poll_ready) right before it, if the guest was already promised this much room.
    fn receive(&mut self, bytes: &[u8]);
}

/// A receiver that accepts everything and calls a function.
struct Always<F>(F);

impl<F: FnMut(&[u8]) + Send + 'static> Receive for Always<F> {
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn receive(&mut self, bytes: &[u8]) {
        (self.0)(bytes);
    }
}

/// An output stream of the guest. Clones are the same stream.
#[derive(Clone)]
pub(crate) struct Sink {
    to: Arc<Mutex<dyn Receive>>,
}

impl Sink {
    pub(crate) fn new(to: impl Receive) -> Sink {
        Sink { to: Arc::new(Mutex::new(to)) }
    }

    pub(crate) fn always(take: impl FnMut(&[u8]) + Send + 'static) -> Sink {
        Sink::new(Always(take))
    }

    fn to(&self) -> MutexGuard<'_, dyn Receive + 'static> {
        // A function of the embedder that has panicked may be called again.
        self.to.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IsTerminal for Sink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Sink {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        bytes.chunks(PERMIT).for_each(|piece| self.to().receive(piece));
        Ok(())
    }

    fn write_zeroes(&mut self, bytes: usize) -> Result<(), StreamError> {
        if bytes > PERMIT {
            return Err(StreamError::trap("more was written to a stream than it permitted"));
        }
        self.write(vec![0; bytes].into())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        match self.to().poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => Ok(PERMIT),
            Poll::Pending => Ok(0),
        }
    }

    async fn write_ready(&mut self) -> Result<usize, StreamError> {
        self.ready().await;
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for Sink {
    async fn ready(&mut self) {
        poll_fn(|cx| self.to().poll_ready(cx)).await;
    }
}

impl AsyncWrite for Sink {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut to = self.to();
        std::task::ready!(to.poll_ready(cx));
        let bytes = &bytes[..bytes.len().min(PERMIT)];
        to.receive(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
