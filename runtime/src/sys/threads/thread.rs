//! How threads are started, and the roles of threads.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle, Thread, ThreadId};
use std::time::Duration;

type Hook = Option<Arc<dyn Fn() + Send + Sync>>;

/// How a runtime starts threads.
#[derive(Clone)]
pub(crate) struct ThreadConfig {
    name: Arc<dyn Fn() -> String + Send + Sync>,
    stack_size: Option<usize>,
    pub(super) max_blocking: usize,
    pub(super) keep_alive: Duration,
    on_start: Hook,
    on_stop: Hook,
}

impl Default for ThreadConfig {
    fn default() -> ThreadConfig {
        ThreadConfig {
            name: Arc::new(|| "tokio-rt-worker".into()),
            stack_size: None,
            max_blocking: 512,
            keep_alive: Duration::from_secs(10),
            on_start: None,
            on_stop: None,
        }
    }
}

impl ThreadConfig {
    pub(crate) fn set_name(&mut self, name: impl Fn() -> String + Send + Sync + 'static) {
        self.name = Arc::new(name);
    }

    pub(crate) fn set_stack_size(&mut self, bytes: usize) {
        self.stack_size = Some(bytes);
    }

    pub(crate) fn set_max_blocking(&mut self, max: usize) {
        self.max_blocking = max;
    }

    pub(crate) fn set_keep_alive(&mut self, keep_alive: Duration) {
        self.keep_alive = keep_alive;
    }

    pub(crate) fn set_on_start(&mut self, hook: impl Fn() + Send + Sync + 'static) {
        self.on_start = Some(Arc::new(hook));
    }

    pub(crate) fn set_on_stop(&mut self, hook: impl Fn() + Send + Sync + 'static) {
        self.on_stop = Some(Arc::new(hook));
    }

    /// Starts a thread with this name and stack size. It calls the hooks.
    pub(super) fn start(&self, f: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
        let mut builder = thread::Builder::new().name((self.name)());
        if let Some(size) = self.stack_size {
            builder = builder.stack_size(size);
        }
        let (on_start, on_stop) = (self.on_start.clone(), self.on_stop.clone());
        builder.spawn(move || {
            if let Some(hook) = on_start {
                hook();
            }
            f();
            if let Some(hook) = on_stop {
                hook();
            }
        })
    }
}

/// The thread on which a runtime was built. The tasks of a local runtime stay there.
pub(crate) struct OwnerThread(ThreadId);

impl OwnerThread {
    pub(crate) fn current() -> OwnerThread {
        OwnerThread(thread::current().id())
    }

    pub(crate) fn is_current(&self) -> bool {
        self.0 == thread::current().id()
    }
}

/// A thread that is blocked on a future.
pub(crate) struct BlockedThread(Thread);

impl BlockedThread {
    pub(crate) fn current() -> BlockedThread {
        BlockedThread(thread::current())
    }

    /// Ends the thread's `std::thread::park`.
    pub(crate) fn unpark(&self) {
        self.0.unpark();
    }
}
