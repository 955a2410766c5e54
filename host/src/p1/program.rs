//! Modules: resolving their imports, and running them.

use std::io;
use std::net::TcpListener;
use std::time::Instant;

use wasmtime::{Extern, ExternType, ImportType, Linker, Module, Store};

use crate::call::{ended, trapped};
use crate::error::Error;
use crate::exit::Exit;
use crate::imports::Imports;
use crate::p1::abi::{self, MODULE};
use crate::p1::poll::subscription::Scratch;
use crate::p1::sockets::socket::Socket;
use crate::p1::sockets::table::Table;
use crate::p1::state::State;
use crate::p1::trampoline;
use crate::setup::Setup;
use crate::wasi::Wasi;

/// A compiled module whose imports are all provided.
pub(crate) struct Program {
    module: Module,
    /// For each of the module's imports, the definition that answers it.
    imports: Vec<Source>,
    /// The embedder's functions.
    own: Imports,
    /// Defines the imports of [`Source::Trampoline`], if there are any.
    trampolines: Option<Module>,
}

/// The place where an import is defined.
pub(crate) enum Source {
    /// The host's own definition under this key.
    Host(&'static str),
    /// The same, called through `trampoline.rs`.
    Trampoline(&'static str),
    /// The embedder's definition of this module and name.
    Own(String, String),
}

impl Program {
    /// Finds the definitions of the module's imports. `trampolines` compiles the module of `trampoline.rs`.
    pub(crate) fn new(
        module: Module,
        own: &Imports,
        trampolines: impl FnOnce() -> Result<Module, Error>,
    ) -> Result<Program, Error> {
        let imports =
            module.imports().map(|import| resolve(&import, own)).collect::<Result<Vec<_>, _>>()?;
        let is_fast = |source: &Source| matches!(source, Source::Trampoline(_));
        let trampolines = imports.iter().any(is_fast).then(trampolines).transpose()?;
        Ok(Program { module, imports, own: own.clone(), trampolines })
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.module.name()
    }

    /// Creates the state of a guest.
    ///
    /// # Errors
    ///
    /// The errors of a listener that cannot be used.
    pub(crate) fn state(setup: Setup, listeners: Vec<TcpListener>) -> io::Result<State> {
        let Setup { mut wasi, threads, max_sockets, max_descriptors, .. } = setup;
        let mut sockets = Table::new(max_sockets, max_descriptors);
        for listener in listeners {
            sockets.give(Socket::listening(listener)?);
        }
        Ok(State {
            wasi: Wasi::new(wasi.build_p1(), threads, max_descriptors),
            sockets,
            grants: setup.grants,
            signals: setup.signals,
            tally: setup.stats.tally(),
            clock: setup.clock,
            limits: setup.limits,
            memory: None,
            poll: Scratch::default(),
            streak: 0,
        })
    }

    /// Runs the module until it exits. `host` defines the host's own imports.
    pub(crate) async fn run(
        &self,
        host: &Linker<State>,
        store: &mut Store<State>,
    ) -> Result<Exit, Error> {
        let begun = Instant::now();
        if !matches!(self.module.get_export("_start"), Some(ExternType::Func(_))) {
            return Err(Error::NoStart);
        }
        let instance = match self.instantiate(host, store).await {
            Err(Error::Exited(exit)) => return Ok(exit),
            result => result?,
        };
        let start =
            instance.get_typed_func::<(), ()>(&mut *store, "_start").map_err(|_| Error::NoStart)?;
        store.data().tally.stats().took_to_start(begun.elapsed());
        match start.call_async(&mut *store, ()).await {
            Ok(()) => Ok(Exit::default()),
            Err(e) => ended(e),
        }
    }

    /// Creates an instance and initializes it, as reactors require.
    pub(crate) async fn initialize(
        &self,
        host: &Linker<State>,
        store: &mut Store<State>,
    ) -> Result<wasmtime::Instance, Error> {
        let instance = self.instantiate(host, store).await?;
        if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize") {
            initialize.call_async(&mut *store, ()).await.map_err(trapped)?;
        }
        Ok(instance)
    }

    async fn instantiate(
        &self,
        host: &Linker<State>,
        store: &mut Store<State>,
    ) -> Result<wasmtime::Instance, Error> {
        let imports = self.externs(host, store).await?;
        let instance = wasmtime::Instance::new_async(&mut *store, &self.module, &imports).await;
        let instance = instance.map_err(|e| {
            // The error came from the module's own code, in its start function.
            if e.is::<wasmtime::WasmBacktrace>() { trapped(e) } else { Error::start(e) }
        })?;
        store.data_mut().memory = instance.get_memory(&mut *store, "memory");
        Ok(instance)
    }

    /// Creates the module's imports in this store.
    async fn externs(
        &self,
        host: &Linker<State>,
        store: &mut Store<State>,
    ) -> Result<Vec<Extern>, Error> {
        let trampolines = match &self.trampolines {
            Some(module) => {
                Some(trampoline::instantiate(module, host, store).await.map_err(Error::start)?)
            }
            None => None,
        };
        let mut get = |source: &Source| match source {
            Source::Host(key) => host.get(&mut *store, MODULE, key),
            Source::Trampoline(key) => trampolines
                .and_then(|trampolines| trampolines.get_export(&mut *store, key))
                .ok_or_else(|| wasmtime::Error::msg(format!("{key} has no trampoline"))),
            Source::Own(module, name) => self.own.linker().get(&mut *store, module, name),
        };
        self.imports.iter().map(&mut get).collect::<wasmtime::Result<_>>().map_err(Error::Start)
    }
}

fn resolve(import: &ImportType<'_>, own: &Imports) -> Result<Source, Error> {
    if own.contains(import.module(), import.name()) {
        return Ok(Source::Own(import.module().to_owned(), import.name().to_owned()));
    }
    let (ty, found) = match import.ty() {
        ExternType::Func(ty) => (ty.to_string(), abi::key(import.module(), import.name(), &ty)),
        other => {
            let what = match other {
                ExternType::Memory(_) => "memory",
                ExternType::Table(_) => "table",
                ExternType::Global(_) => "global",
                _ => "something other than a function",
            };
            (what.to_owned(), Err("only functions are provided".to_owned()))
        }
    };
    let source = |key| if abi::is_fast(key) { Source::Trampoline(key) } else { Source::Host(key) };
    found.map(source).map_err(|reason| Error::MissingImport {
        module: import.module().to_owned(),
        name: import.name().to_owned(),
        ty,
        reason,
    })
}
