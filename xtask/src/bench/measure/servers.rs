//! The servers of a step: all run at once, and are measured in alternation.
//!
//! Measurements can therefore be short, and the candidates that are compared run within a second of each other. The
//! speed of a shared machine changes from one second to the next. A server that is not being measured sleeps, because
//! it receives nothing. A server that spins is stopped meanwhile, as by Ctrl-Z. The others are not, because WasmEdge's
//! polls fail when a stop ends. Servers have one processor, and clients another.

use std::time::Duration;

use anyhow::Result;
use xtask::platform::Platform::{Native, Wasio, Wasip2, Wasmedge};
use xtask::process::{Running, Stop};
use xtask::{processor, workspace};

use super::programs::Program;
use super::session::{Candidate, Entry, Session};

const LIMIT: Duration = Duration::from_secs(120);

/// Returns the server `bin` of every runtime, on every platform where the runtime has sockets.
pub(crate) const fn tcp_servers(bin: &'static str) -> [Entry; 11] {
    [
        Entry::new(Native, "tokio", Program::native("tokio", bin).with("net")),
        Entry::new(Wasio, "wasio", Program::wasip1("wasio", bin)),
        Entry::new(Wasio, "tokio", Program::wasip1("tokio", bin).with("given").unstable()),
        Entry::new(Wasio, "bare", Program::wasip1("bare", bin)),
        Entry::new(Wasmedge, "wasio", Program::wasip1("wasio", bin)),
        Entry::new(Wasmedge, "tokio_wasi", Program::wasip1("tokio-wasi", bin)),
        Entry::new(Wasmedge, "bare", Program::wasip1("bare", bin)),
        Entry::new(Wasip2, "wasio", Program::wasip2("wasio", bin)),
        Entry::new(Wasip2, "tokio", Program::wasip2("tokio", bin).with("net").unstable()),
        Entry::new(Wasip2, "wstd", Program::wasip2("wstd", bin)),
        Entry::new(Wasip2, "bare", Program::wasip2("bare", bin)),
    ]
}

/// A running server of a candidate, and its clients.
pub(crate) struct Server<C> {
    candidate: Candidate,
    running: Running,
    address: String,
    clients: C,
}

impl<C> AsRef<Candidate> for Server<C> {
    fn as_ref(&self) -> &Candidate {
        &self.candidate
    }
}

impl<C> Server<C> {
    fn start(candidate: &Candidate, clients: impl FnOnce(&str) -> Result<C>) -> Result<Self> {
        let address = format!("127.0.0.1:{}", workspace::free_port()?);
        let running = candidate.serve(&address).spawn(candidate.entry.runtime)?;
        running.line("listening", LIMIT)?;
        processor::keep(running.id(), processor::SERVER);
        let clients = clients(&address).map_err(|e| running.failure(format!("{e:#}")))?;
        let mut server = Server { candidate: candidate.clone(), running, address, clients };
        server.set_state(Stop::Stopped)?;
        Ok(server)
    }

    fn set_state(&mut self, stop: Stop) -> Result<()> {
        if self.candidate.entry.program.is_restless() {
            self.running.set_state(stop)?;
        }
        Ok(())
    }

    /// Lets the server run for the length of one measurement.
    pub(crate) fn measure<T>(&mut self, once: impl FnOnce(&str, &mut C) -> Result<T>) -> Result<T> {
        self.set_state(Stop::Running)?;
        let result = once(&self.address, &mut self.clients);
        let stopped = self.set_state(Stop::Stopped);
        let result = result.map_err(|e| self.running.failure(format!("{e:#}")))?;
        stopped?;
        Ok(result)
    }
}

/// Starts the server of every candidate, and calls `clients` with its address. A candidate that fails is removed from
/// `candidates`, and the benchmark fails in the end.
///
/// # Errors
/// Fails as the session does. A server that fails is no error.
pub(crate) fn start_servers<C>(
    session: &mut Session<'_>,
    group: &str,
    step: &str,
    candidates: &mut Vec<Candidate>,
    mut clients: impl FnMut(&str) -> Result<C>,
) -> Result<Vec<Server<C>>> {
    let _inside = session.network.enter();
    let mut running_servers = Vec::new();
    let mut failures = Vec::new();
    session.steps.run(&format!("{step}: start"), "all", |progress| {
        candidates.retain(|candidate| {
            progress(&candidate.name());
            match Server::start(candidate, &mut clients) {
                Ok(server) => running_servers.push(server),
                Err(e) => {
                    failures.push((candidate.name(), e.context(step.to_owned())));
                    return false;
                }
            }
            true
        });
        Ok(((), format!("{} servers", running_servers.len())))
    })?;
    for (who, why) in failures {
        session.failed(group, &who, &why);
    }
    Ok(running_servers)
}

/// Removes the candidates whose server failed.
pub(crate) fn retain<C>(candidates: &mut Vec<Candidate>, running_servers: &[Server<C>]) {
    candidates
        .retain(|one| running_servers.iter().any(|other| other.candidate.name() == one.name()));
}
