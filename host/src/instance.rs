//! An instance: a guest whose exports are called one by one.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasmtime::{Extern, Func, FuncType, Store, TypedFunc, Val, WasmParams, WasmResults};

use crate::call::{drive, not_exported, note_fuel, trapped, typed, wrong_type};
use crate::error::Error;
use crate::events::Life;
use crate::p1::state::State;
use crate::stats::Stats;
use crate::ticker::Ticker;

/// An epoch deadline that no tick reaches.
const NEVER: u64 = u64::MAX / 2;

/// An instantiated guest: a library whose exports are called one by one. [`Guest::instantiate`] creates it.
///
/// One call runs at a time. An instance is *poisoned* if a call did not return because it trapped, was dropped or ran
/// out of time: the guest stopped somewhere in the middle. Every later call then fails with [`Error::Poisoned`].
///
/// # Examples
///
/// ```
/// use wasio_host::{Engine, Error, Guest, Program};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let wasm = wat::parse_str(r#"(module
/// #     (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
/// #     (func (export "fail") unreachable))"#)?;
/// let program = Program::new(&Engine::new()?, &wasm)?;
/// let mut instance = Guest::builder(&program).build()?.instantiate().await?;
/// assert_eq!(instance.call_async::<(i32, i32), i32>("add", (20, 22)).await?, 42);
///
/// assert!(matches!(instance.call_async::<(), ()>("fail", ()).await, Err(Error::Trap(_))));
/// let poisoned = instance.call_async::<(i32, i32), i32>("add", (1, 1)).await;
/// assert!(matches!(poisoned, Err(Error::Poisoned)));
/// # Ok(())
/// # }
/// ```
///
/// [`Guest::instantiate`]: crate::Guest::instantiate
pub struct Instance {
    store: Store<State>,
    instance: wasmtime::Instance,
    ticker: Arc<Ticker>,
    stats: Stats,
    fuel: u64,
    timeout: Option<Duration>,
    /// Whether a call has begun and not returned.
    unfinished: bool,
    life: Life,
}

impl Instance {
    pub(crate) fn new(
        store: Store<State>,
        instance: wasmtime::Instance,
        ticker: Arc<Ticker>,
        fuel: u64,
        timeout: Option<Duration>,
        life: Life,
    ) -> Instance {
        let stats = store.data().tally.stats().clone();
        Instance { store, instance, ticker, stats, fuel, timeout, unfinished: false, life }
    }

    /// Calls an exported function. The future is pending while the function waits for an async import.
    ///
    /// Parameters and results are values or tuples of values, as in wasmtime.
    ///
    /// # Errors
    ///
    /// - [`Error::NotExported`] if no function of this name and type is exported.
    /// - [`Error::Trap`] if the function traps or an import fails.
    /// - [`Error::TimedOut`] if the call takes longer than the guest's time limit, which applies to each call.
    /// - [`Error::OutOfFuel`] if it uses up the fuel that earlier calls left.
    /// - [`Error::Exited`] if the guest exits.
    /// - [`Error::Poisoned`] if an earlier call did not return.
    ///
    /// # Panics
    ///
    /// Propagates a panic of a host function.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future unwinds the guest and drops the future of the import that it waits for. The instance is
    /// poisoned.
    pub async fn call_async<P, R>(&mut self, name: &str, params: P) -> Result<R, Error>
    where
        P: WasmParams + Sync,
        R: WasmResults + Sync,
    {
        let func = self.typed::<P, R>(name)?;
        self.call_typed_async(&func, params).await
    }

    /// Looks up a function, so that it can be called more than once.
    ///
    /// # Errors
    ///
    /// [`Error::NotExported`] if no function of this name and type is exported.
    pub fn typed<P, R>(&mut self, name: &str) -> Result<TypedFunc<P, R>, Error>
    where
        P: WasmParams + Sync,
        R: WasmResults + Sync,
    {
        let export = self.instance.get_export(&mut self.store, name);
        typed(export, name, &self.store)
    }

