//! Calls of a guest's functions, whatever its ABI.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::coop::unconstrained;
use wasmtime::{AsContext, Extern, FuncType, Store, TypedFunc, WasmParams, WasmResults};

use crate::error::{Error, Trap};
use crate::exit::{Exit, Exited};
use crate::stats::Stats;
use crate::ticker::{Ticked, Ticker};

/// Polls a guest's call: with the ticker running, outside of tokio's budget, and within the time limit.
pub(crate) async fn drive<T>(
    call: impl Future<Output = T>,
    ticker: &Arc<Ticker>,
    stats: &Stats,
    timeout: Option<Duration>,
) -> Result<T, Error> {
    // A guest with a runtime is held to tokio's budget by that runtime. The host's budget would make sockets seem
    // unready.
    let call = pin!(call);
    let call = unconstrained(Ticked::new(call, ticker.clone(), stats.clone()));
    match timeout {
        None => Ok(call.await),
        Some(limit) => tokio::time::timeout(limit, call).await.map_err(|_| Error::TimedOut(limit)),
    }
}

/// Returns the export as a function of this type.
pub(crate) fn typed<P, R>(
    export: Option<Extern>,
    name: &str,
    store: impl AsContext,
) -> Result<TypedFunc<P, R>, Error>
where
    P: WasmParams + Sync,
    R: WasmResults + Sync,
{
    let func = match &export {
        Some(Extern::Func(func)) => func,
        _ => return Err(not_exported(name, export.as_ref())),
    };
    func.typed::<P, R>(&store).map_err(|e| wrong_type(name, &func.ty(&store), &format!("{e:#}")))
}

pub(crate) fn not_exported(name: &str, export: Option<&Extern>) -> Error {
    let reason = match export {
        None => "there is no export of this name",
        Some(_) => "it is no function",
    };
    Error::NotExported { name: name.to_owned(), reason: reason.to_owned() }
}

pub(crate) fn wrong_type(name: &str, ty: &FuncType, why: &str) -> Error {
    Error::NotExported { name: name.to_owned(), reason: format!("its type is {ty}: {why}") }
}

/// Records in the counters how much of the `given` fuel the guest has burnt.
pub(crate) fn note_fuel<T>(store: &Store<T>, given: u64, stats: &Stats) {
    if let Ok(left) = store.get_fuel() {
        stats.burnt(given.saturating_sub(left));
    }
}

/// Converts the error of a call that did not return: a guest's exit, or an error.
pub(crate) fn ended(error: wasmtime::Error) -> Result<Exit, Error> {
    match trapped(error) {
        Error::Exited(exit) => Ok(exit),
        error => Err(error),
    }
}

pub(crate) fn trapped(error: wasmtime::Error) -> Error {
    match error.downcast_ref::<Exited>() {
        Some(exited) => Error::Exited(Exit::new(exited.0)),
        // If no code of the guest was running, there was no stack for it.
        None if !error.is::<wasmtime::WasmBacktrace>() && !error.is::<wasmtime::Trap>() => {
            Error::start(error)
        }
        None if matches!(error.downcast_ref(), Some(wasmtime::Trap::OutOfFuel)) => Error::OutOfFuel,
        None => Error::Trap(Trap::new(&error)),
    }
}
