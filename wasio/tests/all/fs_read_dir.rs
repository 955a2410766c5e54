//! The entries of a directory.

use crate::fs_support;
use crate::io_support;

use std::collections::BTreeSet;
use std::io::ErrorKind;

use fs_support::TempDir;
use io_support::poll_once;
use wasio::fs;

#[wasio::test]
async fn every_entry_once() {
    let dir = TempDir::new("read-dir-every-entry");
    // More entries than are read at once.
    let names: BTreeSet<String> = (0..100).map(|i| format!("file-{i}")).collect();
    for name in &names {
        fs::write(dir.join(name), name).await.unwrap();
    }
    let mut entries = fs::read_dir(dir.join("")).await.unwrap();
    let mut seen = BTreeSet::new();
    loop {
        // A cancelled call loses only the entry that it returned.
        let next = match poll_once(entries.next_entry()) {
            std::task::Poll::Ready(next) => next,
            std::task::Poll::Pending => entries.next_entry().await,
        };
        let Some(entry) = next.unwrap() else { break };
        assert!(entry.file_type().await.unwrap().is_file());
        let name = entry.file_name().into_string().unwrap();
        assert_eq!(entry.metadata().await.unwrap().len() as usize, name.len());
        assert_eq!(entry.path(), dir.join(&name));
        assert!(seen.insert(name), "an entry came twice");
    }
    assert_eq!(seen, names);
    assert!(entries.next_entry().await.unwrap().is_none());
}

#[wasio::test]
async fn kinds_of_entries() {
    let dir = TempDir::new("read-dir-kinds");
    fs::create_dir(dir.join("d")).await.unwrap();
    let mut entries = fs::read_dir(dir.join("")).await.unwrap();
    let entry = entries.next_entry().await.unwrap().unwrap();
    assert!(entry.file_type().await.unwrap().is_dir());
    #[cfg(unix)]
    assert_ne!(entry.ino(), 0);
    assert_eq!(fs::read_dir(dir.join("x")).await.unwrap_err().kind(), ErrorKind::NotFound);
}
