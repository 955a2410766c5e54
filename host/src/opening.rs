//! Opening files without waiting forever.
//!
//! Opening a FIFO blocks until its other end is opened. FIFOs are refused, but a guest may replace a file with one
//! after the check, and one of the few threads for files would never return. A thread that has been opening a file for
//! longer than a second is therefore sent SIGURG, once a second. The handler does nothing: the system call returns with
//! `EINTR` and is tried again. A slow file system is not disturbed.
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

/// Opens the folder `of` once more, to list it. Its own descriptor may be one that cannot be read (`O_PATH`).
#[cfg(unix)]
pub(crate) fn entries(of: &std::fs::File) -> std::io::Result<rustix::fs::Dir> {
    use rustix::fs::{Dir, Mode, OFlags, openat};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(Dir::new(openat(of, ".", flags, Mode::empty())?)?)
}

/// Opening does not block on another process on this system.
#[cfg(not(unix))]
pub(crate) fn watched<T>(open: impl FnOnce() -> T) -> T {
    open()
}

#[cfg(unix)]
mod imp {
    use std::sync::{Mutex, MutexGuard, Once, PoisonError};
    use std::thread;
    use std::time::{Duration, Instant};

    /// The time before a thread is interrupted, and between interruptions.
    const INTERVAL: Duration = Duration::from_secs(1);
    /// The watcher ends after this many rounds in a row without a thread that is opening a file.
    const IDLE_ROUNDS: u32 = 10;

    static STATE: Mutex<State> =
        Mutex::new(State { opening: Vec::new(), next: 0, is_watched: false });

    struct State {
        /// The threads that are opening a file: a number, the thread, and when it began.
        opening: Vec<(u64, Thread, Instant)>,
        next: u64,
        /// Whether the watcher thread is running.
        is_watched: bool,
    }

    #[derive(Clone, Copy)]
    struct Thread(libc::pthread_t);

    #[allow(unsafe_code)] // Some systems identify threads by a pointer.
    // SAFETY: the value only identifies a thread. The functions of pthreads accept the identifiers of other threads.
    unsafe impl Send for Thread {}

    fn state() -> MutexGuard<'static, State> {
        STATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `open`, and interrupts it if it takes long.
    pub(crate) fn watched<T>(open: impl FnOnce() -> T) -> T {
        let _opening = Opening::new();
        open()
    }

    struct Opening(u64);

    impl Opening {
        fn new() -> Opening {
            #[allow(unsafe_code)] // A function of the C library.
            // SAFETY: the function has no preconditions.
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

    /// Interrupts threads that take long, until no thread has been opening a file for a while.
    fn watch() {
        let mut idle = 0;
        loop {
            thread::sleep(INTERVAL);
            let mut state = state();
            idle = if state.opening.is_empty() { idle + 1 } else { 0 };
            if idle == IDLE_ROUNDS {
                state.is_watched = false;
                return;
            }
            for (_, thread, since) in &state.opening {
                if since.elapsed() >= INTERVAL {
                    interrupt(*thread);
                }
            }
        }
    }

    #[allow(unsafe_code)] // A function of the C library.
    fn interrupt(thread: Thread) {
        // SAFETY: the thread has not ended. It is in `STATE`, which is locked, and it removes itself before it ends.
        unsafe { libc::pthread_kill(thread.0, libc::SIGURG) };
    }

    /// Installs a handler so that the signal interrupts system calls, unless the program already handles it.
    #[allow(unsafe_code)] // A function of the C library.
    fn handle() {
        static ONCE: Once = Once::new();
        extern "C" fn nothing(_signal: libc::c_int) {}
        ONCE.call_once(|| {
            // SAFETY: all zeros are a valid value of this structure of numbers and null pointers. The handler does
            // nothing, so it may be called anywhere.
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
