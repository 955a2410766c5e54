//! A thread pool, which is a runtime of wasio.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_task::{FutureObj, Spawn, SpawnError};
use wasio::runtime::{Builder, Runtime};

/// A pool that runs tasks. Dropping the last handle to it cancels them.
#[derive(Clone)]
pub struct ThreadPool {
    runtime: Arc<Ends>,
}

/// The runtime. If it is dropped inside a task, the drop must not wait.
struct Ends(Option<Runtime>);

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

type Hook = Arc<dyn Fn(usize) + Send + Sync>;

/// Configures a [`ThreadPool`].
pub struct ThreadPoolBuilder {
    threads: Option<usize>,
    stack_size: usize,
    name_prefix: Option<String>,
    after_start: Option<Hook>,
    before_stop: Option<Hook>,
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool").finish_non_exhaustive()
    }
}

impl fmt::Debug for ThreadPoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolBuilder")
            .field("pool_size", &self.threads)
            .field("name_prefix", &self.name_prefix)
            .finish_non_exhaustive()
    }
}

impl ThreadPool {
    /// Creates a pool with the defaults of [`ThreadPoolBuilder`].
    ///
    /// # Errors
    ///
    /// Fails if the runtime cannot be created.
    pub fn new() -> Result<ThreadPool, io::Error> {
        ThreadPoolBuilder::new().create()
    }

    /// Returns a builder to configure the pool.
    pub fn builder() -> ThreadPoolBuilder {
        ThreadPoolBuilder::new()
    }

    /// Spawns a task.
    pub fn spawn_obj_ok(&self, future: FutureObj<'static, ()>) {
        self.spawn_ok(future);
    }

    /// Spawns a task.
    pub fn spawn_ok<Fut>(&self, future: Fut)
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        if let Some(runtime) = &self.runtime.0 {
            drop(runtime.spawn(future));
        }
    }
}

impl Spawn for ThreadPool {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.spawn_ok(future);
        Ok(())
    }
}

impl ThreadPoolBuilder {
    /// Creates a builder with the defaults.
    pub fn new() -> ThreadPoolBuilder {
        ThreadPoolBuilder {
            threads: None,
            stack_size: 0,
            name_prefix: None,
            after_start: None,
            before_stop: None,
        }
    }

    /// Sets the number of threads. It has no effect: the runtime has one thread.
    ///
    /// # Panics
    ///
    /// Panics if `size` is 0.
    pub fn pool_size(&mut self, size: usize) -> &mut Self {
        assert!(size > 0, "a pool has at least one thread");
        self.threads = Some(size);
        self
    }

    /// Sets the size of each thread's stack in bytes. 0 is the system's default.
    pub fn stack_size(&mut self, stack_size: usize) -> &mut Self {
        self.stack_size = stack_size;
        self
    }

    /// Sets the prefix of the threads' names. A number follows it.
    pub fn name_prefix<S: Into<String>>(&mut self, name_prefix: S) -> &mut Self {
        self.name_prefix = Some(name_prefix.into());
        self
    }

    /// Sets a function that each thread calls with its number when it starts. *On WASI* it is never called, because
    /// there are no such threads.
    pub fn after_start<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(usize) + Send + Sync + 'static,
    {
        self.after_start = Some(Arc::new(f));
        self
    }

    /// Sets a function that each thread calls with its number before it ends. *On WASI* it is never called.
    pub fn before_stop<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(usize) + Send + Sync + 'static,
    {
        self.before_stop = Some(Arc::new(f));
        self
    }

    /// Creates the pool.
    ///
    /// # Errors
    ///
    /// Fails if the runtime cannot be created.
    pub fn create(&mut self) -> Result<ThreadPool, io::Error> {
        let mut builder = Builder::new_multi_thread();
        builder.enable_all();
        if let Some(threads) = self.threads {
            builder.worker_threads(threads);
        }
        if self.stack_size > 0 {
            builder.thread_stack_size(self.stack_size);
        }
        if let Some(prefix) = self.name_prefix.clone() {
            let number = AtomicUsize::new(0);
            builder.thread_name_fn(move || {
                format!("{prefix}{}", number.fetch_add(1, Ordering::Relaxed))
            });
        }
        if let Some(hook) = self.after_start.clone() {
            builder.on_thread_start(move || hook(0));
        }
        if let Some(hook) = self.before_stop.clone() {
            builder.on_thread_stop(move || hook(0));
        }
        Ok(ThreadPool { runtime: Arc::new(Ends(Some(builder.build()?))) })
    }
}

impl Default for ThreadPoolBuilder {
    fn default() -> Self {
        Self::new()
    }
}
