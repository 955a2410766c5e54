//! Compiled code on disk: kept, trusted only if it is ours, and given to no guest.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use wasio_host::{Engine, Error, Guest, Program, code_folders};

use crate::support::*;

const EXIT: &str = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 9))))"#;

/// The same with so much data that its code is mapped.
fn large() -> String {
    let data = "0123456789abcdef".repeat(1 << 17);
    EXIT.replace(
        "(memory (export \"memory\") 1)",
        &format!("(memory (export \"memory\") 40) (data (i32.const 0) \"{data}\")"),
    )
}

#[test]
fn a_program_is_compiled_once() {
    let folder = tempfile::tempdir().unwrap();
    let entries =
        || fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    let engine = || Engine::builder().cache_folder(folder.path()).build().unwrap();
    let wasm = wat::parse_str(EXIT).unwrap();
    let load = |expected: bool| {
        let program = Program::new(&engine(), &wasm).unwrap();
        assert_eq!(program.from_cache(), expected);
        assert_eq!(run(Guest::builder(&program)).unwrap().code(), 9);
    };
    load(false);
    load(true);
    assert_eq!(entries().len(), 1, "no temporary file is left");
    assert!(
        !Program::new(&engine(), &wat::parse_str("(module (func (export \"_start\")))").unwrap())
            .unwrap()
            .from_cache()
    );
    assert_eq!(entries().len(), 2);
}

#[test]
fn damaged_entries_are_replaced() {
    for text in [EXIT, &large()] {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::builder().cache_folder(folder.path()).build().unwrap();
        let wasm = wat::parse_str(text).unwrap();
        drop(Program::new(&engine, &wasm).unwrap());
        let entry = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let whole = fs::read(&entry).unwrap();
        let flipped = |at: usize| {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            flipped
        };
        let (middle, tag) = (flipped(whole.len() / 2), flipped(whole.len() - 1));
        let longer = [&whole[..], b"x"].concat();
        for damaged in [
            &b""[..],
            &whole[..3],
            &whole[..whole.len() - 1],
            &middle,
            &tag,
            &longer,
            b"no code at all",
        ] {
            fs::write(&entry, damaged).unwrap();
            let program = Program::new(&engine, &wasm).unwrap();
            assert!(!program.from_cache());
            assert_eq!(run(Guest::builder(&program)).unwrap().code(), 9);
            assert_eq!(fs::read(&entry).unwrap().len(), whole.len());
        }
        assert!(Program::new(&engine, &wasm).unwrap().from_cache());
    }
}

