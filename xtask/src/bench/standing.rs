//! Servers that stand ready: all of a step are up at once, and have their turns one after the other.
//!
//! So turns can be short, and who is compared has the processors within a second of each other: what a shared machine
//! is worth changes from one second to the next. Whoever has no turn sleeps, since nobody asks anything of it; a server
//! that would not sleep is stopped meanwhile, as by Ctrl-Z. Not all are, because WasmEdge's polls fail when that ends.
//! Servers have one processor, and clients another.

use std::time::Duration;

use anyhow::Result;
use xtask::process::{Running, Stop};
use xtask::{processor, workspace};

use super::field::{Contender, Field};

const LIMIT: Duration = Duration::from_secs(120);

/// A contender's server, and what its clients are.
pub(super) struct Standing<C> {
    contender: Contender,
    running: Running,
    address: String,
    clients: C,
}

impl<C> AsRef<Contender> for Standing<C> {
    fn as_ref(&self) -> &Contender {
        &self.contender
    }
}

impl<C> Standing<C> {
    fn start(contender: &Contender, clients: impl FnOnce(&str) -> Result<C>) -> Result<Self> {
        let address = format!("127.0.0.1:{}", workspace::free_port()?);
        let running = contender.serve(&address).spawn(contender.entry.runtime)?;
        running.line("listening", LIMIT)?;
        processor::keep(running.id(), processor::SERVER);
        let clients = clients(&address).map_err(|e| running.failure(format!("{e:#}")))?;
        let mut standing = Standing { contender: contender.clone(), running, address, clients };
        standing.stand(Stop::Stopped)?;
        Ok(standing)
    }

    fn stand(&mut self, stop: Stop) -> Result<()> {
        if self.contender.entry.program.is_restless() {
            self.running.stand(stop)?;
        }
        Ok(())
    }

    /// Has a turn of the server.
    pub(super) fn turn<T>(&mut self, turn: impl FnOnce(&str, &mut C) -> Result<T>) -> Result<T> {
        self.stand(Stop::Running)?;
        let result = turn(&self.address, &mut self.clients);
        let stopped = self.stand(Stop::Stopped);
        let result = result.map_err(|e| self.running.failure(format!("{e:#}")))?;
        stopped?;
        Ok(result)
    }
}

/// Starts everybody's server, and `clients` for it, which gets its address. Who fails is out, also of `contenders`, and
/// the benchmark fails in the end.
///
/// # Errors
/// None of its own: failures are the field's.
pub(super) fn stand<C>(
    field: &mut Field<'_>,
    group: &str,
    step: &str,
    contenders: &mut Vec<Contender>,
    mut clients: impl FnMut(&str) -> Result<C>,
) -> Result<Vec<Standing<C>>> {
    let _inside = field.network.enter();
    let mut standing = Vec::new();
    let mut failures = Vec::new();
    field.steps.run(&format!("{step}: start"), "all", |progress| {
        contenders.retain(|contender| {
            progress(&contender.name());
            match Standing::start(contender, &mut clients) {
                Ok(server) => standing.push(server),
                Err(e) => {
                    failures.push((contender.name(), e.context(step.to_owned())));
                    return false;
                }
            }
            true
        });
        Ok(((), format!("{} servers", standing.len())))
    })?;
    for (who, why) in failures {
        field.failed(group, &who, &why);
    }
    Ok(standing)
}

/// Who failed in a turn has no more.
pub(super) fn retain<C>(contenders: &mut Vec<Contender>, standing: &[Standing<C>]) {
    contenders.retain(|one| standing.iter().any(|other| other.contender.name() == one.name()));
}
