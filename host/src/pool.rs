//! Threads for blocking operations, shared fairly between guests.
//!
//! A pool limits its threads, and the threads of each guest. Guests that want more wait in line and are served
//! round-robin: a guest with a thousand jobs delays the next guest by one job, not by a thousand. A job of a guest that
//! has ended is not begun. A job that has begun cannot be stopped and occupies its thread until it returns.
//!
//! Threads start when they are needed and end after they have been idle for a while.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// How long a thread waits for a job before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// Limits on the number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Threads {
    /// The threads of the pool.
    pub(crate) total: usize,
    /// The threads that one guest may occupy.
    pub(crate) per_guest: usize,
}

/// A pool of threads. Clones are the same pool.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

/// One guest's handle to a pool. Clones count as one guest.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    shared: Arc<Shared>,
    id: u64,
}

#[derive(Debug)]
struct Shared {
    name: &'static str,
    threads: Threads,
    state: Mutex<State>,
    /// Notified when there is a job to begin.
    more: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Guests that may begin a job, in round-robin order.
    waiting: VecDeque<u64>,
    /// Guests with a job that waits or runs.
    guests: HashMap<u64, Jobs>,
    threads: usize,
    /// Threads that are waiting for a job.
    idle: usize,
    /// The last number given to a client or a job.
    next: u64,
}

/// One guest's jobs.
#[derive(Default)]
struct Jobs {
    /// Jobs that have not begun, in ascending order of their numbers.
    waiting: VecDeque<(u64, Job)>,
    running: usize,
    /// Whether the guest is in `waiting`.
    has_turn: bool,
}

type Job = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} waiting, {} running", self.waiting.len(), self.running)
    }
}

impl Pool {
    pub(crate) fn new(name: &'static str, threads: Threads) -> Pool {
        let threads = Threads { total: threads.total.max(1), per_guest: threads.per_guest.max(1) };
        let (state, more) = (Mutex::default(), Condvar::new());
        Pool { shared: Arc::new(Shared { name, threads, state, more }) }
    }