/// Modules and components, with so much code that it is mapped. On Linux, nothing of a long file is in memory twice.
#[test]
fn a_long_file_is_compiled_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = || Engine::builder().cache_folder(folder.path().join("kept")).build().unwrap();
    let component = format!(
        r#"(component
            (core module $large (memory 40) (data (i32.const 0) "{}")
                (func (export "run") (result i32) (i32.ne (i32.load8_u (i32.const 33)) (i32.const 49))))
            (core instance $large (instantiate $large))
            (func $run (result (result)) (canon lift (core func $large "run")))
            (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#,
        "0123456789abcdef".repeat(1 << 17)
    );
    let file = folder.path().join("program.wasm");
    for (text, code) in [(large(), 9), (component, 0)] {
        fs::write(&file, wat::parse_str(text).unwrap()).unwrap();
        for expected in [false, true] {
            let program = Program::from_file(&engine(), &file).unwrap();
            assert_eq!(program.from_cache(), expected);
            assert_eq!(run(Guest::builder(&program)).unwrap().code(), code);
            assert!(Program::new(&engine(), &fs::read(&file).unwrap()).unwrap().from_cache());
            #[cfg(target_os = "linux")]
            if expected {
                let maps = fs::read_to_string("/proc/self/maps").unwrap();
                assert!(maps.contains("memfd:wasio-code"), "{maps}");
                let entry = folder.path().join("kept");
                assert!(!maps.contains(entry.to_str().unwrap()), "an entry is mapped");
            }
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_done_without() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let engine = Engine::builder().cache_folder(file.path().join("below")).build().unwrap();
    let program = Program::new(&engine, &wat::parse_str(EXIT).unwrap()).unwrap();
    assert_eq!(run(Guest::builder(&program)).unwrap().code(), 9);
}

/// A cache folder of its own, and programs that are kept in it.
struct Kept {
    folder: tempfile::TempDir,
}

impl Kept {
    fn new() -> Kept {
        Kept { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("compiled")
    }

    fn engine(&self, size: u64) -> Engine {
        Engine::builder().cache_folder(self.path()).cache_size(size).build().unwrap()
    }

    /// Whether a program that exits with this code came from the cache. It is run.
    fn load_within(&self, size: u64, code: i32) -> bool {
        let text = EXIT.replace("9", &code.to_string());
        let program = Program::new(&self.engine(size), &wat::parse_str(text).unwrap()).unwrap();
        assert_eq!(run(Guest::builder(&program)).unwrap().code(), code);
        program.from_cache()
    }

    fn load(&self, code: i32) -> bool {
        self.load_within(1 << 30, code)
    }

    fn entries(&self) -> Vec<PathBuf> {
        fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

/// The entries belong together with names: one under another's name is somebody else's program.
#[test]
fn an_entry_under_another_name_is_none() {
    let kept = Kept::new();
    assert!(!kept.load(9));
    let nine = kept.entries().remove(0);
    assert!(!kept.load(8));
    let eight = kept.entries().into_iter().find(|path| *path != nine).unwrap();
    fs::copy(&nine, &eight).unwrap();
    assert!(!kept.load(8), "an entry was taken for another program's");
    assert!(kept.load(8) && kept.load(9));
}

#[test]
fn an_entry_of_another_key_is_none() {
    let (one, other) = (Kept::new(), Kept::new());
    assert!(!one.load(9));
    let entry = one.entries().remove(0);
    let mut forged = fs::read(&entry).unwrap();
    let code = forged.len() - code_folders::TAG_LEN;
    let name = entry.file_name().unwrap().to_str().unwrap();
    // Whoever can write there knows everything but the key.
    let tag = blake3::keyed_hash(&[0; 32], &[name.as_bytes(), &forged[..code]].concat());
    forged.splice(code.., *tag.as_bytes());
    fs::create_dir_all(other.path()).unwrap();
    fs::write(other.path().join(name), &forged).unwrap();
    assert!(!other.load(9));
}

#[test]
fn a_program_that_runs_does_not_depend_on_its_entry() {
    for text in [EXIT, &large()] {
        let kept = Kept::new();
        let wasm = wat::parse_str(text).unwrap();
        assert!(!Program::new(&kept.engine(1 << 30), &wasm).unwrap().from_cache());
        let entry = kept.entries().remove(0);
        let program = Program::new(&kept.engine(1 << 30), &wasm).unwrap();
        assert!(program.from_cache());
        let file = fs::File::options().write(true).open(&entry).unwrap();
        // Where the file was mapped, this was the end of the process.
        file.set_len(0).unwrap();
        assert_eq!(run(Guest::builder(&program)).unwrap().code(), 9);
    }
}

#[test]
fn what_was_not_used_for_the_longest_time_is_removed() {
    let kept = Kept::new();
    let other = "somebody else's file";
    assert!(!kept.load(1));
    let len = kept.entries()[0].metadata().unwrap().len();
    fs::write(kept.path().join(other), vec![0; 3 * len as usize]).unwrap();
    let abandoned = kept.path().join(format!(".{:032x}.tmp", 7));
    fs::write(&abandoned, "").unwrap();
    let old = SystemTime::now() - Duration::from_secs(7200);
    fs::File::options().write(true).open(&abandoned).unwrap().set_modified(old).unwrap();
    let two = 2 * len + len / 2;
    assert!(!kept.load_within(two, 2));
    assert!(kept.load_within(two, 1), "both fit");
    assert!(!kept.load_within(two, 3));
    assert!(kept.load_within(two, 1), "it was used last");
    assert!(kept.load_within(two, 3), "it is the newest");
    let total: u64 = kept.entries().iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(total - 3 * len <= two, "{total}");
    assert!(kept.path().join(other).exists() && !abandoned.exists());
    assert!(!kept.load_within(two, 2), "it was removed");
}

#[test]
fn no_guest_is_given_what_becomes_code() {
    let kept = Kept::new();
    assert!(!kept.load(9));
    let engine = kept.engine(1 << 30);
    let program = Program::new(&engine, &wat::parse_str(EXIT).unwrap()).unwrap();
    let below = kept.path().join("below");
    fs::create_dir(&below).unwrap();
    let beside = kept.folder.path().join("beside");
    fs::create_dir(&beside).unwrap();
    let refused = |program: &Program, path: &Path| {
        let built = Guest::builder(program).dir(path, "/x").build();
        match built {
            Err(Error::Grant { path: named, reason }) => {
                assert!(named == path && reason.contains("WASIO_CACHE"), "{reason}");
                true
            }
            other => other.map(|_| false).unwrap(),
        }
    };
    for folder in [&kept.path(), &below, kept.folder.path(), Path::new("/")] {
        assert!(refused(&program, folder), "{folder:?}");
    }
    let by_detour = beside.join("../compiled");
    assert!(refused(&program, &by_detour));
    #[cfg(unix)]
    {
        let link = beside.join("link");
        std::os::unix::fs::symlink(kept.path(), &link).unwrap();
        assert!(refused(&program, &link));
    }
    assert!(!refused(&program, &beside));
    // Another process would use what such a guest leaves there.
    let without = Engine::builder().no_cache().build().unwrap();
    let program = Program::new(&without, &wat::parse_str(EXIT).unwrap()).unwrap();
    let root = code_folders::root().unwrap();
    for folder in [root.join("compiled"), root.join("drop-ins"), root] {
        assert!(refused(&program, &folder), "{folder:?}");
    }
    assert!(!refused(&program, &beside));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    use std::process::Command;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Some user who runs nothing.
    const OTHER: u32 = 54321;

    /// Whether files can be given to another user: the tests that need it are skipped for everybody but root.
    fn is_root(test: &str) -> bool {
        let root = rustix::process::geteuid().is_root();
        if !root {
            eprintln!("skipped: {test} needs root");
        }
        root
    }

    #[test]
    fn what_others_could_have_written_is_no_entry() {
        let kept = Kept::new();
        assert!(!kept.load(9));
        let entry = kept.entries().remove(0);
        let elsewhere = kept.folder.path().join("elsewhere");
        type Spoil<'a> = &'a dyn Fn();
        let spoils: [(&str, Spoil<'_>); 7] = [
            ("writable by its group", &|| set_mode(&entry, 0o620)),
            ("writable by others", &|| set_mode(&entry, 0o602)),
            ("a link to a good one", &|| {
                fs::rename(&entry, &elsewhere).unwrap();
                symlink(&elsewhere, &entry).unwrap();
            }),
            ("a FIFO", &|| {
                fs::remove_file(&entry).unwrap();
                assert!(Command::new("mkfifo").arg(&entry).status().unwrap().success());
            }),
            ("a link to a FIFO", &|| {
                fs::remove_file(&entry).unwrap();
                let fifo = kept.folder.path().join("fifo");
                assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
                symlink(&fifo, &entry).unwrap();
            }),
            ("a file with another name", &|| {
                let _ = fs::remove_file(&elsewhere);
                fs::hard_link(&entry, &elsewhere).unwrap();
            }),
            ("another user's", &|| {
                if is_root("an entry of another user") {
                    chown(&entry, Some(OTHER), None).unwrap();
                } else {
                    set_mode(&entry, 0o666);
                }
            }),
        ];
        for (what, spoil) in spoils {
            assert!(kept.load(9), "before: {what}");
            spoil();
            assert!(!kept.load(9), "{what}");
            assert!(kept.load(9), "it was not replaced: {what}");
            assert!(entry.symlink_metadata().unwrap().is_file(), "{what}");
        }
        fs::remove_file(&entry).unwrap();
        fs::create_dir(&entry).unwrap();
        assert!(!kept.load(9), "a folder");
    }

    #[test]
    fn a_folder_that_others_could_change_is_done_without() {
        let kept = Kept::new();
        assert!(!kept.load(9) && kept.load(9));
        let refusal = |kept: &Kept| {
            assert!(!kept.load(9), "the entry was used");
            kept.engine(1 << 30).cache_refusal().map(|why| why.to_string()).unwrap_or_default()
        };
        for mode in [0o720, 0o702, 0o1777] {
            set_mode(&kept.path(), mode);
            assert!(refusal(&kept).contains("written by others"), "{mode:o}");
        }
        set_mode(&kept.path(), 0o700);
        set_mode(kept.folder.path(), 0o777);
        assert!(refusal(&kept).contains("written by others"), "the folder above");
        // As /tmp is: nobody can put another folder in the place of ours.
        set_mode(kept.folder.path(), 0o1777);
        assert!(kept.load(9));
        set_mode(kept.folder.path(), 0o700);

        let real = kept.folder.path().join("real");
        fs::rename(kept.path(), &real).unwrap();
        symlink(&real, kept.path()).unwrap();
        assert!(refusal(&kept).contains("is a link"));
        fs::remove_file(kept.path()).unwrap();
        fs::rename(&real, kept.path()).unwrap();
        if is_root("a folder of another user") {
            for folder in [&kept.path(), kept.folder.path()] {
                chown(folder, Some(OTHER), None).unwrap();
                assert!(refusal(&kept).contains("another user"), "{folder:?}");
                chown(folder, Some(0), None).unwrap();
            }
        }
        assert!(kept.load(9), "it is as it was");
    }
}
