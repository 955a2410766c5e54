//! The engine: everything that the programs and guests of an embedding program share.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use wasmtime::{Config, Linker, Module, PoolingAllocationConfig, component};

use crate::cache::{self, Cache};
use crate::code_folders::{self, CodeFolders};
use crate::error::Error;
use crate::pool::{self, Pool};
use crate::ticker::Ticker;
use crate::wasi::Threads;
use crate::{p1, p2};

/// The stack for the guest's own frames. Native threads have 2 MiB, wasmtime's default is 512 KiB. Recursive parsers
/// are written with the former in mind.
const GUEST_STACK: usize = 1 << 20;
/// The whole suspended stack: the guest's part, and that of the host functions above it.
const STACK: usize = 2 << 20;
/// The number of simultaneous operations that a disk can make use of.
const FILE_THREADS: pool::Threads = pool::Threads { total: 64, per_guest: 4 };
/// A look-up without an answer occupies its thread for a long time.
const LOOKUP_THREADS: pool::Threads = pool::Threads { total: 64, per_guest: 8 };

/// Compiles programs, and holds what their guests share: the compiler's configuration, the imports, and the cache of
/// compiled code. Clones are the same engine.
///
/// # Examples
///
/// ```
/// use wasio_host::Engine;
///
/// let engine = Engine::builder().pool(100).meter_fuel().build()?;
/// # Ok::<(), wasio_host::Error>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    engine: wasmtime::Engine,
    /// The imports of modules, created with the first guest.
    linker: OnceLock<Linker<p1::state::State>>,
    /// The module of `trampoline.rs`, compiled when the first program needs it.
    trampolines: OnceLock<Module>,
    /// The imports of components, created when the first component is loaded.
    interfaces: OnceLock<component::Linker<p2::state::State>>,
    cache: Option<Cache>,
    /// The folders that no guest may be given, determined when the first guest is given a folder.
    code_folders: OnceLock<CodeFolders>,
    fuel: bool,
    ticker: Arc<Ticker>,
    files: Pool,
    lookups: Pool,
}

/// Settings of an [`Engine`]. [`Engine::builder`] creates it.
///
/// # Examples
///
/// ```
/// use wasio_host::Engine;
///
/// let engine = Engine::builder().pool(1000).file_threads(16, 2).no_cache().build()?;
/// # let _ = engine;
/// # Ok::<(), wasio_host::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EngineBuilder {
    cache: Option<PathBuf>,
    cache_size: u64,
    pool: Option<u32>,
    fuel: bool,
    files: pool::Threads,
    lookups: pool::Threads,
}

impl EngineBuilder {
    /// Keeps compiled code in `folder` instead of the user's cache folder.
    ///
    /// Files in the folder are executed. It is therefore used only if it and its entries belong to the effective user
    /// and no other user can write to them, and no guest is given it: see
    /// [`GuestBuilder::dir`](crate::GuestBuilder::dir). If the folder cannot be used, every program is compiled anew,
    /// and [`Engine::cache_refusal`] may say why.
    pub fn cache_folder(mut self, folder: impl Into<PathBuf>) -> EngineBuilder {
        self.cache = Some(folder.into());
        self
    }

    /// Limits the compiled code that is kept, in bytes. The default is 1 GiB. Beyond the limit, programs that were not
    /// loaded for the longest time are removed.
    pub fn cache_size(mut self, bytes: u64) -> EngineBuilder {
        self.cache_size = bytes;
        self
    }

    /// Compiles every program anew, and keeps no compiled code.
    pub fn no_cache(mut self) -> EngineBuilder {
        self.cache = None;
        self
    }

    /// Keeps stacks and memories for this many guests at a time, and reuses them instead of mapping new ones. Guests
    /// then start sooner, and each costs the kernel fewer mappings. A guest beyond that number is refused with
    /// [`Error::PoolExhausted`]; the others are not affected.
    ///
    /// Only address space is reserved, about 6 GiB for each guest. A guest has one memory of up to 4 GiB and two tables
    /// of up to 20,000 elements. A component counts as as many guests as it has memories.
    pub fn pool(mut self, guests: u32) -> EngineBuilder {
        self.pool = Some(guests);
        self
    }

    /// Counts what guests execute, so that they can be given fuel ([`GuestBuilder::fuel`](crate::GuestBuilder::fuel)).
    /// The compiled code counts at every branch, so guests that compute become slower. Engines without this setting
    /// count nothing and pay nothing.
    pub fn meter_fuel(mut self) -> EngineBuilder {
        self.fuel = true;
        self
    }

