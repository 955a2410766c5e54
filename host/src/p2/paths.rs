//! Functions of `wasi:filesystem` that take paths. wasmtime would copy a path of any length for the call. Here its
//! length is checked first.

use wasmtime::component::{Linker, Resource, WasmStr};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor as _, NewTimestamp, OpenFlags, PathFlags,
};

use crate::fuel::burn;
use crate::p2::filesystem::{FilesView, outcome};
use crate::p2::state::{State, Store};

/// An upper bound on the length of a path, on any host.
const MAX_PATH: usize = 1 << 16;

/// Reads a string of a component, unless it has more than `most` bytes. Validating a longer one burns fuel.
pub(crate) fn text(
    string: &WasmStr,
    store: &mut Store<'_>,
    most: usize,
) -> wasmtime::Result<Option<String>> {
    // A UTF-8 string, which nearly all components use, is not copied for the check.
    let text = string.to_str(&*store)?;
    let len = text.len();
    if len <= most {
        return Ok(Some(text.into_owned()));
    }
    drop(text);
    burn(&mut *store, len)?;
    Ok(None)
}

/// A parameter as it is passed by a component.
trait Param {
    /// The same parameter as it is taken by wasmtime-wasi.
    type Taken;

    fn take(self, store: &mut Store<'_>) -> wasmtime::Result<Result<Self::Taken, ErrorCode>>;
}

impl Param for WasmStr {
    type Taken = String;

    fn take(self, store: &mut Store<'_>) -> wasmtime::Result<Result<String, ErrorCode>> {
        let path = text(&self, store, MAX_PATH)?;
        Ok(path.ok_or(ErrorCode::NameTooLong))
    }
}

macro_rules! taken_as_they_are {
    ($($ty:ty),*) => {$(
        impl Param for $ty {
            type Taken = $ty;

            fn take(self, _: &mut Store<'_>) -> wasmtime::Result<Result<$ty, ErrorCode>> {
                Ok(Ok(self))
            }
        }
    )*};
}
taken_as_they_are!(Resource<Descriptor>, PathFlags, OpenFlags, DescriptorFlags, NewTimestamp);

macro_rules! functions {
    ($linker:ident: $($name:literal $method:ident($($arg:ident: $ty:ty),*);)*) => {$(
        $linker.func_wrap_async(
            concat!("[method]descriptor.", $name),
            |mut store: Store<'_>, (fd, $($arg),*): (Resource<Descriptor>, $($ty),*)| {
                Box::new(async move {
                    $(let $arg = match Param::take($arg, &mut store)? {
                        Ok(taken) => taken,
                        Err(code) => return Ok((Err(code),)),
                    };)*
                    let mut files = FilesView(&mut store.data_mut().wasi);
                    let result = files.$method(fd, $($arg),*).await;
                    Ok((outcome(&mut files, result)?,))
                })
            },
        )?;
    )*};
}

/// Replaces the functions of `linker` with these.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    functions! { types:
        "create-directory-at" create_directory_at(path: WasmStr);
        "stat-at" stat_at(flags: PathFlags, path: WasmStr);
        "set-times-at" set_times_at(flags: PathFlags, path: WasmStr, accessed: NewTimestamp, modified: NewTimestamp);
        "link-at" link_at(flags: PathFlags, old: WasmStr, to: Resource<Descriptor>, new: WasmStr);
        "open-at" open_at(path_flags: PathFlags, path: WasmStr, open_flags: OpenFlags, flags: DescriptorFlags);
        "readlink-at" readlink_at(path: WasmStr);
        "remove-directory-at" remove_directory_at(path: WasmStr);
        "rename-at" rename_at(old: WasmStr, to: Resource<Descriptor>, new: WasmStr);
        "symlink-at" symlink_at(old: WasmStr, new: WasmStr);
        "unlink-file-at" unlink_file_at(path: WasmStr);
        "metadata-hash-at" metadata_hash_at(flags: PathFlags, path: WasmStr);
    }
    Ok(())
}
