//! The engine: what all programs and guests of an embedder share.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use wasmtime::{Config, Linker, component};

use crate::cache::Cache;
use crate::error::Error;
use crate::link;
use crate::state::State;
use crate::ticker::Ticker;

/// Stack for the guest's own frames. Native threads have 2 MiB, wasmtime's
/// default is 512 KiB; recursive parsers are written with the former in mind.
const GUEST_STACK: usize = 1 << 20;
/// The whole suspended stack: the guest's part and the host functions' above it.
const STACK: usize = 2 << 20;

/// Compiles programs and holds what their guests share: the compiler's
/// configuration, the imports, the cache of compiled code. Clones are one
/// engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    engine: wasmtime::Engine,
    linker: Linker<State>,
    /// What components import; made when the first one is loaded.
    interfaces: OnceLock<component::Linker<State>>,
    cache: Option<Cache>,
    ticker: Arc<Ticker>,
}

/// Settings of an [`Engine`].
#[derive(Clone, Debug)]
pub struct EngineBuilder {
    cache: Option<PathBuf>,
}

impl EngineBuilder {
    /// Keeps compiled code in `folder` instead of the user's cache folder.
    /// It must not be writable for anybody who is not trusted: what is in it
    /// is executed.
    pub fn cache_folder(mut self, folder: impl Into<PathBuf>) -> EngineBuilder {
        self.cache = Some(folder.into());
        self
    }

    /// Compiles every program anew.
    pub fn no_cache(mut self) -> EngineBuilder {
        self.cache = None;
        self
    }

    /// Sets the engine up.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] when this machine lacks what the engine needs.
    pub fn build(self) -> Result<Engine, Error> {
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .max_wasm_stack(GUEST_STACK)
            .async_stack_size(STACK)
            .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(64));
        let engine = wasmtime::Engine::new(&config).map_err(Error::Engine)?;
        let mut linker = Linker::new(&engine);
        link::define(&mut linker).map_err(Error::Engine)?;
        let ticker = Ticker::start(&engine).map_err(|e| Error::Engine(e.into()))?;
        let inner = Inner {
            engine,
            linker,
            interfaces: OnceLock::new(),
            cache: self.cache.map(Cache::new),
            ticker: Arc::new(ticker),
        };
        Ok(Engine { inner: Arc::new(inner) })
    }
}

impl Engine {
    /// An engine with default settings.
    ///
    /// # Errors
    ///
    /// As [`EngineBuilder::build`].
    pub fn new() -> Result<Engine, Error> {
        Engine::builder().build()
    }

    /// Starts from the default settings: compiled code is cached in
    /// `$WASIO_CACHE_DIR`, or else in the user's cache folder.
    pub fn builder() -> EngineBuilder {
        EngineBuilder { cache: Cache::default_folder() }
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.engine
    }

    pub(crate) fn linker(&self) -> &Linker<State> {
        &self.inner.linker
    }

    pub(crate) fn interfaces(&self) -> wasmtime::Result<&component::Linker<State>> {
        if let Some(interfaces) = self.inner.interfaces.get() {
            return Ok(interfaces);
        }
        let mut interfaces = component::Linker::new(&self.inner.engine);
        crate::interfaces::define(&mut interfaces)?;
        Ok(self.inner.interfaces.get_or_init(|| interfaces))
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.inner.cache.as_ref()
    }

    pub(crate) fn ticker(&self) -> Arc<Ticker> {
        self.inner.ticker.clone()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("cache", &self.inner.cache).finish_non_exhaustive()
    }
}
