//! Signals that ask this process to end.

use wasio_host::{Signal, Signals};

use super::{INTERRUPTED, TERMINATED};

/// Waits for a request to end. Returns its exit code.
pub(crate) async fn interrupted() -> u8 {
    code(Requests::new().next().await)
}

/// Waits for a request to end that is not passed on to the guest: the second one if the guest receives signals,
/// otherwise the first. Dropping the guest's future then stops it, whatever it is doing.
pub(crate) async fn told_or_interrupted(signals: &Signals) -> u8 {
    let mut requests = Requests::new();
    let first = requests.next().await;
    code(if signals.send(first) { requests.next().await } else { first })
}

fn code(signal: Signal) -> u8 {
    match signal {
        Signal::Terminate => TERMINATED,
        _ => INTERRUPTED,
    }
}

struct Requests {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Requests {
    fn new() -> Requests {
        use tokio::signal::unix::{SignalKind, signal};
        Requests {
            terminate: signal(SignalKind::terminate()).ok(),
            interrupt: signal(SignalKind::interrupt()).ok(),
        }
    }

    async fn next(&mut self) -> Signal {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal.as_mut() {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = one(&mut self.interrupt) => Signal::Interrupt,
            () = one(&mut self.terminate) => Signal::Terminate,
        }
    }
}

#[cfg(not(unix))]
impl Requests {
    fn new() -> Requests {
        Requests {}
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
