//! Compiled code on disk, so that a program is compiled once.
//!
//! The name of an entry is a digest of the wasm and of everything that affects the compiler's output. An entry is
//! written to a temporary name and renamed. It ends in a tag that can only be made with the user's key. Before an entry
//! is examined, it is read into memory of this process; a large one is read into sealed memory that can be mapped
//! (`sealed.rs`). Later changes to the file therefore have no effect.
//!
//! If the cache fails in any way, the program is compiled. A damaged or foreign entry is replaced. A folder is not used
//! if it cannot be written, or if others can write to it. When the entries exceed the size limit together, those that
//! have not been used for the longest time are removed.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::code_folders::{self, Key, TAG_LEN};
use crate::folder::{self, Folder};
use crate::sealed;

/// Changed with the layout of an entry.
const FORMAT: &[u8] = b"wasio-3\0";
/// The default size limit of the cache, in bytes.
pub(crate) const SIZE: u64 = 1 << 30;
/// Code of at least this length is mapped rather than copied.
const LARGE: u64 = 1 << 20;
/// The number of bytes of an entry that are read at once.
const PIECE: usize = 1 << 18;
/// The number of digits in an entry's name.
const DIGITS: usize = 64;
/// A temporary file of this age is taken to be abandoned.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// Compiled code that can be cached.
pub(crate) trait Code: Sized {
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self>;

    fn serialize(&self) -> wasmtime::Result<Vec<u8>>;

    /// # Safety
    ///
    /// The bytes must be the output of `serialize`.
    #[expect(unsafe_code, reason = "wasmtime cannot check native code")]
    unsafe fn deserialize(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self>;

    /// # Safety
    ///
    /// The bytes in the memory must be the output of `serialize`, and must not change.
    #[expect(unsafe_code, reason = "wasmtime cannot check native code")]
    unsafe fn map(engine: &Engine, sealed: &File) -> wasmtime::Result<Self>;
}

macro_rules! code {
    ($($type:ty: $map:expr;)*) => {$(
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

            #[expect(unsafe_code, reason = "wasmtime cannot check native code")]
            unsafe fn map(engine: &Engine, sealed: &File) -> wasmtime::Result<Self> {
                // SAFETY: promised by the caller.
                unsafe { $map(engine, sealed) }
            }
        }
    )*};
}

code! {
    Module: |engine, file: &File| Module::deserialize_open_file(engine, file.try_clone()?);
    Component: |engine, file: &File| Component::deserialize_file(engine, sealed::path(file));
}

/// A folder of compiled programs.
#[derive(Debug)]
pub(crate) struct Cache {
    path: PathBuf,
    /// The maximum size of all entries together, in bytes.
    size: u64,
    /// The user's key, read when it is first needed.
    key: OnceLock<Key>,
}

impl Cache {
    pub(crate) fn new(path: PathBuf, size: u64) -> Cache {
        Cache { path, size, key: OnceLock::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns why the folder is not used, if it is refused because others could change it.
    pub(crate) fn refusal(&self) -> Option<io::Error> {
        self.open().err().filter(folder::is_refusal)
    }

    /// Returns the name of a program's entry.
    pub(crate) fn name(engine: &Engine, wasm: &[u8]) -> String {
        Cache::naming(engine).update(wasm).finalize().to_hex().as_str().to_owned()
    }

    /// Creates a hasher that yields the name of a program's entry after it has been fed the wasm.
    pub(crate) fn naming(engine: &Engine) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new();
        hasher.update(FORMAT);
        std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut Fold(&mut hasher));
        hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
        hasher
    }

    /// Loads the code stored under a name if it is authentic, whole and made for this engine.
    pub(crate) fn load<C: Code>(&self, engine: &Engine, name: &str) -> Option<C> {
        let (folder, key) = self.open().ok()?;
        let (entry, len) = folder.open_used(name, self.size).ok()?;
        let len = len.checked_sub(TAG_LEN as u64)?;
        let mut tag = key.tag_of(name);
        if len >= LARGE
            && let Ok(memory) = sealed::create()
        {
            copy_to(&memory, &entry, len, &mut tag).ok()?;
            sealed::seal(&memory).ok()?;
            if !ends_in(&entry, &tag) {
                return None;
            }
            if let Some(code) = map(engine, &memory) {
                return Some(code);
            }
            // Some systems forbid executing such memory.
            let mut code = Vec::new();
            (&memory).rewind().ok()?;
            (&memory).read_to_end(&mut code).ok()?;
            return deserialize(engine, &code);
        }
        let mut code = Vec::new();
        code.try_reserve_exact(usize::try_from(len).ok()?).ok()?;
        (&entry).take(len).read_to_end(&mut code).ok()?;
        let is_authentic = code.len() as u64 == len && ends_in(&entry, tag.update(&code));
        is_authentic.then(|| deserialize(engine, &code))?
    }

    /// Stores `code` under a name. A failure is not an error.
    pub(crate) fn store(&self, name: &str, code: &impl Code) {
        let Ok(code) = code.serialize() else { return };
        let Ok((folder, key)) = self.open() else { return };
        let len = (code.len() + TAG_LEN) as u64;
        let tag = key.authenticate(name, &code);
        if len <= self.size && folder.replace(name.as_ref(), &[&code, &tag]).is_ok() {
            let _ = self.evict(&folder, name);
        }
    }

    fn open(&self) -> io::Result<(Folder, &Key)> {
        let folder = Folder::private(&self.path)?;
        let key = match self.key.get() {
            Some(key) => key,
            None => {
                let key = Key::open(&folder)?;
                self.key.get_or_init(|| key)
            }
        };
        Ok((folder, key))
    }

    /// Removes entries until the rest fits, the least recently used first and never `kept`. Files that are not the
    /// cache's are left alone.
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

/// Copies the next `len` bytes and feeds them to the tag. The tag covers exactly the bytes that were copied.
fn copy_to(mut memory: &File, entry: &File, len: u64, tag: &mut blake3::Hasher) -> io::Result<()> {
    let mut entry = entry.take(len);
    let mut piece = vec![0; PIECE];
    let mut left = len;
    while left > 0 {
        let n = entry.read(&mut piece)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        memory.write_all(&piece[..n])?;
        tag.update(&piece[..n]);
        left -= n as u64;
    }
    Ok(())
}

/// Returns whether the next bytes are the tag.
fn ends_in(mut entry: &File, tag: &blake3::Hasher) -> bool {
    let mut end = [0; TAG_LEN];
    entry.read_exact(&mut end).is_ok() && code_folders::is_tag(tag, &end)
}

#[expect(unsafe_code, reason = "wasmtime cannot check native code, see SAFETY")]
fn map<C: Code>(engine: &Engine, memory: &File) -> Option<C> {
    // SAFETY: as for `deserialize`. The tag covers the copied bytes, and the memory is sealed.
    unsafe { C::map(engine, memory) }.ok()
}

#[expect(unsafe_code, reason = "wasmtime cannot check native code, see SAFETY")]
fn deserialize<C: Code>(engine: &Engine, code: &[u8]) -> Option<C> {
    // SAFETY: `deserialize` needs the output of `serialize`. `load` has verified that the bytes, which are in this
    // process's own memory, match the name and a tag that only `store` makes: only processes of this user can read the
    // key, and it is in no folder that a guest is given. wasmtime itself refuses code of another version, configuration
    // or machine.
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
