//! `block_on`, and a pool of tasks on this thread.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::stream::Stream;
use futures_task::{FutureObj, LocalFutureObj, LocalSpawn, Spawn, SpawnError};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::enter;
use crate::wait::wait;

/// Runs a future to completion on this thread.
///
/// # Panics
///
/// Panics if an executor of this kind already runs on the thread. *On WASI* it also panics when nothing is left that
/// could wake the future.
#[track_caller]
pub fn block_on<F: Future>(f: F) -> F::Output {
    wait(f)
}

/// Turns a stream into an iterator that blocks on each item.
pub fn block_on_stream<S: Stream + Unpin>(stream: S) -> BlockingStream<S> {
    BlockingStream { stream }
}

/// The iterator of [`block_on_stream`].
#[derive(Debug)]
pub struct BlockingStream<S: Stream + Unpin> {
    stream: S,
}

impl<S: Stream + Unpin> BlockingStream<S> {
    /// Returns the stream. It yields the items that were not taken.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: Stream + Unpin> Deref for BlockingStream<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.stream
    }
}

impl<S: Stream + Unpin> DerefMut for BlockingStream<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: Stream + Unpin> Iterator for BlockingStream<S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        wait(self.stream.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

type Incoming = RefCell<Vec<LocalFutureObj<'static, ()>>>;

/// A pool of tasks that run on this thread while one of its methods is called.
#[derive(Debug, Default)]
pub struct LocalPool {
    tasks: FuturesUnordered<LocalFutureObj<'static, ()>>,
    /// Tasks that were spawned but not yet added to the pool.
    incoming: Rc<Incoming>,
}

/// Spawns into a [`LocalPool`].
#[derive(Clone, Debug)]
pub struct LocalSpawner {
    incoming: Weak<Incoming>,
}

impl LocalPool {
    /// Creates an empty pool.
    pub fn new() -> LocalPool {
        LocalPool::default()
    }

    /// Returns a handle that spawns tasks into the pool.
    pub fn spawner(&self) -> LocalSpawner {
        LocalSpawner { incoming: Rc::downgrade(&self.incoming) }
    }

    /// Runs all tasks to completion, including those that they spawn.
    ///
    /// # Panics
    ///
    /// See [`block_on`].
    pub fn run(&mut self) {
        wait(poll_fn(|cx| self.poll_all(cx)));
    }

    /// Runs the tasks until `future` completes.
    ///
    /// # Panics
    ///
    /// See [`block_on`].
    pub fn run_until<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        wait(poll_fn(|cx| {
            let output = future.as_mut().poll(cx);
            if output.is_pending() {
                let _ = self.poll_all(cx);
            }
            output
        }))
    }

    /// Runs tasks until one completes or none can make progress. Returns whether one completed.
    ///
    /// # Panics
    ///
    /// Panics if an executor already runs on this thread.
    pub fn try_run_one(&mut self) -> bool {
        self.stalled(|pool, cx| pool.poll_one(cx).map(|one| one.is_some())).unwrap_or(false)
    }

    /// Runs tasks until none can make progress.
    ///
    /// # Panics
    ///
    /// Panics if an executor already runs on this thread.
    pub fn run_until_stalled(&mut self) {
        let _ = self.stalled(LocalPool::poll_all);
    }

    /// Polls while tasks are woken. Returns `None` when none is woken any more.
    fn stalled<T>(
        &mut self,
        mut poll: impl FnMut(&mut LocalPool, &mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        let _entered = enter().expect("`LocalPool` cannot be used within another executor");
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        while woken.0.swap(false, Ordering::Acquire) {
            if let Poll::Ready(value) = poll(self, &mut Context::from_waker(&waker)) {
                return Some(value);
            }
        }
        None
    }

    /// Polls until a task has completed. Returns `None` if there are no tasks.
    fn poll_one(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        loop {
            self.tasks.extend(self.incoming.borrow_mut().drain(..));
            let polled = self.tasks.poll_next_unpin(cx);
            // A task may have spawned others.
            if matches!(polled, Poll::Ready(Some(()))) || self.incoming.borrow().is_empty() {
                return polled;
            }
        }
    }

    /// Polls until no task is left.
    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.poll_one(cx) {
                Poll::Ready(Some(())) => {}
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl LocalSpawner {
    fn push(&self, future: LocalFutureObj<'static, ()>) -> Result<(), SpawnError> {
        let incoming = self.incoming.upgrade().ok_or_else(SpawnError::shutdown)?;
        incoming.borrow_mut().push(future);
        Ok(())
    }

    fn status(&self) -> Result<(), SpawnError> {
        self.incoming.upgrade().map(drop).ok_or_else(SpawnError::shutdown)
    }
}

impl Spawn for LocalSpawner {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.push(future.into())
    }

    fn status(&self) -> Result<(), SpawnError> {
        LocalSpawner::status(self)
    }
}

impl LocalSpawn for LocalSpawner {
    fn spawn_local_obj(&self, future: LocalFutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.push(future)
    }

    fn status_local(&self) -> Result<(), SpawnError> {
        LocalSpawner::status(self)
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
