//! The folders whose files become code: where they are, how their files are authenticated, and the check that no guest
//! is given one.
//!
//! All are in one folder of the user: `wasio` in the cache folder, unless `WASIO_CACHE` names another. Only compiled
//! programs can be elsewhere. Files are authenticated with a key that is stored beside these folders and in none of
//! them, so write access to one of them is not enough.

use std::path::{Path, PathBuf};
use std::{env, io};

use crate::folder::Folder;

/// The folders in [`root`] that hold code, or the sources of code.
const CODE: [&str; 4] = ["compiled", "drop-ins", "try", "wasmedge"];
/// The name of the key's file.
const KEY: &str = "key";
/// The key's length in bytes.
const KEY_LEN: usize = 32;
/// The length in bytes of a tag made by [`Key::authenticate`].
pub const TAG_LEN: usize = 32;

/// Returns the folder that contains all others: `$WASIO_CACHE`, or `wasio` in the user's cache folder, if there is one.
pub fn root() -> Option<PathBuf> {
    named("WASIO_CACHE").or_else(|| Some(dirs::cache_dir()?.join("wasio")))
}

/// Returns the default folder of compiled programs: `$WASIO_CACHE_DIR`, or `compiled` in [`root`].
pub(crate) fn compiled() -> Option<PathBuf> {
    named("WASIO_CACHE_DIR").or_else(|| Some(root()?.join(CODE[0])))
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A key that authenticates files. A valid tag can only be made with the key.
pub struct Key([u8; KEY_LEN]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Reads the user's key, or creates one if there is none. The key is in [`root`]. For a user without one, such as a
    /// service's, it is in `folder`, which is private, too.
    ///
    /// # Errors
    ///
    /// The errors of [`Folder::private`] and of reading or writing the file.
    pub fn open(folder: &Folder) -> io::Result<Key> {
        let own = root().and_then(|root| Folder::private(&root).ok());
        let folder = own.as_ref().unwrap_or(folder);
        if let Some(key) = Key::read(folder) {
            return Ok(key);
        }
        let mut fresh = [0; KEY_LEN];
        getrandom::fill(&mut fresh)?;
        folder.replace(KEY.as_ref(), &[&fresh])?;
        // Another process may have written a key at the same time: the last one written is the one that all use.
        Key::read(folder).ok_or_else(|| io::Error::other("the key just written cannot be read"))
    }

    fn read(folder: &Folder) -> Option<Key> {
        folder.read(KEY, KEY_LEN as u64).ok()?.try_into().ok().map(Key)
    }

    /// Returns the tag of a file with this name and content.
    pub fn authenticate(&self, name: &str, content: &[u8]) -> [u8; TAG_LEN] {
        *self.tag_of(name).update(content).finalize().as_bytes()
    }

    /// Returns whether `tag` is the tag of a file with this name and content.
    pub fn verify(&self, name: &str, content: &[u8], tag: &[u8]) -> bool {
        is_tag(self.tag_of(name).update(content), tag)
    }

    /// Creates a hasher that yields the tag of a file with this name after it has been fed the content.
    pub(crate) fn tag_of(&self, name: &str) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        hasher
    }
}

/// Returns whether `tag` is the tag of the input of `hasher`.
pub(crate) fn is_tag(hasher: &blake3::Hasher, tag: &[u8]) -> bool {
    // `Hash` compares in constant time.
    tag.try_into().is_ok_and(|tag| hasher.finalize() == blake3::Hash::from_bytes(tag))
}

/// The folders that must not be given to a guest.
#[derive(Debug)]
pub struct CodeFolders(Vec<Place>);

/// A folder that need not exist.
#[derive(Debug)]
struct Place {
    /// The path as it was given.
    named: PathBuf,
    /// The path with links resolved.
    real: PathBuf,
    /// The ids of the folder and its ancestors, as far as they exist.
    ids: Vec<Id>,
}

impl CodeFolders {
    /// Returns all of the user's folders, and `also`.
    pub fn new(also: Option<&Path>) -> CodeFolders {
        let root = root();
        let below = root.iter().flat_map(|root| CODE.map(|name| root.join(name)));
        let all = below.chain(compiled()).chain(also.map(Path::to_owned));
        CodeFolders(all.map(Place::new).collect())
    }

    /// Returns a folder that is `granted`, is inside it, or contains it.
    pub fn overlapping(&self, granted: &Path) -> Option<&Path> {
        let granted = Place::new(granted.to_owned());
        let overlaps = |own: &&Place| own.is_in(&granted) || granted.is_in(own);
        self.0.iter().find(overlaps).map(|own| own.named.as_path())
    }
}

impl Place {
    fn new(named: PathBuf) -> Place {
        let absolute = std::path::absolute(&named).unwrap_or_else(|_| named.clone());
        let real = real(&absolute);
        let ids = real.ancestors().filter_map(id).collect();
        Place { named, real, ids }
    }

    /// Compares by path and by file-system id, because a folder may be mounted in two places.
    fn is_in(&self, other: &Place) -> bool {
        let by_id = id(&other.real).is_some_and(|id| self.ids.contains(&id));
        by_id || self.real.starts_with(&other.real)
    }
}

/// Resolves the links of a path, as far as it exists.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real(parent).join(name),
        _ => path.to_owned(),
    }
}

#[cfg(unix)]
type Id = (u64, u64);
#[cfg(not(unix))]
type Id = std::convert::Infallible;

/// Returns the device and inode, which identify a folder.
#[cfg(unix)]
fn id(path: &Path) -> Option<Id> {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata().ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn id(_path: &Path) -> Option<Id> {
    None
}
