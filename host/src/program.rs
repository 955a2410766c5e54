//! A program: compiled code, ready to become any number of guests.

use std::fs::{File, Metadata};
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::{ExternType, Module};
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::cache::{self, Cache};
use crate::engine::Engine;
use crate::error::Error;
use crate::format::{self, Kind};
use crate::imports::Imports;
use crate::p1::link;
use crate::p1::shortcut;
use crate::printable::Printable;
use crate::state::State;

/// A file of this length is not read into memory if its code is in the cache.
const LONG: usize = 1 << 20;
/// So much of it is read at once.
const PIECE: usize = 1 << 18;

/// A compiled program whose imports are all provided: a module of WASI preview 1, or a component of WASI 0.2. Clones share
/// the code.
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
    code: Arc<Code>,
    from_cache: bool,
}

pub(crate) enum Code {
    Module {
        module: Module,
        /// For each of the module's imports, the definition that answers it.
        imports: Vec<Source>,
        /// What the embedder provides.
        own: Imports,
        /// Provides those of [`Source::Quick`], if there are any.
        shortcuts: Option<Module>,
    },
    Component(CommandPre<State>),
}

/// Where an import is defined.
pub(crate) enum Source {
    /// Among the host's own, under this key.
    Host(&'static str),
    /// The same, through `shortcut.rs`.
    Quick(&'static str),
    /// Among the embedder's, under its module and name.
    Own(String, String),
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

    /// Compiles a program as [`Program::new`] does, and provides functions of your own to it. Only modules can import them:
    /// components cannot.
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
        Ok(Program { engine: engine.clone(), code: Arc::new(code), from_cache })
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
                let code = Arc::new(code?);
                return Ok(Program { engine: engine.clone(), code, from_cache: true });
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

    pub(crate) fn is_component(&self) -> bool {
        matches!(*self.code, Code::Component(_))
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match &*self.code {
            Code::Module { module, .. } => module.name(),
            Code::Component(_) => None,
        };
        let name = name.map(|name| Printable::new(name).to_string());
        f.debug_struct("Program").field("name", &name).finish_non_exhaustive()
    }
}

impl Code {
    fn of_module(engine: &Engine, module: Module, own: &Imports) -> Result<Code, Error> {
        let imports =
            module.imports().map(|import| resolve(&import, own)).collect::<Result<Vec<_>, _>>()?;
        let is_quick = |source: &Source| matches!(source, Source::Quick(_));
        let shortcuts = match imports.iter().any(is_quick) {
            true => Some(shortcuts(engine)?),
            false => None,
        };
        Ok(Code::Module { module, imports, own: own.clone(), shortcuts })
    }

    fn of_component(engine: &Engine, component: &Component) -> Result<Code, Error> {
        let interfaces = engine.interfaces().map_err(Error::Engine)?;
        let command = interfaces.instantiate_pre(component).and_then(CommandPre::new);
        Ok(Code::Component(command.map_err(Error::MissingInterface)?))
    }
}

/// The length of a file that is long, and can be read twice.
fn long(file: &File) -> Option<usize> {
    let found = file.metadata().ok().filter(Metadata::is_file)?;
    usize::try_from(found.len()).ok().filter(|len| *len >= LONG)
}

/// The code of a program that is in the engine's cache. Its wasm is read, and not kept.
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

/// The module of `shortcut.rs`, compiled once for each engine.
fn shortcuts(engine: &Engine) -> Result<Module, Error> {
    if let Some(module) = engine.shortcuts().get() {
        return Ok(module.clone());
    }
    let (module, _) = compile(engine, &shortcut::module())?;
    Ok(engine.shortcuts().get_or_init(|| module).clone())
}

fn resolve(import: &wasmtime::ImportType<'_>, own: &Imports) -> Result<Source, Error> {
    if own.contains(import.module(), import.name()) {
        return Ok(Source::Own(import.module().to_owned(), import.name().to_owned()));
    }
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
    let source = |key| if link::is_quick(key) { Source::Quick(key) } else { Source::Host(key) };
    found.map(source).map_err(|reason| Error::MissingImport {
        module: import.module().to_owned(),
        name: import.name().to_owned(),
        ty,
        reason,
    })
}
