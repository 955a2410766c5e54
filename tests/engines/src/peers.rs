//! The world outside: servers of this process, written with the published tokio.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

/// A server on a thread of its own; gone when dropped.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    open: Arc<AtomicUsize>,
    runtime: Option<Runtime>,
}

impl Peer {
    /// Serves every connection with `handler`.
    pub(crate) fn serve<F, W>(handler: F) -> Result<Peer>
    where
        F: Fn(TcpStream) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let open = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&open);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                let (work, counter) = (handler(stream), Arc::clone(&counter));
                tokio::spawn(async move {
                    work.await;
                    counter.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Ok(Peer { address, open, runtime: Some(runtime) })
    }

    /// Sends everything back.
    pub(crate) fn echo() -> Result<Peer> {
        Peer::serve(async |stream| {
            let _ = stream.set_nodelay(true);
            let (mut reader, mut writer) = stream.into_split();
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        })
    }

    /// Reads to the end, then answers.
    pub(crate) fn answers_at_the_end() -> Result<Peer> {
        Peer::serve(async |mut stream| {
            let mut question = Vec::new();
            let _ = stream.read_to_end(&mut question).await;
            let _ = stream.write_all(&[b"answer to ", &question[..]].concat()).await;
        })
    }

    /// How many connections are being served.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Closes a connection with a reset instead of an orderly end.
pub(crate) fn reset(stream: TcpStream) {
    let _ = SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
}
