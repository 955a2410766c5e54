//! Compiled code on disk, so that a program is compiled once.
//!
//! An entry is named by a digest of the wasm and of everything that shapes the
//! compiler's output, written to a temporary name and renamed, and ends in a
//! checksum. wasmtime maps it into memory. Whatever goes wrong with the cache, the answer is to compile: a
//! damaged or foreign entry is replaced, a folder that cannot be written is
//! done without.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// Changes when the layout of an entry does.
const FORMAT: &[u8] = b"wasio-2\0";

/// Compiled code that can be kept.
pub(crate) trait Code: Sized {
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self>;

    fn serialize(&self) -> wasmtime::Result<Vec<u8>>;

    /// # Safety
    ///
    /// The file is what `serialize` produced, with anything behind it, and stays so while the program is in use.
    #[expect(unsafe_code, reason = "wasmtime cannot check native code")]
    unsafe fn deserialize(engine: &Engine, file: &Path) -> wasmtime::Result<Self>;
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
            unsafe fn deserialize(engine: &Engine, file: &Path) -> wasmtime::Result<Self> {
                // SAFETY: promised by the caller.
                unsafe { <$type>::deserialize_file(engine, file) }
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
        let mut hasher = blake3::Hasher::new();
        hasher.update(FORMAT);
        std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut Fold(&mut hasher));
        hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
        hasher.update(wasm);
        let name = hasher.finalize().to_hex();
        self.folder.join(name.as_str())
    }

    /// The code kept at `path`, if it is whole and of this engine.
    pub(crate) fn load<C: Code>(&self, engine: &Engine, path: &Path) -> Option<C> {
        is_whole(path).ok()?.then(|| deserialize(engine, path))?
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
        let written = File::create_new(&temporary).and_then(|mut file| {
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

/// Whether an entry ends in the checksum of all that is before. It is read in pieces: that is faster than to have all of
/// it in memory once more, beside the mapping that wasmtime makes.
fn is_whole(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let mut left = file.metadata()?.len().saturating_sub(4);
    let mut hasher = crc32fast::Hasher::new();
    let mut piece = [0; 32 * 1024];
    while left > 0 {
        let most = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let n = file.read(&mut piece[..most])?;
        if n == 0 {
            return Ok(false);
        }
        hasher.update(&piece[..n]);
        left -= n as u64;
    }
    let mut checksum = [0; 4];
    file.read_exact(&mut checksum)?;
    Ok(checksum == hasher.finalize().to_le_bytes())
}

#[expect(unsafe_code, reason = "wasmtime cannot check native code, see SAFETY")]
fn deserialize<C: Code>(engine: &Engine, path: &Path) -> Option<C> {
    // SAFETY: `deserialize` needs a file that `serialize` produced, and that nobody changes. Only `store` makes entries,
    // in a folder that nobody but the user can write to; it never writes to one that is there, but puts another in its
    // place. The checksum shows that this one is whole. wasmtime itself refuses code of another version, configuration
    // or machine.
    unsafe { C::deserialize(engine, path) }.ok()
}

/// Feeds a `Hash` into the digest.
struct Fold<'a>(&'a mut blake3::Hasher);

impl std::hash::Hasher for Fold<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
