//! Defines every import of the table in `abi.rs`.

use wasmtime::{Caller, Linker};
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::exit::Exited;
use crate::p1::abi::{Import, MODULE, NOT_TAKEN, fast_key, key_of, table};
use crate::p1::errno::number;
use crate::p1::sockets::{connect, fast_path, lookup, open, options, transfer};
use crate::p1::state::State;
use crate::p1::wasi::on_wasi;
use crate::p1::{bulk, clock, files, folders, poll, random};
use crate::wasi::at_once;

/// Types in the table of imports, in addition to `i32` and `i64`.
#[expect(non_camel_case_types, reason = "they are WebAssembly's")]
mod types {
    pub(super) type fd = i32;
    pub(super) type text = i32;
    pub(super) type size = i32;
    pub(super) type out64 = i32;
}
use types::{fd, out64, size, text};

/// Converts an argument for wasmtime-wasi.
macro_rules! passed {
    ($numbers:ident fd $arg:ident) => {
        $numbers.file($arg)
    };
    ($numbers:ident $ty:ident $arg:ident) => {
        $arg
    };
}

macro_rules! define {
    (wasi $linker:ident $id:ident $key:expr; ($($arg:ident: $ty:ident),*) $handler:path) => {
        $linker.func_wrap(MODULE, $key, |mut caller: Caller<'_, State> $(, $arg: $ty)*| -> wasmtime::Result<i32> {
            caller.data().tally.count(Import::$id);
            on_wasi!(caller, state, memory, numbers => $handler(state, &mut memory $(, passed!(numbers $ty $arg))*))
        })?;
    };
    (file $linker:ident $id:ident $key:expr; ($($arg:ident: $ty:ident),*) $handler:path) => {
        $linker.func_wrap_async(MODULE, $key, |mut caller: Caller<'_, State>, ($($arg,)*): ($($ty,)*)| {
            Box::new(async move {
                caller.data().tally.count(Import::$id);
                files::call(
                    &mut caller,
                    |frame| Ok(($(frame.$ty($arg)?,)*)),
                    |ctx, memory, ($($arg,)*)| at_once($handler(ctx, memory $(, $arg)*))?,
                ).await
            })
        })?;
    };
    (plain $linker:ident $id:ident $key:expr; ($($arg:ident: $ty:ident),*) $handler:path) => {
        $linker.func_wrap(MODULE, $key, |mut caller: Caller<'_, State> $(, $arg: $ty)*| -> i32 {
            caller.data().tally.count(Import::$id);
            number($handler(&mut caller $(, $arg)*))
        })?;
    };
    (suspend $linker:ident $id:ident $key:expr; ($($arg:ident: $ty:ident),*) $handler:path) => {
        $linker.func_wrap_async(MODULE, $key, |mut caller: Caller<'_, State>, ($($arg,)*): ($($ty,)*)| {
            Box::new(async move {
                caller.data().tally.count(Import::$id);
                number($handler(&mut caller $(, $arg)*).await)
            })
        })?;
    };
    (fast $linker:ident $id:ident $key:expr; ($($arg:ident: $ty:ident),*) $handler:path, $fast:path) => {
        define!(suspend $linker $id $key; ($($arg: $ty),*) $handler);
        $linker.func_wrap(MODULE, fast_key!($key), |mut caller: Caller<'_, State> $(, $arg: $ty)*| -> i32 {
            let Some(result) = $fast(&mut caller $(, $arg)*) else { return NOT_TAKEN };
            caller.data().tally.count(Import::$id);
            number(result)
        })?;
    };
    (shared $linker:ident $id:ident $key:expr; ($($arg:ident: $ty:ident),*) $handler:path) => {
        $linker.func_wrap_async(MODULE, $key, |caller: Caller<'_, State>, ($($arg,)*): ($($ty,)*)| {
            Box::new(async move {
                caller.data().tally.count(Import::$id);
                $handler(caller $(, $arg)*).await
            })
        })?;
    };
    (exit $linker:ident $id:ident $key:expr; ($($arg:ident: $ty:ident),*) $handler:path) => {
        $linker.func_wrap(MODULE, $key, |caller: Caller<'_, State> $(, $arg: $ty)*| -> wasmtime::Result<()> {
            caller.data().tally.count(Import::$id);
            $handler($($arg),*)
        })?;
    };
}

macro_rules! define_all {
    ($($how:ident $id:ident $name:literal ($($arg:ident: $ty:ident),*) $handler:path $(, $fast:path)?;)*) => {
        /// Defines all imports, each under its [`key`](crate::p1::abi::key).
        pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
            $(define!($how linker $id key_of!($name $($ty)*); ($($arg: $ty),*) $handler $(, $fast)?);)*
            Ok(())
        }
    };
}
table!(define_all);

/// `proc_exit`: unwinds the guest.
fn exit(code: i32) -> wasmtime::Result<()> {
    Err(Exited(code).into())
}