    pub(crate) fn client(&self) -> Client {
        let id = self.shared.lock().number();
        Client { shared: self.shared.clone(), id }
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Puts the guest in line if it may begin a job.
    fn line_up(&mut self, id: u64, per_guest: usize) {
        let Some(jobs) = self.guests.get_mut(&id) else { return };
        if jobs.waiting.is_empty() && jobs.running == 0 {
            self.guests.remove(&id);
        } else if !jobs.has_turn && !jobs.waiting.is_empty() && jobs.running < per_guest {
            jobs.has_turn = true;
            self.waiting.push_back(id);
        }
    }

    /// Takes the next job to begin, with its guest's id.
    fn begin(&mut self, per_guest: usize) -> Option<(u64, Job)> {
        loop {
            let id = self.waiting.pop_front()?;
            let Some(jobs) = self.guests.get_mut(&id) else { continue };
            jobs.has_turn = false;
            let job = jobs.waiting.pop_front();
            jobs.running += usize::from(job.is_some());
            self.line_up(id, per_guest);
            if let Some((_, job)) = job {
                return Some((id, job));
            }
        }
    }

    fn ended(&mut self, id: u64, per_guest: usize) {
        if let Some(jobs) = self.guests.get_mut(&id) {
            jobs.running -= 1;
        }
        self.line_up(id, per_guest);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes or starts a thread if there is a job that may begin.
    fn summon(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if state.waiting.is_empty() {
            return;
        }
        if state.idle > 0 {
            self.more.notify_one();
        } else if state.threads < self.threads.total {
            state.threads += 1;
            drop(state);
            let worker = self.clone();
            let thread = thread::Builder::new().name(self.name.to_owned());
            if thread.spawn(move || worker.work()).is_err() {
                self.without_thread();
            }
        }
    }

    /// Handles a thread that could not be started. If the pool has no other thread, the calling thread runs the jobs.
    #[cold]
    fn without_thread(&self) {
        let mut state = self.lock();
        state.threads -= 1;
        while state.threads == 0 {
            let Some((id, job)) = state.begin(usize::MAX) else { return };
            drop(state);
            job();
            state = self.lock();
            state.ended(id, self.threads.per_guest);
        }
    }

    /// The main loop of a thread.
    fn work(self: &Arc<Self>) {
        let per_guest = self.threads.per_guest;
        let mut state = self.lock();
        loop {
            while let Some((id, job)) = state.begin(per_guest) {
                self.summon(state);
                job();
                state = self.lock();
                state.ended(id, per_guest);
            }
            state.idle += 1;
            let (woken, wait) =
                self.more.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if wait.timed_out() && state.waiting.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

impl Client {
    /// Runs `job` on a thread and returns its result.
    ///
    /// # Panics
    ///
    /// The future propagates a panic of the job.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before the job has begun, the job never begins.
    pub(crate) fn run<T, F>(&self, job: F) -> Running<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (sender, outcome) = oneshot::channel();
        let number = self.submit(Box::new(move || {
            // The receiver may have been dropped.
            let _ = sender.send(catch_unwind(AssertUnwindSafe(job)));
        }));
        Running { outcome, shared: self.shared.clone(), id: self.id, number }
    }

    /// Runs `job` on a thread. Its result is discarded.
    pub(crate) fn begin(&self, job: impl FnOnce() + Send + 'static) {
        self.submit(Box::new(move || drop(catch_unwind(AssertUnwindSafe(job)))));
    }

    fn submit(&self, job: Job) -> u64 {
        let mut state = self.shared.lock();
        let number = state.number();
        state.guests.entry(self.id).or_default().waiting.push_back((number, job));
        state.line_up(self.id, self.shared.threads.per_guest);
        self.shared.summon(state);
        number
    }
}

/// A job that was submitted to a pool.
#[derive(Debug)]
pub(crate) struct Running<T> {
    outcome: oneshot::Receiver<thread::Result<T>>,
    shared: Arc<Shared>,
    id: u64,
    number: u64,
}

impl<T> Future for Running<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.outcome).poll(cx)) {
            Ok(Ok(result)) => Poll::Ready(result),
            Ok(Err(panic)) => resume_unwind(panic),
            // A job is taken out of line only when its future is dropped.
            Err(_) => unreachable!("a job ended without an outcome"),
        }
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        // The common case: the job has ended.
        if self.outcome.is_terminated() {
            return;
        }
        let mut state = self.shared.lock();
        let Some(jobs) = state.guests.get_mut(&self.id) else { return };
        let Ok(at) = jobs.waiting.binary_search_by_key(&self.number, |job| job.0) else { return };
        let job = jobs.waiting.remove(at);
        if jobs.waiting.is_empty() && jobs.running == 0 && !jobs.has_turn {
            state.guests.remove(&self.id);
        }
        drop(state);
        // Dropped without the lock: dropping a job may run any code.
        drop(job);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::mpsc;

    use super::*;

    fn pool(total: usize, per_guest: usize) -> Pool {
        Pool::new("test", Threads { total, per_guest })
    }

    /// Blocks its thread until the sender is dropped.
    fn stuck(client: &Client) -> (mpsc::Sender<()>, Running<()>) {
        let (release, wait) = mpsc::channel::<()>();
        (
            release,
            client.run(move || {
                let _ = wait.recv();
            }),
        )
    }

    async fn until(condition: impl Fn() -> bool) {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn in_time(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(60), test).await.unwrap();
        });
    }

    #[test]
    fn a_stuck_guest_leaves_threads_to_others() {
        in_time(async {
            let pool = pool(3, 2);
            let (hostile, other) = (pool.client(), pool.client());
            let held: Vec<_> = (0..100).map(|_| stuck(&hostile)).collect();
            for n in 0..10 {
                assert_eq!(other.run(move || n).await, n);
            }
            assert_eq!(pool.shared.lock().threads, 3);
            drop(held);
        });
    }

    #[test]
    fn a_guest_gets_all_of_its_threads() {
        in_time(async {
            let pool = pool(8, 3);
            let client = pool.client();
            client.run(|| ()).await;
            until(|| pool.shared.lock().idle == 1).await;
            let held: Vec<_> = (0..2).map(|_| stuck(&client)).collect();
            assert_eq!(client.run(|| 1).await, 1);
            drop(held);
        });
    }

    #[test]
    fn guests_take_turns() {
        in_time(async {
            let pool = pool(1, 1);
            let (first, second) = (pool.client(), pool.client());
            let order = Arc::new(Mutex::new(Vec::new()));
            let (release, blocked) = stuck(&first);
            let note = |client: &Client, name: &'static str| {
                let order = order.clone();
                client.run(move || order.lock().unwrap().push(name))
            };
            let many: Vec<_> = (0..4).map(|_| note(&first, "first")).collect();
            let few: Vec<_> = (0..2).map(|_| note(&second, "second")).collect();
            drop(release);
            blocked.await;
            for job in many.into_iter().chain(few) {
                job.await;
            }
            let order = order.lock().unwrap();
            assert_eq!(*order, ["second", "first", "second", "first", "first", "first"]);
        });
    }

    #[test]
    fn what_was_dropped_does_not_begin_and_is_not_kept() {
        in_time(async {
            let pool = pool(1, 1);
            let (client, ran) = (pool.client(), Arc::new(AtomicUsize::new(0)));
            let (release, blocked) = stuck(&client);
            for _ in 0..1000 {
                let ran = ran.clone();
                drop(client.run(move || ran.fetch_add(1, SeqCst)));
            }
            assert_eq!(Arc::strong_count(&ran), 1, "jobs are kept");
            drop(release);
            blocked.await;
            client.run(|| ()).await;
            assert_eq!(ran.load(SeqCst), 0);
            until(|| pool.shared.lock().guests.is_empty()).await;
            assert!(pool.shared.lock().waiting.is_empty());
        });
    }

    #[test]
    fn a_guest_that_is_gone_still_counts_where_it_is_stuck() {
        in_time(async {
            let pool = pool(2, 1);
            let gone = pool.client();
            let (release, blocked) = stuck(&gone);
            until(|| pool.shared.lock().guests.values().any(|jobs| jobs.running == 1)).await;
            drop((blocked, gone));
            assert_eq!(pool.client().run(|| 1).await, 1);
            drop(release);
            until(|| pool.shared.lock().guests.is_empty()).await;
        });
    }

    #[test]
    fn every_job_is_done_once_whatever_the_order() {
        in_time(async {
            let pool = pool(4, 2);
            let clients: Vec<_> = (0..10).map(|_| pool.client()).collect();
            let (done, running) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let mut jobs = Vec::new();
            for n in 0..1000 {
                let (done, running) = (done.clone(), running.clone());
                jobs.push(clients[n * n % 10].run(move || {
                    assert!(running.fetch_add(1, SeqCst) < 4);
                    done.fetch_add(1, SeqCst);
                    running.fetch_sub(1, SeqCst);
                }));
            }
            for job in jobs {
                job.await;
            }
            assert_eq!(done.load(SeqCst), 1000);
            until(|| pool.shared.lock().guests.is_empty()).await;
        });
    }

    #[test]
    fn a_panic_reaches_who_waits() {
        in_time(async {
            let client = pool(1, 1).client();
            let job = client.run(|| panic!("as the test wants it"));
            let outcome = tokio::spawn(job).await;
            assert!(outcome.is_err_and(|e| e.is_panic()));
            assert_eq!(client.run(|| 1).await, 1);
        });
    }
}