    /// Sets how many threads file operations may occupy: of all guests together, and of each one. The defaults are 64
    /// and 4. An operation that finds no free thread waits, and guests take turns.
    ///
    /// A thread stays occupied until its operation returns, even if the guest has ended. FIFOs, which wait for their
    /// other end, are not opened.
    pub fn file_threads(mut self, total: usize, per_guest: usize) -> EngineBuilder {
        self.files = pool::Threads { total, per_guest };
        self
    }

    /// Sets how many threads may wait for name lookups by the system: of all guests together, and of each one. The
    /// defaults are 64 and 8. The system repeats a lookup and waits for many seconds if no server answers.
    pub fn lookup_threads(mut self, total: usize, per_guest: usize) -> EngineBuilder {
        self.lookups = pool::Threads { total, per_guest };
        self
    }

    /// Creates the engine.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the machine lacks what the engine needs, such as address space for the pool.
    pub fn build(self) -> Result<Engine, Error> {
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .consume_fuel(self.fuel)
            .max_wasm_stack(GUEST_STACK)
            .async_stack_size(STACK)
            .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(64));
        if let Some(guests) = self.pool {
            config.allocation_strategy(stacks_and_memories(guests));
        }
        let engine = wasmtime::Engine::new(&config).map_err(Error::Engine)?;
        let ticker = Ticker::start(&engine).map_err(|e| Error::Engine(e.into()))?;
        let inner = Inner {
            engine,
            linker: OnceLock::new(),
            interfaces: OnceLock::new(),
            trampolines: OnceLock::new(),
            cache: self.cache.map(|folder| Cache::new(folder, self.cache_size)),
            code_folders: OnceLock::new(),
            fuel: self.fuel,
            ticker: Arc::new(ticker),
            files: Pool::new("wasio-files", self.files),
            lookups: Pool::new("wasio-lookups", self.lookups),
        };
        Ok(Engine { inner: Arc::new(inner) })
    }
}

/// A WASI program has one memory and one table, seldom two.
fn stacks_and_memories(guests: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_stacks(guests)
        .total_memories(guests)
        .total_tables(guests.saturating_mul(2))
        .max_tables_per_module(2)
        // These are only counted. A component consists of a few.
        .total_core_instances(guests.saturating_mul(8))
        .total_component_instances(guests);
    pool
}

impl Engine {
    /// Creates an engine with the default settings.
    ///
    /// # Errors
    ///
    /// The same as for [`EngineBuilder::build`].
    pub fn new() -> Result<Engine, Error> {
        Engine::builder().build()
    }

    /// Starts from the default settings. Compiled code is cached in `$WASIO_CACHE_DIR`, else in `compiled` in
    /// `$WASIO_CACHE`, else in `wasio/compiled` in the user's cache folder.
    pub fn builder() -> EngineBuilder {
        EngineBuilder {
            cache: code_folders::compiled(),
            cache_size: cache::SIZE,
            pool: None,
            fuel: false,
            files: FILE_THREADS,
            lookups: LOOKUP_THREADS,
        }
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.engine
    }

    pub(crate) fn linker(&self) -> wasmtime::Result<&Linker<p1::state::State>> {
        once(&self.inner.linker, || {
            let mut linker = Linker::new(&self.inner.engine);
            p1::link::define(&mut linker)?;
            Ok(linker)
        })
    }

    pub(crate) fn trampolines(&self) -> &OnceLock<Module> {
        &self.inner.trampolines
    }

    pub(crate) fn interfaces(&self) -> wasmtime::Result<&component::Linker<p2::state::State>> {
        once(&self.inner.interfaces, || {
            let mut interfaces = component::Linker::new(&self.inner.engine);
            p2::link::define(&mut interfaces)?;
            Ok(interfaces)
        })
    }

    /// Returns why the cache folder is not used, if the reason is that another user might change what is in it.
    pub fn cache_refusal(&self) -> Option<io::Error> {
        self.cache()?.refusal()
    }

    pub(crate) fn code_folders(&self) -> &CodeFolders {
        self.inner.code_folders.get_or_init(|| CodeFolders::new(self.cache().map(Cache::path)))
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.inner.cache.as_ref()
    }

    pub(crate) fn meters_fuel(&self) -> bool {
        self.inner.fuel
    }

    /// Returns the threads of a new guest.
    pub(crate) fn threads(&self) -> Threads {
        Threads { files: self.inner.files.client(), lookups: self.inner.lookups.client() }
    }

    pub(crate) fn ticker(&self) -> Arc<Ticker> {
        self.inner.ticker.clone()
    }
}

/// Returns the value of the cell, and makes it if the cell is empty.
fn once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> wasmtime::Result<T>) -> wasmtime::Result<&T> {
    if let Some(made) = cell.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("cache", &self.inner.cache).finish_non_exhaustive()
    }
}
