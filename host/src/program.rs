//! A program: compiled code, ready to become any number of guests.

use std::fs::{File, Metadata};
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::sync::Arc;

use wasmtime::Module;
use wasmtime::component::Component;

use crate::cache::{self, Cache};
use crate::engine::Engine;
use crate::error::Error;
use crate::format::{self, Kind};
use crate::imports::Imports;
use crate::p1::trampoline;
use crate::printable::Printable;
use crate::{p1, p2};

/// A file of at least this length is not held in memory if its code is in the cache.
const LONG: usize = 1 << 20;
/// The number of bytes that are read at once.
const PIECE: usize = 1 << 18;

/// A compiled program whose imports are all provided: a module of WASI preview 1, or a component of WASI 0.2. Clones
/// share the code.
///
/// # Examples
///
/// ```
/// use wasio_host::{Engine, Error, Program};
///
/// let engine = Engine::new()?;
/// let error = Program::new(&engine, b"not WebAssembly").unwrap_err();
/// assert!(matches!(error, Error::NotAModule { .. }));
/// assert_eq!(error.to_string(), "the file is text, not a WebAssembly module; name a .wasm file");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct Program {
    engine: Engine,
    code: Code,
    from_cache: bool,
}

#[derive(Clone)]
pub(crate) enum Code {
    Module(Arc<p1::program::Program>),
    Component(Arc<p2::program::Program>),
}

impl Program {
    /// Compiles a module or a component, or loads its code from the engine's cache.
    ///
    /// Compiling blocks the calling thread, for seconds if the program is large.
    ///
    /// # Errors
    ///
    /// - [`Error::NotAModule`] if the bytes are something else. The error says what they are.
    /// - [`Error::Compile`] if the program is invalid.
    /// - [`Error::MissingImport`] or [`Error::MissingInterface`] if it imports something that is not provided.
    /// - [`Error::Engine`] if the engine cannot prepare its own imports.
    pub fn new(engine: &Engine, wasm: &[u8]) -> Result<Program, Error> {
        Program::with_imports(engine, wasm, &Imports::new(engine))
    }

    /// Compiles a program as [`Program::new`] does, and provides functions of your own to it. Only modules can import
    /// them: components cannot.
    ///
    /// # Errors
    ///
    /// The same as for [`Program::new`].
    pub fn with_imports(engine: &Engine, wasm: &[u8], own: &Imports) -> Result<Program, Error> {
        let (code, from_cache) = match format::check(wasm)? {
            Kind::Module => {
                let (module, from_cache) = compile(engine, wasm)?;
                (Code::of_module(engine, module, own)?, from_cache)
            }
            Kind::Component => {
                let (component, from_cache) = compile(engine, wasm)?;
                (Code::of_component(engine, &component)?, from_cache)
            }
        };
        Ok(Program { engine: engine.clone(), code, from_cache })
    }

    /// Reads a file and compiles it as [`Program::new`] does.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the file cannot be read. Otherwise the same as for [`Program::new`].
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Program, Error> {
        let path = path.as_ref();
        let failed = |source| Error::Open { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let mut wasm = Vec::new();
        if let Some(len) = long(&file) {
            if let Some(code) = kept(engine, &file) {
                return Ok(Program { engine: engine.clone(), code: code?, from_cache: true });
            }
            file.rewind().map_err(failed)?;
            wasm.reserve(len);
        }
        file.read_to_end(&mut wasm).map_err(failed)?;
        Program::new(engine, &wasm)
    }

    /// Returns whether the code came from the engine's cache.
    pub fn from_cache(&self) -> bool {
        self.from_cache
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn code(&self) -> &Code {
        &self.code
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match &self.code {
            Code::Module(module) => module.name(),
            Code::Component(_) => None,
        };
        let name = name.map(|name| Printable::new(name).to_string());
        f.debug_struct("Program").field("name", &name).finish_non_exhaustive()
    }
}

impl Code {
    fn of_module(engine: &Engine, module: Module, own: &Imports) -> Result<Code, Error> {
        let program = p1::program::Program::new(module, own, || trampolines(engine))?;
        Ok(Code::Module(Arc::new(program)))
    }

    fn of_component(engine: &Engine, component: &Component) -> Result<Code, Error> {
        let interfaces = engine.interfaces().map_err(Error::Engine)?;
        Ok(Code::Component(Arc::new(p2::program::Program::new(component, interfaces)?)))
    }
}

/// Returns the length of a file that is long and can be read twice.
fn long(file: &File) -> Option<usize> {
    let found = file.metadata().ok().filter(Metadata::is_file)?;
    usize::try_from(found.len()).ok().filter(|len| *len >= LONG)
}

/// Loads a program's code from the engine's cache. The wasm is read to identify it, and not kept.
fn kept(engine: &Engine, mut file: &File) -> Option<Result<Code, Error>> {
    let cache = engine.cache()?;
    let mut piece = vec![0; PIECE];
    let (mut kind, mut name) = (None, Cache::naming(engine.wasmtime()));
    loop {
        let n = file.read(&mut piece).ok()?;
        if n == 0 {
            break;
        }
        if kind.is_none() {
            kind = Some(format::check(&piece[..n]).ok()?);
        }
        name.update(&piece[..n]);
    }
    let name = name.finalize().to_hex();
    Some(match kind? {
        Kind::Module => {
            let module = cache.load(engine.wasmtime(), &name)?;
            Code::of_module(engine, module, &Imports::new(engine))
        }
        Kind::Component => Code::of_component(engine, &cache.load(engine.wasmtime(), &name)?),
    })
}

fn compile<C: cache::Code>(engine: &Engine, wasm: &[u8]) -> Result<(C, bool), Error> {
    let compile = || C::compile(engine.wasmtime(), wasm).map_err(Error::Compile);
    let Some(cache) = engine.cache() else {
        return Ok((compile()?, false));
    };
    let name = Cache::name(engine.wasmtime(), wasm);
    if let Some(code) = cache.load(engine.wasmtime(), &name) {
        return Ok((code, true));
    }
    let code = compile()?;
    cache.store(&name, &code);
    Ok((code, false))
}

/// Returns the module of `trampoline.rs`, compiled once for each engine.
fn trampolines(engine: &Engine) -> Result<Module, Error> {
    if let Some(module) = engine.trampolines().get() {
        return Ok(module.clone());
    }
    let (module, _) = compile(engine, &trampoline::module())?;
    Ok(engine.trampolines().get_or_init(|| module).clone())
}
