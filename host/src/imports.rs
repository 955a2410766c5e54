//! Functions of the embedding program that guests import. Async ones suspend the guest that calls them.

use std::collections::BTreeSet;

use wasmtime::{
    FuncType, Linker, Val, ValType, WasmParams, WasmResults, WasmRet, WasmTy, WasmTyList,
};

use crate::engine::Engine;
use crate::error::Error;
use crate::p1::state::State;

/// Functions that an embedding program provides to guests, by module and name.
///
/// Pass them to [`Program::with_imports`]. They take precedence over the host's own functions of the same name. While
/// the future of an async function is pending, the guest that called it is suspended and the thread is free for
/// others.
///
/// A function takes up to 16 arguments of type `i32`, `u32`, `i64`, `u64`, `f32` or `f64`, or of wasmtime's reference
/// types. It returns one of these, `()`, a tuple, or a `Result` of one of them with [`wasmtime::Error`]. An error ends
/// the guest's call.
///
/// ```
/// use wasio_host::{Engine, Guest, Imports, Program};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let wasm = wat::parse_str(r#"(module
/// #     (import "env" "sum" (func $sum (param i32 i32) (result i32)))
/// #     (func (export "run") (result i32) (call $sum (i32.const 20) (i32.const 22))))"#)?;
/// let engine = Engine::new()?;
/// let mut imports = Imports::new(&engine);
/// imports.wrap_async("env", "sum", async |a: i32, b: i32| a + b)?;
/// let program = Program::with_imports(&engine, &wasm, &imports)?;
/// let mut instance = Guest::builder(&program).build()?.instantiate().await?;
/// assert_eq!(instance.call_async::<(), i32>("run", ()).await?, 42);
/// # Ok(())
/// # }
/// ```
///
/// [`Program::with_imports`]: crate::Program::with_imports
#[derive(Clone)]
pub struct Imports {
    linker: Linker<State>,
    names: BTreeSet<(String, String)>,
}

impl Imports {
    /// Creates an empty set of functions for programs of `engine`.
    pub fn new(engine: &Engine) -> Imports {
        Imports { linker: Linker::new(engine.wasmtime()), names: BTreeSet::new() }
    }

