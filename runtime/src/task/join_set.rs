//! A set of tasks whose results are taken as they complete.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use slab::Slab;

use super::{AbortHandle, Id, JoinError, JoinHandle, LocalSet};
use crate::lock::Mutex;
use crate::runtime::Handle;
use crate::task::coop;

/// The members that were woken since they were last polled.
#[derive(Default)]
struct Woken {
    keys: VecDeque<usize>,
    waker: Option<Waker>,
}

/// Wakes the set for one of its members.
struct MemberWaker {
    key: usize,
    queued: AtomicBool,
    woken: Arc<Mutex<Woken>>,
}

impl Wake for MemberWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let waker = {
            let mut woken = self.woken.lock();
            woken.keys.push_back(self.key);
            woken.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

struct Member<T> {
    handle: JoinHandle<T>,
    wake: Arc<MemberWaker>,
}

/// A set of tasks on a runtime. Results are returned in the order in which tasks complete.
///
/// Dropping the set aborts its tasks.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut set = wasio::task::JoinSet::new();
/// for i in 0..3 {
///     set.spawn(async move { i });
/// }
/// let mut sum = 0;
/// while let Some(result) = set.join_next().await {
///     sum += result.unwrap();
/// }
/// assert_eq!(sum, 3);
/// # });
/// ```
pub struct JoinSet<T> {
    members: Slab<Member<T>>,
    woken: Arc<Mutex<Woken>>,
}

impl<T> JoinSet<T> {
    /// Creates an empty set.
    pub fn new() -> Self {
        JoinSet { members: Slab::new(), woken: Arc::default() }
    }

    /// Returns how many tasks are in the set, including completed ones with a result that was not taken.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether the set has no tasks.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl<T: 'static> JoinSet<T> {
    /// Starts a task on the current runtime and adds it.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(super::spawn(task))
    }

    /// Starts a task on a given runtime and adds it.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(task))
    }

    /// Starts a task on the current `LocalSet` and adds it.
    ///
    /// # Panics
    ///
    /// Panics outside of a `LocalSet` and `LocalRuntime`.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(super::spawn_local(task))
    }

    /// Starts a task on a given `LocalSet` and adds it.
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(local_set.spawn_local(task))
    }

    /// Runs a closure that may block and adds it.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(super::spawn_blocking(f))
    }

    /// Runs a closure that may block on a given runtime and adds it.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn_blocking(f))
    }

    fn insert(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        let entry = self.members.vacant_entry();
        let wake = Arc::new(MemberWaker {
            key: entry.key(),
            queued: AtomicBool::new(false),
            woken: self.woken.clone(),
        });
        entry.insert(Member { handle, wake: wake.clone() });
        // The first poll registers the member's waker with its task.
        wake.wake();
        abort
    }

    /// Waits until a task completes, and returns its result. Returns `None` if the set is empty.
    ///
    /// # Errors
    ///
    /// The inner result is the task's [`JoinError`] if it panicked or was aborted.
    ///
    /// # Cancel safety
    ///
    /// No result is lost when the future is dropped.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// Like [`join_next`](Self::join_next), with the task's id.
    ///
    /// # Errors
    ///
    /// See [`join_next`](Self::join_next); the error knows the id.
    ///
    /// # Cancel safety
    ///
    /// No result is lost when the future is dropped.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// Returns the result of a completed task, without waiting.
    ///
    /// # Errors
    ///
    /// See [`join_next`](Self::join_next).
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_join_next_with_id().map(|result| result.map(|(_, value)| value))
    }

    /// Like [`try_join_next`](Self::try_join_next), with the task's id.
    ///
    /// # Errors
    ///
    /// See [`join_next`](Self::join_next).
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        // Without a budget: a spent budget must not make it seem that no task is complete.
        coop::with_unconstrained(|| self.look())
    }

    /// Waits until every task is complete, or dropped by an abort, and empties the set.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Waits for all tasks, and returns their results in the order of completion.
    ///
    /// # Panics
    ///
    /// Panics if a task panicked, with its payload, or was aborted.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut output = Vec::with_capacity(self.len());
        while let Some(result) = self.join_next().await {
            match result {
                Ok(value) => output.push(value),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(error) => panic!("{error}"),
            }
        }
        output
    }

    /// Aborts every task; they stay in the set until their cancelled results are taken.
    pub fn abort_all(&mut self) {
        for (_, member) in &self.members {
            member.handle.abort();
        }
    }

    /// Removes every task from the set without aborting it.
    pub fn detach_all(&mut self) {
        self.members.clear();
        self.woken.lock().keys.clear();
    }

    /// Polls for the result of a task that completed.
    ///
    /// `Ready(None)`: the set is empty.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_join_next_with_id(cx).map(|o| o.map(|r| r.map(|(_, value)| value)))
    }

    /// Like [`poll_join_next`](Self::poll_join_next), with the task's id.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        // The waker is registered first, so that a member that is woken after the poll wakes the task. The old waker is
        // dropped at the end, outside the lock, because its destructor may run any code, even drop the members.
        let _old = self.woken.lock().waker.replace(cx.waker().clone());
        match self.look() {
            Some(result) => Poll::Ready(Some(result)),
            None if self.members.is_empty() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// Polls the members that were woken, until one is complete.
    fn look(&mut self) -> Option<Result<(Id, T), JoinError>> {
        while coop::has_budget_remaining() {
            let key = self.woken.lock().keys.pop_front()?;
            // The member may have been removed meanwhile.
            let Some(member) = self.members.get_mut(key) else { continue };
            member.wake.queued.store(false, Ordering::Release);
            let waker = Waker::from(member.wake.clone());
            let id = member.handle.id();
            if let Poll::Ready(result) =
                Pin::new(&mut member.handle).poll(&mut Context::from_waker(&waker))
            {
                self.members.remove(key);
                return Some(result.map(|value| (id, value)));
            }
        }
        // The budget is spent: poll again after the other tasks have run.
        let waker = self.woken.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
        None
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        for (_, member) in &self.members {
            member.handle.abort();
        }
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        JoinSet::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

/// Starts each future as a task on the current runtime.
///
/// # Panics
///
/// Panics outside of a runtime.
impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(iter: I) -> Self {
        let mut set = JoinSet::new();
        set.extend(iter);
        set
    }
}

/// Starts each future as a task on the current runtime.
///
/// # Panics
///
/// Panics outside of a runtime.
impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, iter: I) {
        for future in iter {
            self.spawn(future);
        }
    }
}
