//! Connections that a component has dropped while data was left to send.
//!
//! In wasmtime-wasi, dropping such a stream waits until the peer has read enough, so one client that does not read
//! stops a server. Here the data is sent in the background for some time, as the system does for its own sockets. Each
//! such connection holds a permit, like an open socket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use wasmtime_wasi::p2::DynOutputStream;

use crate::permits::Permit;

/// The time limit of a peer.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How many connections of a component may linger at a time.
const MAX_CONNECTIONS: usize = 1024;

/// A component's lingering connections. Dropping the last clone ends them.
#[derive(Clone)]
pub(crate) struct Lingering {
    tasks: Arc<Mutex<JoinSet<()>>>,
    /// How many sockets all guests together may have.
    most: usize,
}

impl Lingering {
    pub(crate) fn new(most: usize) -> Lingering {
        Lingering { tasks: Arc::default(), most }
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the stream finish in the background, unless too many already do.
    pub(crate) fn begin(&self, mut stream: DynOutputStream) {
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        let Some(permit) = Permit::take(self.most) else { return };
        if tasks.len() < MAX_CONNECTIONS {
            tasks.spawn(async move {
                let _permit = permit;
                let _ = tokio::time::timeout(TIME_LIMIT, stream.cancel()).await;
            });
        }
    }

    /// Waits until all connections have ended.
    pub(crate) async fn settle(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks());
        while tasks.join_next().await.is_some() {}
    }
}
