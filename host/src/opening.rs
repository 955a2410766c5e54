//! Opening files without waiting forever.
//!
//! Opening a FIFO blocks until its other end is opened. FIFOs are refused, but a guest may put one in a file's place after
//! the check, and one of the few threads for files would never return. So a thread that opens a file for longer than a
//! second is sent SIGURG, once a second. The handler does nothing: the system call returns with `EINTR`, and is tried
//! again. A slow file system is not disturbed.
//!
//! The process ignores SIGURG by default. If the program handles it, its handler stays, and the flags of that handler
//! decide whether the call is interrupted.

#[cfg(unix)]
pub(crate) use imp::watched;

/// Calls `attempt`, which opens a file, up to three times while it is interrupted.
pub(crate) fn retried<T>(
    mut attempt: impl FnMut() -> T,
    was_interrupted: impl Fn(&T) -> bool,
) -> T {
    const AGAIN: u32 = 2;
    for _ in 0..AGAIN {
        let outcome = watched(&mut attempt);
        if !was_interrupted(&outcome) {
            return outcome;
        }
    }
    watched(attempt)
}

/// Opening never waits for another end here.
#[cfg(not(unix))]
pub(crate) fn watched<T>(open: impl FnOnce() -> T) -> T {
    open()
}

#[cfg(unix)]
mod imp {
    use std::sync::{Mutex, MutexGuard, Once, PoisonError};
    use std::thread;
    use std::time::{Duration, Instant};

    /// How long is waited before a thread is interrupted, and before that is done again.
    const PATIENCE: Duration = Duration::from_secs(1);
    /// How often nobody may be opening until nobody is watched any more.
    const IDLE: u32 = 10;

    static STATE: Mutex<State> =
        Mutex::new(State { opening: Vec::new(), next: 0, is_watched: false });

    struct State {
        /// Who is opening a file since when.
        opening: Vec<(u64, Thread, Instant)>,
        next: u64,
        /// There is a thread that interrupts.
        is_watched: bool,
    }

    #[derive(Clone, Copy)]
    struct Thread(libc::pthread_t);

    #[allow(unsafe_code)] // Some systems name threads by a pointer.
    // SAFETY: the value only names a thread, and pthreads' functions take the names of other threads.
    unsafe impl Send for Thread {}

    fn state() -> MutexGuard<'static, State> {
        STATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens something, and is interrupted if that takes long.
    pub(crate) fn watched<T>(open: impl FnOnce() -> T) -> T {
        let _opening = Opening::new();
        open()
    }

    struct Opening(u64);

    impl Opening {
        fn new() -> Opening {
            #[allow(unsafe_code)] // A function of the C library's.
            // SAFETY: it has no conditions.
            let thread = Thread(unsafe { libc::pthread_self() });
            let mut state = state();
            state.next += 1;
            let number = state.next;
            state.opening.push((number, thread, Instant::now()));
            if !state.is_watched {
                handle();
                let watcher = thread::Builder::new().name("wasio-opening".to_owned());
                state.is_watched = watcher.spawn(watch).is_ok();
            }
            Opening(number)
        }
    }

    impl Drop for Opening {
        fn drop(&mut self) {
            state().opening.retain(|(number, ..)| *number != self.0);
        }
    }

    /// Interrupts those that take long, until nobody has been opening for a while.
    fn watch() {
        let mut idle = 0;
        loop {
            thread::sleep(PATIENCE);
            let mut state = state();
            idle = if state.opening.is_empty() { idle + 1 } else { 0 };
            if idle == IDLE {
                state.is_watched = false;
                return;
            }
            for (_, thread, since) in &state.opening {
                if since.elapsed() >= PATIENCE {
                    interrupt(*thread);
                }
            }
        }
    }

    #[allow(unsafe_code)] // A function of the C library's.
    fn interrupt(thread: Thread) {
        // SAFETY: the thread has not ended: it is in `STATE`, which is locked, and takes itself out before.
        unsafe { libc::pthread_kill(thread.0, libc::SIGURG) };
    }

    /// Has the signal interrupt calls, unless the program handles it.
    #[allow(unsafe_code)] // A function of the C library's.
    fn handle() {
        static ONCE: Once = Once::new();
        extern "C" fn nothing(_signal: libc::c_int) {}
        ONCE.call_once(|| {
            // SAFETY: all zeros are a value of this structure of numbers and null pointers. The handler does nothing, so
            // it may be called anywhere.
            unsafe {
                let mut own: libc::sigaction = std::mem::zeroed();
                if libc::sigaction(libc::SIGURG, std::ptr::null(), &mut own) == 0
                    && own.sa_sigaction == libc::SIG_DFL
                {
                    own.sa_sigaction = nothing as extern "C" fn(libc::c_int) as libc::sighandler_t;
                    own.sa_flags = 0;
                    libc::sigaction(libc::SIGURG, &own, std::ptr::null_mut());
                }
            }
        });
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::fs::{CWD, Mode, OFlags, mkfifoat, open};
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_fifo_that_nobody_else_opens_does_not_hold_the_thread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        mkfifoat(CWD, &path, Mode::RWXU).unwrap();
        let mut tries = 0;
        let opened = retried(
            || {
                tries += 1;
                open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            },
            |opened| opened.as_ref().is_err_and(|e| *e == Errno::INTR),
        );
        assert_eq!((opened.unwrap_err(), tries), (Errno::INTR, 3));
    }
}
