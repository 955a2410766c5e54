//! A thread that writes, so that no other thread waits for a reader.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The maximum number of bytes in the queue.
const FULL: usize = 256 * 1024;
/// How long `Writer::settle` waits for a reader that does not read.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long it waits for a reader that reads slowly.
const LONGEST: Duration = Duration::from_secs(2);

/// A queue of texts to be written, and the thread that writes them. The thread starts with the first text.
pub(crate) struct Writer {
    state: Mutex<State>,
    changed: Condvar,
    print: fn(&[u8]),
}

struct State {
    /// The texts to be written, including the current one.
    queue: VecDeque<Vec<u8>>,
    bytes: usize,
    left_out: u64,
    thread: Thread,
    /// The wakers of tasks that wait for room.
    wakers: Vec<Waker>,
}

#[derive(PartialEq)]
enum Thread {
    None,
    Runs,
    /// The thread could not be started.
    Failed,
}

impl Writer {
    /// Creates a writer. It writes with `print`, which may block.
    pub(crate) const fn new(print: fn(&[u8])) -> Writer {
        let state = State {
            queue: VecDeque::new(),
            bytes: 0,
            left_out: 0,
            thread: Thread::None,
            wakers: Vec::new(),
        };
        Writer { state: Mutex::new(state), changed: Condvar::new(), print }
    }

    /// Queues the text. If the queue is full, the text is dropped and counted.
    pub(crate) fn offer(&'static self, text: Vec<u8>) {
        let mut state = self.state();
        if state.bytes + text.len() > FULL {
            state.left_out += 1;
        } else {
            self.push(&mut state, text);
        }
    }

    /// Queues the text, however long the queue is. Call [`poll_room`](Self::poll_room) first.
    pub(crate) fn take(&'static self, text: Vec<u8>) {
        self.push(&mut self.state(), text);
    }

    /// Ready when the queue has room.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.bytes < FULL {
            return Poll::Ready(());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Waits until all texts are written.
    pub(crate) fn finish(&self) {
        let state = self.state();
        let waited = self.changed.wait_while(state, |state| !state.queue.is_empty());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until all texts are written, but only for a short time: half a second without progress, or two seconds in
    /// total.
    pub(crate) fn settle(&self) {
        let begun = Instant::now();
        let mut state = self.state();
        let mut progress = (begun, state.bytes);
        while !state.queue.is_empty() {
            if state.bytes != progress.1 {
                progress = (Instant::now(), state.bytes);
            }
            let until = (progress.0 + PATIENCE).min(begun + LONGEST);
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&'static self, state: &mut State, text: Vec<u8>) {
        if state.thread == Thread::None {
            let thread = std::thread::Builder::new().name("writer".to_owned());
            state.thread = match thread.spawn(|| self.run()) {
                Ok(_) => Thread::Runs,
                Err(_) => Thread::Failed,
            };
        }
        if state.thread == Thread::Failed {
            return (self.print)(&text);
        }
        state.bytes += text.len();
        state.queue.push_back(text);
        self.changed.notify_all();
    }

    fn run(&self) {
        let mut state = self.state();
        loop {
            let Some(text) = state.queue.front_mut().map(std::mem::take) else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            (self.print)(&text);
            state = self.state();
            state.queue.pop_front();
            state.bytes -= text.len();
            let left_out = std::mem::take(&mut state.left_out);
            if left_out > 0 {
                let text = format!(
                    "wasio: {left_out} messages were left out, because they were not read\n"
                );
                state.bytes += text.len();
                state.queue.push_back(text.into());
            }
            if state.bytes < FULL {
                state.wakers.drain(..).for_each(Waker::wake);
            }
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    static LOCK: Mutex<()> = Mutex::new(());
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    static WRITER: Writer = Writer::new(|text| {
        let _lock = LOCK.lock().unwrap();
        WRITTEN.fetch_add(text.len(), SeqCst);
    });

    #[test]
    fn what_finds_no_room_is_counted_and_the_end_does_not_wait_for_ever() {
        let stalled = LOCK.lock().unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(WRITER.poll_room(&mut cx).is_ready());
        for _ in 0..1000 {
            WRITER.offer(vec![b'x'; 1024]);
        }
        WRITER.take(vec![b'y'; 10]);
        assert!(WRITER.poll_room(&mut cx).is_pending());
        let begun = Instant::now();
        WRITER.settle();
        assert!(begun.elapsed() >= PATIENCE && begun.elapsed() < 10 * LONGEST);
        assert_eq!(WRITTEN.load(SeqCst), 0);
        drop(stalled);
        WRITER.finish();
        let said = "wasio: 744 messages were left out, because they were not read\n".len();
        assert_eq!(WRITTEN.load(SeqCst), FULL + 10 + said);
        assert!(WRITER.poll_room(&mut cx).is_ready());
    }
}