    /// Calls a function that was looked up with [`typed`](Self::typed) in this instance.
    ///
    /// # Errors
    ///
    /// The same as for [`call_async`](Self::call_async).
    ///
    /// # Panics
    ///
    /// Panics if the function belongs to another instance.
    pub async fn call_typed_async<P, R>(
        &mut self,
        func: &TypedFunc<P, R>,
        params: P,
    ) -> Result<R, Error>
    where
        P: WasmParams + Sync,
        R: WasmResults + Sync,
    {
        self.begin()?;
        let called = func.call_async(&mut self.store, params);
        let result = drive(called, &self.ticker, &self.stats, self.timeout).await;
        self.finish(result)
    }

    /// Calls a function whose type is known only at run time.
    ///
    /// # Errors
    ///
    /// The same as for [`call_async`](Self::call_async). [`Error::NotExported`] is also returned if the arguments do
    /// not fit.
    pub async fn call_dynamic_async(
        &mut self,
        name: &str,
        params: &[Val],
    ) -> Result<Vec<Val>, Error> {
        let (func, ty) = self.function(name)?;
        let mut pairs = ty.params().zip(params);
        let fits = ty.params().len() == params.len()
            && pairs.all(|(ty, param)| param.matches_ty(&self.store, &ty).unwrap_or(false));
        if !fits {
            return Err(wrong_type(name, &ty, &format!("it was called with {params:?}")));
        }
        let mut results = vec![Val::I32(0); ty.results().len()];
        self.begin()?;
        let called = func.call_async(&mut self.store, params, &mut results);
        let result = drive(called, &self.ticker, &self.stats, self.timeout).await;
        self.finish(result)?;
        Ok(results)
    }

    /// Returns the type of an exported function.
    ///
    /// # Errors
    ///
    /// [`Error::NotExported`] if no function of this name is exported.
    pub fn signature(&mut self, name: &str) -> Result<FuncType, Error> {
        self.function(name).map(|(_, ty)| ty)
    }

    fn function(&mut self, name: &str) -> Result<(Func, FuncType), Error> {
        let export = self.instance.get_export(&mut self.store, name);
        let Some(Extern::Func(func)) = export else {
            return Err(not_exported(name, export.as_ref()));
        };
        Ok((func, func.ty(&self.store)))
    }

    /// Calls an exported function that must not wait: every import that it reaches must be ready at once.
    ///
    /// The guest is not interrupted while it computes, however long that takes.
    ///
    /// # Errors
    ///
    /// The same as for [`call_async`](Self::call_async), except that there is no time limit. [`Error::Suspended`] if
    /// the function reached an async import that was not ready. The guest is then unwound, and the instance is
    /// poisoned.
    pub fn call<P, R>(&mut self, name: &str, params: P) -> Result<R, Error>
    where
        P: WasmParams + Sync,
        R: WasmResults + Sync,
    {
        let func = self.typed::<P, R>(name)?;
        self.begin()?;
        self.store.set_epoch_deadline(NEVER);
        let result = {
            let call = pin!(func.call_async(&mut self.store, params));
            match call.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(result) => result,
                Poll::Pending => return Err(Error::Suspended { name: name.to_owned() }),
            }
        };
        self.store.set_epoch_deadline(1);
        self.finish(Ok(result))
    }

    /// Returns the guest's memory, if it exports one under the name `memory`.
    pub fn memory(&mut self) -> Option<&mut [u8]> {
        let memory = self.instance.get_memory(&mut self.store, "memory")?;
        Some(memory.data_mut(&mut self.store))
    }

    /// Returns the guest's counters.
    pub fn stats(&self) -> Stats {
        self.stats.clone()
    }

    fn begin(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.unfinished, true) {
            return Err(Error::Poisoned);
        }
        Ok(())
    }

    fn finish<R>(&mut self, result: Result<wasmtime::Result<R>, Error>) -> Result<R, Error> {
        note_fuel(&self.store, self.fuel, &self.stats);
        let result = result.and_then(|returned| returned.map_err(trapped));
        match &result {
            Ok(_) => self.unfinished = false,
            Err(error) => self.life.ended(Err(error)),
        }
        result
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("unfinished", &self.unfinished).finish_non_exhaustive()
    }
}