    /// Provides a function that returns at once.
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`] if there already is a function of this name.
    pub fn wrap<Args>(
        &mut self,
        module: &str,
        name: &str,
        f: impl HostFunc<Args>,
    ) -> Result<&mut Imports, Error> {
        self.claim(module, name)?;
        let defined = f.define(&mut Definition { linker: &mut self.linker, module, name });
        defined.map(|()| self).map_err(Error::Engine)
    }

    /// Provides an async function: an async closure, or any function that returns a future.
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`] if there already is a function of this name.
    pub fn wrap_async<Args>(
        &mut self,
        module: &str,
        name: &str,
        f: impl AsyncHostFunc<Args>,
    ) -> Result<&mut Imports, Error> {
        self.claim(module, name)?;
        let defined =
            self.linker.func_wrap_async(module, name, move |_, args| Box::new(f.call(args)));
        defined.map(drop).map(|()| self).map_err(Error::Engine)
    }

    /// Provides an async function whose first argument is a clone of `env`, an `Arc` for example.
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`] if there already is a function of this name.
    pub fn wrap_async_with_env<E, Args>(
        &mut self,
        module: &str,
        name: &str,
        env: E,
        f: impl AsyncHostFuncWithEnv<E, Args>,
    ) -> Result<&mut Imports, Error>
    where
        E: Clone + Send + Sync + 'static,
    {
        self.claim(module, name)?;
        let defined = self
            .linker
            .func_wrap_async(module, name, move |_, args| Box::new(f.call(env.clone(), args)));
        defined.map(drop).map(|()| self).map_err(Error::Engine)
    }

    /// Provides an async function that can access the memory and the exports of the guest that calls it.
    ///
    /// Its arguments are passed as a tuple.
    ///
    /// ```
    /// # fn example(imports: &mut wasio_host::Imports) -> Result<(), wasio_host::Error> {
    /// imports.wrap_async_with_caller("env", "shout", |mut caller, (at, len): (u32, u32)| {
    ///     Box::new(async move {
    ///         tokio::task::yield_now().await;
    ///         let memory = caller.memory().expect("it exports one");
    ///         memory[at as usize..][..len as usize].make_ascii_uppercase();
    ///     })
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`] if there already is a function of this name.
    pub fn wrap_async_with_caller<Args: WasmTyList, R: WasmRet>(
        &mut self,
        module: &str,
        name: &str,
        f: impl for<'a> Fn(Caller<'a>, Args) -> Box<dyn Future<Output = R> + Send + 'a>
        + Send
        + Sync
        + 'static,
    ) -> Result<&mut Imports, Error> {
        self.claim(module, name)?;
        let defined =
            self.linker.func_wrap_async(module, name, move |caller, args| f(Caller(caller), args));
        defined.map(drop).map(|()| self).map_err(Error::Engine)
    }

    /// Provides an async function whose type is known only when the program runs.
    ///
    /// Its results must have the types in `results`. Otherwise the guest's call ends with an error.
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`] if there already is a function of this name.
    pub fn new_async<F>(
        &mut self,
        module: &str,
        name: &str,
        params: &[ValType],
        results: &[ValType],
        f: impl Fn(Vec<Val>) -> F + Send + Sync + 'static,
    ) -> Result<&mut Imports, Error>
    where
        F: Future<Output = wasmtime::Result<Vec<Val>>> + Send + 'static,
    {
        self.claim(module, name)?;
        let ty =
            FuncType::new(self.linker.engine(), params.iter().cloned(), results.iter().cloned());
        let called = format!("{module}.{name}");
        let defined = self.linker.func_new_async(module, name, ty, move |_, args, results| {
            let (answer, called) = (f(args.to_vec()), called.clone());
            Box::new(async move {
                let answer = answer.await?;
                if answer.len() != results.len() {
                    return Err(wasmtime::Error::msg(format!(
                        "the host's function {called} returned {} values, its type has {}",
                        answer.len(),
                        results.len()
                    )));
                }
                results.clone_from_slice(&answer);
                Ok(())
            })
        });
        defined.map(drop).map(|()| self).map_err(Error::Engine)
    }

    /// Returns whether there is a function of this name.
    pub fn contains(&self, module: &str, name: &str) -> bool {
        self.names.contains(&(module.to_owned(), name.to_owned()))
    }

    pub(crate) fn linker(&self) -> &Linker<State> {
        &self.linker
    }

    fn claim(&mut self, module: &str, name: &str) -> Result<(), Error> {
        if self.names.insert((module.to_owned(), name.to_owned())) {
            return Ok(());
        }
        Err(Error::Duplicate { module: module.to_owned(), name: name.to_owned() })
    }
}

impl std::fmt::Debug for Imports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Imports").field(&self.names).finish()
    }
}

/// The guest that is calling a host function.
///
/// # Examples
///
/// An import that reads the guest's memory:
///
/// ```
/// use wasio_host::{Engine, Guest, Imports, Program};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let wasm = wat::parse_str(r#"(module
/// #     (import "env" "sum" (func $sum (param i32 i32) (result i32)))
/// #     (memory (export "memory") 1)
/// #     (data (i32.const 8) "\01\02\03")
/// #     (func (export "run") (result i32) (call $sum (i32.const 8) (i32.const 3))))"#)?;
/// let engine = Engine::new()?;
/// let mut imports = Imports::new(&engine);
/// imports.wrap_async_with_caller("env", "sum", |mut caller, (at, len): (u32, u32)| {
///     Box::new(async move {
///         let memory = caller.memory().expect("it exports one");
///         memory[at as usize..][..len as usize].iter().map(|byte| u32::from(*byte)).sum::<u32>()
///     })
/// })?;
/// let program = Program::with_imports(&engine, &wasm, &imports)?;
/// let mut instance = Guest::builder(&program).build()?.instantiate().await?;
/// assert_eq!(instance.call_async::<(), i32>("run", ()).await?, 6);
/// # Ok(())
/// # }
/// ```
pub struct Caller<'a>(pub(crate) wasmtime::Caller<'a, State>);

