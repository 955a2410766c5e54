//! Compiled code on disk, so that a program is compiled once.
//!
//! An entry is named by a digest of the wasm and of everything that shapes the compiler's output. It is written to a
//! temporary name and renamed, and ends in a tag that only the user's key makes. It is read into memory of this
//! process's own before anything looks at it, so that what is done to the file afterwards changes nothing. Whatever
//! goes wrong with the cache, the answer is to compile: a damaged or foreign entry is replaced, a folder that cannot be
//! written, or that others can write to, is done without. When the entries are too long together, those that were not
//! used for the longest time are removed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::folder::{self, Folder};
use crate::ours::{Key, TAG_LEN};

/// Changes when the layout of an entry does.
const FORMAT: &[u8] = b"wasio-3\0";
/// So much is kept unless somebody says otherwise.
pub(crate) const SIZE: u64 = 1 << 30;
/// The digits of an entry's name.
const DIGITS: usize = 64;
/// A temporary file of this age was left behind.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// Compiled code that can be kept.
pub(crate) trait Code: Sized {
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self>;

    fn serialize(&self) -> wasmtime::Result<Vec<u8>>;

    /// # Safety
    ///
    /// The bytes are what `serialize` produced.
    #[expect(unsafe_code, reason = "wasmtime cannot check native code")]
    unsafe fn deserialize(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self>;
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
            unsafe fn deserialize(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
                // SAFETY: promised by the caller.
                unsafe { <$type>::deserialize(engine, bytes) }
            }
        }
    )*};
}

code!(Module, Component);

/// A folder of compiled programs.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    path: PathBuf,
    /// How many bytes all entries have together at most.
    size: u64,
}

impl Cache {
    pub(crate) fn new(path: PathBuf, size: u64) -> Cache {
        Cache { path, size }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Why the folder is not used, if it could be but must not.
    pub(crate) fn refusal(&self) -> Option<io::Error> {
        self.open().err().filter(folder::is_refusal)
    }

    /// The name of a program's entry.
    pub(crate) fn name(engine: &Engine, wasm: &[u8]) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(FORMAT);
        std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut Fold(&mut hasher));
        hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
        hasher.update(wasm);
        hasher.finalize().to_hex().as_str().to_owned()
    }

    /// The code kept under a name, if it is ours, whole and of this engine.
    pub(crate) fn load<C: Code>(&self, engine: &Engine, name: &str) -> Option<C> {
        let (folder, key) = self.open().ok()?;
        let entry = folder.read_used(name, self.size).ok()?;
        let (code, tag) = entry.split_at_checked(entry.len().checked_sub(TAG_LEN)?)?;
        key.verify(name, code, tag).then(|| deserialize(engine, code))?
    }

    /// Keeps `code` under a name. Failing to is no error.
    pub(crate) fn store(&self, name: &str, code: &impl Code) {
        let Ok(code) = code.serialize() else { return };
        let Ok((folder, key)) = self.open() else { return };
        let len = (code.len() + TAG_LEN) as u64;
        let tag = key.authenticate(name, &code);
        if len <= self.size && folder.replace(name.as_ref(), &[&code, &tag]).is_ok() {
            let _ = self.evict(&folder, name);
        }
    }

    fn open(&self) -> io::Result<(Folder, Key)> {
        let folder = Folder::private(&self.path)?;
        let key = Key::open(&folder)?;
        Ok((folder, key))
    }

    /// Removes entries until the rest is short enough, the one that was used last but `kept` at the end. Files that are
    /// not the cache's are left alone.
    fn evict(&self, folder: &Folder, kept: &str) -> io::Result<()> {
        let mut entries = folder.entries()?;
        let is_abandoned = |used: SystemTime| used.elapsed().is_ok_and(|age| age > ABANDONED);
        for entry in &entries {
            if folder::is_temporary(&entry.name) && is_abandoned(entry.used) {
                let _ = folder.remove(&entry.name);
            }
        }
        entries.retain(|entry| entry.name.len() == DIGITS && folder::is_hex(&entry.name));
        entries.sort_unstable_by_key(|entry| (entry.name == kept, entry.used));
        let mut left: u64 = entries.iter().map(|entry| entry.len).sum();
        for entry in entries.iter().take_while(|entry| entry.name != kept) {
            if left <= self.size {
                break;
            }
            if folder.remove(&entry.name).is_ok() {
                left -= entry.len;
            }
        }
        Ok(())
    }
}

#[expect(unsafe_code, reason = "wasmtime cannot check native code, see SAFETY")]
fn deserialize<C: Code>(engine: &Engine, code: &[u8]) -> Option<C> {
    // SAFETY: `deserialize` needs what `serialize` produced. `load` has found that the bytes, which are this process's
    // own, fit the name and a tag that only `store` makes: the key is read by nobody but this user's processes, and is
    // in no folder that a guest is given. wasmtime itself refuses code of another version, configuration or machine.
    unsafe { C::deserialize(engine, code) }.ok()
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
