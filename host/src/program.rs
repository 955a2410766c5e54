//! A program: compiled code, ready to become any number of guests.

use std::path::Path;

use wasmtime::{ExternType, Module};

use crate::engine::Engine;
use crate::error::Error;
use crate::{format, link};

/// A compiled WASI preview 1 module whose imports are all provided. Clones
/// share the code.
#[derive(Clone)]
pub struct Program {
    engine: Engine,
    module: Module,
    /// For each of the module's imports, the definition that answers it.
    imports: Vec<&'static str>,
    from_cache: bool,
}

impl Program {
    /// Compiles a module, or takes its code from the engine's cache.
    ///
    /// Compiling blocks the calling thread, for seconds if the module is large.
    ///
    /// # Errors
    ///
    /// [`Error::NotAModule`] says what the bytes are instead,
    /// [`Error::Compile`] what is invalid, [`Error::MissingImport`] and
    /// [`Error::NoStart`] why the module could not run.
    pub fn new(engine: &Engine, wasm: &[u8]) -> Result<Program, Error> {
        format::check(wasm)?;
        let (module, from_cache) = compile(engine, wasm)?;
        let imports = module.imports().map(|import| resolve(&import)).collect::<Result<_, _>>()?;
        if !matches!(module.get_export("_start"), Some(ExternType::Func(_))) {
            return Err(Error::NoStart);
        }
        Ok(Program { engine: engine.clone(), module, imports, from_cache })
    }

    /// Reads a file and proceeds as [`Program::new`].
    ///
    /// # Errors
    ///
    /// [`Error::Open`] when it cannot be read, and those of [`Program::new`].
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Program, Error> {
        let path = path.as_ref();
        let wasm =
            std::fs::read(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
        Program::new(engine, &wasm)
    }

    /// Whether the code came from the engine's cache.
    pub fn from_cache(&self) -> bool {
        self.from_cache
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn module(&self) -> &Module {
        &self.module
    }

    pub(crate) fn imports(&self) -> &[&'static str] {
        &self.imports
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("name", &self.module.name()).finish_non_exhaustive()
    }
}

fn compile(engine: &Engine, wasm: &[u8]) -> Result<(Module, bool), Error> {
    let Some(cache) = engine.cache() else {
        return Ok((Module::new(engine.wasmtime(), wasm).map_err(Error::Compile)?, false));
    };
    let path = cache.path(engine.wasmtime(), wasm);
    if let Some(module) = cache.load(engine.wasmtime(), &path) {
        return Ok((module, true));
    }
    let module = Module::new(engine.wasmtime(), wasm).map_err(Error::Compile)?;
    cache.store(&path, &module);
    Ok((module, false))
}

fn resolve(import: &wasmtime::ImportType<'_>) -> Result<&'static str, Error> {
    let (ty, found) = match import.ty() {
        ExternType::Func(ty) => (ty.to_string(), link::key(import.module(), import.name(), &ty)),
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
    found.map_err(|reason| Error::MissingImport {
        module: import.module().to_owned(),
        name: import.name().to_owned(),
        ty,
        reason,
    })
}
