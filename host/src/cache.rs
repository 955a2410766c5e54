//! Compiled code on disk, so that a program is compiled once.
//!
//! An entry is named by a digest of the wasm and of everything that shapes the
//! compiler's output, written to a temporary name and renamed, and ends in a
//! checksum. Whatever goes wrong with the cache, the answer is to compile: a
//! damaged or foreign entry is replaced, a folder that cannot be written is
//! done without.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// Changes when the layout of an entry does.
const FORMAT: &[u8] = b"wasio-1\0";

/// Compiled code that can be kept.
pub(crate) trait Code: Sized {
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self>;

    fn serialize(&self) -> wasmtime::Result<Vec<u8>>;

    /// # Safety
    ///
    /// The bytes are what `serialize` produced.
    #[expect(unsafe_code, reason = "wasmtime cannot check native code")]
    unsafe fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Self>;
}

macro_rules! code {
    ($($type:ty),*) => {$(
        impl Code for $type {
            fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self> {
                <$type>::new(engine, wasm)
            }

            fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
                self.serialize()
            }

            #[expect(unsafe_code, reason = "wasmtime cannot check native code")]
            unsafe fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Self> {
                // SAFETY: promised by the caller.
                unsafe { <$type>::deserialize(engine, code) }
            }
        }
    )*};
}

code!(Module, Component);

/// A folder of compiled programs.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(crate) fn new(folder: PathBuf) -> Cache {
        Cache { folder }
    }

    /// Where compiled code is kept unless somebody says otherwise:
    /// `$WASIO_CACHE_DIR`, or `wasio/compiled` in the user's cache folder.
    pub(crate) fn default_folder() -> Option<PathBuf> {
        match std::env::var_os("WASIO_CACHE_DIR") {
            Some(folder) if !folder.is_empty() => Some(folder.into()),
            _ => Some(dirs::cache_dir()?.join("wasio").join("compiled")),
        }
    }

    pub(crate) fn path(&self, engine: &Engine, wasm: &[u8]) -> PathBuf {
        let mut hasher = Sha256::new();
        hasher.update(FORMAT);
        let mut compatibility = Fold(hasher);
        std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut compatibility);
        let mut hasher = compatibility.0;
        hasher.update(env!("CARGO_PKG_VERSION"));
        hasher.update(wasm);
        let name: String = hasher.finalize().iter().map(|b| format!("{b:02x}")).collect();
        self.folder.join(name)
    }

    /// The code kept at `path`, if it is whole and of this engine.
    pub(crate) fn load<C: Code>(&self, engine: &Engine, path: &Path) -> Option<C> {
        let entry = fs::read(path).ok()?;
        let (code, checksum) = entry.split_last_chunk::<4>()?;
        if crc32fast::hash(code).to_le_bytes() != *checksum {
            return None;
        }
        deserialize(engine, code)
    }

    /// Keeps `code` at `path`. Failing to is no error.
    pub(crate) fn store(&self, path: &Path, code: &impl Code) {
        static UNIQUE: AtomicU32 = AtomicU32::new(0);
        let Ok(code) = code.serialize() else { return };
        if create_private(&self.folder).is_err() {
            return;
        }
        let unique = UNIQUE.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("{}-{unique}.tmp", std::process::id()));
        let written = fs::File::create_new(&temporary).and_then(|mut file| {
            file.write_all(&code)?;
            file.write_all(&crc32fast::hash(&code).to_le_bytes())
        });
        if written.and_then(|()| fs::rename(&temporary, path)).is_err() {
            let _ = fs::remove_file(&temporary);
        }
    }
}

/// Entries are executed, so nobody else may write them.
fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[expect(unsafe_code, reason = "wasmtime cannot check native code, see SAFETY")]
fn deserialize<C: Code>(engine: &Engine, code: &[u8]) -> Option<C> {
    // SAFETY: `deserialize` needs bytes that `serialize` produced. Only
    // `store` writes entries, into a folder that nobody but the user can write
    // to, and the checksum shows that this one arrived whole. wasmtime itself
    // refuses code of another version, configuration or machine.
    unsafe { C::deserialize(engine, code) }.ok()
}

/// Feeds a `Hash` into the digest.
struct Fold(Sha256);

impl std::hash::Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