impl Caller<'_> {
    /// Returns the guest's memory, if it exports one under the name `memory`. Call this again after the guest has run,
    /// because its memory may have grown.
    pub fn memory(&mut self) -> Option<&mut [u8]> {
        let memory = self.0.get_export("memory")?.into_memory()?;
        Some(memory.data_mut(&mut self.0))
    }

    /// Calls a function that the guest exports, within the call that is under way.
    ///
    /// # Errors
    ///
    /// - [`Error::NotExported`] if the guest exports no function of this name and type.
    /// - [`Error::Trap`] if the function traps. Continue after a trap only if you know which state the guest is in.
    /// - [`Error::Exited`] and [`Error::OutOfFuel`] if the guest exits or uses up its fuel.
    pub async fn call_async<P, R>(&mut self, name: &str, params: P) -> Result<R, Error>
    where
        P: WasmParams + Sync,
        R: WasmResults + Sync,
    {
        let export = self.0.get_export(name);
        let func = crate::call::typed::<P, R>(export, name, &self.0)?;
        func.call_async(&mut self.0, params).await.map_err(crate::call::trapped)
    }
}

impl std::fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

/// The linker and the name under which a function is to be defined.
#[derive(Debug)]
pub struct Definition<'a> {
    linker: &'a mut Linker<State>,
    module: &'a str,
    name: &'a str,
}

/// A function of up to 16 arguments that can be an import: see [`Imports::wrap`].
pub trait HostFunc<Args>: Send + Sync + 'static {
    #[doc(hidden)]
    fn define(self, at: &mut Definition<'_>) -> wasmtime::Result<()>;
}

/// An async function of up to 16 arguments that can be an import: see [`Imports::wrap_async`].
pub trait AsyncHostFunc<Args>: Send + Sync + 'static {
    #[doc(hidden)]
    type Args: WasmTyList + Send + 'static;
    #[doc(hidden)]
    type Output: WasmRet;
    #[doc(hidden)]
    type Future: Future<Output = Self::Output> + Send + 'static;

    #[doc(hidden)]
    fn call(&self, args: Self::Args) -> Self::Future;
}

/// An async function with an environment as its first argument: see [`Imports::wrap_async_with_env`].
pub trait AsyncHostFuncWithEnv<E, Args>: Send + Sync + 'static {
    #[doc(hidden)]
    type Args: WasmTyList + Send + 'static;
    #[doc(hidden)]
    type Output: WasmRet;
    #[doc(hidden)]
    type Future: Future<Output = Self::Output> + Send + 'static;

    #[doc(hidden)]
    fn call(&self, env: E, args: Self::Args) -> Self::Future;
}

macro_rules! of_arity {
    ($($arg:ident)*) => {
        #[allow(non_snake_case)]
        impl<F, R, $($arg),*> HostFunc<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> R + Send + Sync + 'static,
            R: WasmRet,
            $($arg: WasmTy,)*
        {
            fn define(self, at: &mut Definition<'_>) -> wasmtime::Result<()> {
                let f = move |$($arg: $arg),*| self($($arg),*);
                at.linker.func_wrap(at.module, at.name, f).map(drop)
            }
        }

        #[allow(non_snake_case)]
        impl<F, Fut, R, $($arg),*> AsyncHostFunc<($($arg,)*)> for F
        where
            F: Fn($($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: WasmRet,
            $($arg: WasmTy + Send + 'static,)*
        {
            type Args = ($($arg,)*);
            type Output = R;
            type Future = Fut;

            fn call(&self, ($($arg,)*): Self::Args) -> Fut {
                self($($arg),*)
            }
        }

        #[allow(non_snake_case)]
        impl<E, F, Fut, R, $($arg),*> AsyncHostFuncWithEnv<E, ($($arg,)*)> for F
        where
            F: Fn(E, $($arg),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: WasmRet,
            $($arg: WasmTy + Send + 'static,)*
        {
            type Args = ($($arg,)*);
            type Output = R;
            type Future = Fut;

            fn call(&self, env: E, ($($arg,)*): Self::Args) -> Fut {
                self(env, $($arg),*)
            }
        }
    };
}

macro_rules! of_arities {
    () => { of_arity!(); };
    ($first:ident $($rest:ident)*) => {
        of_arity!($first $($rest)*);
        of_arities!($($rest)*);
    };
}

of_arities!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16);
