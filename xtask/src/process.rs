//! A program that runs beside us with its output collected, killed when dropped.
//!
//! Every wait has a limit: a guest that hangs is a failure with its output, not a hang.

use std::fmt;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A failure of a program, with its output so far.
#[derive(Debug)]
pub struct Failure {
    /// The program's name in reports.
    pub name: String,
    /// The expectation, and what happened instead.
    pub what: String,
    /// Its standard output so far.
    pub stdout: String,
    /// Its standard error so far.
    pub stderr: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.what)?;
        for (stream, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.trim().is_empty() {
                write!(f, "\n--- its {stream} ---\n{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// Whether a program runs or is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Stopped, as by Ctrl-Z.
    Stopped,
    /// Running.
    Running,
}

/// A program that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The program's name in reports.
    pub name: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Everything it wrote to standard output.
    pub stdout: String,
    /// Everything it wrote to standard error.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
}

impl Finished {
    /// Fails unless the exit code was 0.
    ///
    /// # Errors
    /// With the program's output.
    pub fn success(self) -> Result<Self, Failure> {
        if self.status.success() {
            return Ok(self);
        }
        let what = format!("ended with {}", self.status);
        Err(self.failure(what))
    }

    /// Fails unless standard output, trimmed, is exactly `expected`.
    ///
    /// # Errors
    /// With the program's output.
    pub fn prints(self, expected: &str) -> Result<Self, Failure> {
        let this = self.success()?;
        if this.stdout.trim() == expected {
            return Ok(this);
        }
        let what = format!("printed {:?}, expected {expected:?}", this.stdout.trim());
        Err(this.failure(what))
    }

    /// Returns a failure with this text.
    pub fn failure(self, what: impl Into<String>) -> Failure {
        Failure { name: self.name, what: what.into(), stdout: self.stdout, stderr: self.stderr }
    }
}

/// One of a program's output streams, read by a thread of its own.
struct Capture {
    shared: Arc<(Mutex<Text>, Condvar)>,
}

#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    ended: bool,
}

impl Capture {
    fn start(mut from: impl Read + Send + 'static) -> Capture {
        let shared = Arc::new((Mutex::new(Text::default()), Condvar::new()));
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut chunk = [0; 16 * 1024];
            loop {
                let n = from.read(&mut chunk).unwrap_or(0);
                let mut text = theirs.0.lock().expect("no panic under this lock");
                text.bytes.extend_from_slice(&chunk[..n]);
                text.ended = n == 0;
                theirs.1.notify_all();
                if n == 0 {
                    return;
                }
            }
        });
        Capture { shared }
    }

    fn text(&self) -> String {
        let text = self.shared.0.lock().expect("no panic under this lock");
        String::from_utf8_lossy(&text.bytes).into_owned()
    }

    /// Waits until `found` says yes to the text so far, the stream ends, or `until` is reached.
    fn wait(&self, until: Instant, found: impl Fn(&str) -> bool) -> bool {
        let mut text = self.shared.0.lock().expect("no panic under this lock");
        loop {
            if found(&String::from_utf8_lossy(&text.bytes)) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if text.ended || left.is_zero() {
                return false;
            }
            text = self.shared.1.wait_timeout(text, left).expect("no panic under this lock").0;
        }
    }
}

/// A running program. Dropping it kills it.
pub struct Running {
    name: String,
    child: Child,
    stdout: Capture,
    stderr: Capture,
    started: Instant,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("name", &self.name).field("id", &self.child.id()).finish()
    }
}

