//! The root: a future that is polled together with the tasks of a runtime, such as the one given to `block_on`.

use std::future::Future;
use std::ops::DerefMut;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::Handle;
use crate::reactor::Unparker;
use crate::sys::threading::BlockedThread;
use crate::task::coop;

/// See the module's documentation.
pub(crate) struct Root<P> {
    future: Pin<P>,
    woken: Arc<Woken>,
}

/// Whether a root was woken, and the unparker to call then.
pub(crate) struct Woken {
    flag: AtomicBool,
    /// A thread that drives a runtime parks in the reactor. Any other thread parks itself.
    unparker: Option<Unparker>,
    thread: BlockedThread,
}

impl Woken {
    /// Returns whether the root has to be polled.
    pub(crate) fn get(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.flag.swap(true, Ordering::SeqCst) {
            if let Some(unparker) = &self.unparker {
                unparker.unpark();
            }
            self.thread.unpark();
        }
    }
}

impl<P: DerefMut<Target: Future>> Root<P> {
    /// Creates a root that wakes the thread that drives `runtime`, if given, and the current thread.
    pub(crate) fn new(future: Pin<P>, runtime: Option<&Handle>) -> Root<P> {
        let woken = Arc::new(Woken {
            flag: AtomicBool::new(true),
            unparker: runtime.map(|handle| handle.shared.reactor.unparker()),
            thread: BlockedThread::current(),
        });
        Root { future, woken }
    }

    pub(crate) fn woken(&self) -> &Woken {
        &self.woken
    }

    /// Returns the waker to poll the root with.
    // PERF, SIZE: not kept in the root, so that the compiler knows which waker it is where the future is inlined: 250
    // bytes.
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(self.woken.clone())
    }

    /// Polls the future if it was woken.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<<P::Target as Future>::Output> {
        if !self.woken.flag.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        coop::with_budget(|| self.future.as_mut().poll(cx))
    }
}