impl Running {
    /// Starts `command` with both outputs collected and a standard input that `stdin` writes to.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(name: &str, command: &mut Command) -> Result<Running, Failure> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| Failure {
            name: name.to_owned(),
            what: format!("cannot start {:?}: {e}", command.get_program()),
            stdout: String::new(),
            stderr: String::new(),
        })?;
        let stdout = Capture::start(child.stdout.take().expect("piped above"));
        let stderr = Capture::start(child.stderr.take().expect("piped above"));
        Ok(Running { name: name.to_owned(), child, stdout, stderr, started: Instant::now() })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything written to standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Everything written to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Writes to the program's standard input.
    ///
    /// # Errors
    /// When the program has closed it.
    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let stdin = self.child.stdin.as_mut().expect("open until `finish`");
        stdin.write_all(bytes)?;
        stdin.flush()
    }

    /// Waits until standard output has a line that starts with `start`; returns that line's rest.
    ///
    /// # Errors
    /// When the program ends or `limit` passes before.
    pub fn line(&self, start: &str, limit: Duration) -> Result<String, Failure> {
        let rest = |text: &str| {
            let complete = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
            complete.lines().find_map(|line| line.strip_prefix(start)).map(str::to_owned)
        };
        self.stdout.wait(Instant::now() + limit, |text| rest(text).is_some());
        rest(&self.stdout.text())
            .map(|line| line.trim().to_owned())
            .ok_or_else(|| self.failure(format!("printed no line starting {start:?}")))
    }

    /// Waits until something accepts connections at `127.0.0.1:port`.
    ///
    /// # Errors
    /// When the program ends or `limit` passes before.
    pub fn listens(&mut self, port: u16, limit: Duration) -> Result<(), Failure> {
        let until = Instant::now() + limit;
        loop {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.failure(format!("ended with {status} before it listened")));
            }
            if Instant::now() > until {
                return Err(self.failure(format!("does not listen on port {port}")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops the program, or lets it go on. Where processes cannot be stopped, nothing happens.
    ///
    /// # Errors
    /// When it has ended.
    pub fn set_state(&mut self, stop: Stop) -> Result<(), Failure> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(self.failure(format!("ended with {status} on its own")));
        }
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process};
            let signal = if stop == Stop::Stopped { Signal::STOP } else { Signal::CONT };
            let sent = kill_process(Pid::from_child(&self.child), signal);
            sent.map_err(|e| self.failure(format!("cannot be signalled: {e}")))
        }
        #[cfg(not(unix))]
        {
            let _ = stop;
            Ok(())
        }
    }

    /// Waits for the program to end by itself.
    ///
    /// # Errors
    /// When it is still running after `limit`; it is then killed.
    pub fn finish(self, limit: Duration) -> Result<Finished, Failure> {
        self.watch(limit, &|_| {})
    }

    /// Does the same, and calls `progress` with the last line of standard error now and then.
    ///
    /// # Errors
    /// When it is still running after `limit`; it is then killed.
    pub fn watch(mut self, limit: Duration, progress: &dyn Fn(&str)) -> Result<Finished, Failure> {
        drop(self.child.stdin.take());
        let until = Instant::now() + limit;
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(line) = self.stderr().lines().next_back() {
                progress(line.trim());
            }
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(self.finished(status)),
                Ok(None) if Instant::now() < until => std::thread::sleep(pause),
                Ok(None) => return Err(self.failure(format!("still runs after {limit:?}"))),
                Err(e) => return Err(self.failure(format!("cannot be waited for: {e}"))),
            }
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// Kills the program. Returns its output.
    ///
    /// # Errors
    /// When it had already ended by itself: a server that is stopped should be alive.
    pub fn stop(mut self) -> Result<Finished, Failure> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(self.failure(format!("ended with {status} on its own")));
        }
        let _ = self.child.kill();
        match self.child.wait() {
            Ok(status) => Ok(self.finished(status)),
            Err(e) => Err(self.failure(format!("cannot be waited for: {e}"))),
        }
    }

    /// A failure with this text and the program's output so far.
    pub fn failure(&self, what: impl Into<String>) -> Failure {
        Failure {
            name: self.name.clone(),
            what: what.into(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }

    fn finished(&mut self, status: ExitStatus) -> Finished {
        let took = self.started.elapsed();
        // The pipes close with the process, unless it left a child behind: so a limit here too.
        let until = Instant::now() + Duration::from_secs(2);
        self.stdout.wait(until, |_| false);
        self.stderr.wait(until, |_| false);
        Finished {
            name: self.name.clone(),
            status,
            stdout: self.stdout(),
            stderr: self.stderr(),
            took,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
