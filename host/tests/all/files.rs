//! Files of modules and components: what they do, and who waits for them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinSet;
use wasio_host::{Engine, Guest, GuestBuilder, Program};

use crate::support::*;

const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-wasip2"];

/// `tests/guest/files.rs` for a target, built once.
fn files(target: &str) -> &'static Program {
    static PROGRAMS: OnceLock<Vec<Program>> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| TARGETS.map(build).into());
    &programs[TARGETS.iter().position(|t| *t == target).unwrap()]
}

fn build(target: &str) -> Program {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest/files.rs");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let wasm = folder.join(format!("files-{target}.wasm"));
    // Tests that run in a process of their own build it, too.
    let own = tempfile::tempdir_in(folder).unwrap();
    let built = own.path().join("files.wasm");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(rustc);
    rustc
        .args(["--edition=2024", "-Copt-level=1", "--target", target, "-o"])
        .arg(&built)
        .arg(source);
    assert!(rustc.status().expect("rustc runs").success(), "is the target {target} there?");
    fs::rename(&built, &wasm).unwrap();
    Program::from_file(engine(), wasm).unwrap()
}

fn guest(target: &str, folder: &Path, args: &[&str]) -> GuestBuilder {
    Guest::builder(files(target))
        .arg("files")
        .args(args)
        .dir(folder, "/")
        .stderr(std::io::stderr())
        .timeout(LIMIT)
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ok"), "fine").unwrap();
    folder
}

#[test]
fn files_and_folders_do_what_they_do_natively() {
    for target in TARGETS {
        let folder = folder();
        succeeds(guest(target, folder.path(), &["tree"]));
        succeeds(guest(target, folder.path(), &["many", "3000"]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{target}");
    }
}

/// A list is whole although the guest removes the entries that it has seen.
#[test]
fn a_folder_can_be_emptied_while_it_is_listed() {
    for target in TARGETS {
        let folder = folder();
        succeeds(guest(target, folder.path(), &["emptied", "2000"]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{target}");
    }
}

/// The beginning of a list takes no longer because there is more: not 30,000 times two calls of the system's.
#[test]
fn the_beginning_of_a_list_costs_what_it_returns() {
    let folder = folder();
    for n in 0..30_000 {
        fs::write(folder.path().join(n.to_string()), "").unwrap();
    }
    for target in TARGETS {
        let output = Output::new();
        succeeds(guest(target, folder.path(), &["first", "20"]).stdout(output.pipe()));
        let best: u64 = runtime().block_on(output.line(0)).parse().unwrap();
        assert!(best < 10_000, "{target}: {best} µs");
    }
}

/// A Unix socket in a folder is listed like anything else.
#[test]
fn sockets_in_folders_are_listed() {
    for target in TARGETS {
        let folder = folder();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let output = Output::new();
        succeeds(guest(target, folder.path(), &["names"]).stdout(output.pipe()));
        assert_eq!(runtime().block_on(output.line(0)), "ok socket", "{target}");
    }
}

/// wasmtime-wasi copies 128 MiB at most, and fails beyond.
#[test]
fn what_is_read_and_written_may_be_of_any_length() {
    for target in TARGETS {
        let folder = folder();
        succeeds(guest(target, folder.path(), &["big"]));
        let at = guest(target, folder.path(), &["at", "134230073"]).build().unwrap();
        let stats = at.stats();
        assert_eq!(runtime().block_on(at.run()).unwrap().code(), 0, "{target}");
        assert!(stats.snapshot().suspensions > 1000, "{target}: {:?}", stats.snapshot());
        let (count, sum) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (n, s) = (count.clone(), sum.clone());
        succeeds(guest(target, folder.path(), &["stdout"]).on_stdout(move |bytes| {
            n.fetch_add(bytes.len() as u64, Relaxed);
            s.fetch_add(bytes.iter().map(|b| u64::from(*b)).sum(), Relaxed);
        }));
        let all = (128u64 << 20) + 12_345;
        assert_eq!(count.load(Relaxed), all, "{target}");
        assert_eq!(sum.load(Relaxed), (0..all).map(|n| n % 251).sum::<u64>(), "{target}");
    }
}

/// A path may be as long as the guest's memory; the host copies none that no system would take.
#[test]
fn long_paths_are_refused() {
    for target in TARGETS {
        let folder = folder();
        for len in ["65537", "100000000", "134230073"] {
            succeeds(guest(target, folder.path(), &["long-path", len]));
        }
    }
}

/// The host keeps little of a folder that a component lists, however much is in it and however often it does.
#[cfg(target_os = "linux")]
#[test]
fn folders_are_not_kept_in_memory() {
    crate::pool::alone("files::folders_are_not_kept_in_memory", || {
        const MIB: i64 = 1024;
        let folder = folder();
        succeeds(guest(TARGETS[1], folder.path(), &["ok"]));
        for n in 0..5000 {
            fs::write(folder.path().join(format!("{n:0>200}")), "").unwrap();
        }
        let output = Output::new();
        let guest = guest(TARGETS[1], folder.path(), &["lists", "200"]).stdout(output.pipe());
        runtime().block_on(async {
            let before = crate::pool::resident();
            let guest = tokio::spawn(guest.build().unwrap().run());
            assert_eq!(output.line(0).await, "200 of 5001");
            let grown = crate::pool::resident() - before;
            assert!(grown < 64 * MIB, "{grown} KiB for 200 lists");
            guest.abort();
        });
    });
}

/// Opening a FIFO waits for its other end: nobody does, not even behind a link.
#[test]
fn fifos_are_refused() {
    for target in TARGETS {
        let folder = folder();
        let path = folder.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, path, 0o600.into()).unwrap();
        std::os::unix::fs::symlink("fifo", folder.path().join("link")).unwrap();
        for name in ["/fifo", "/link"] {
            succeeds(guest(target, folder.path(), &["refused", name]));
        }
    }
}

/// Somebody puts a FIFO in a file's place, and the file back, all the time: a thread that opens it is not held for ever.
#[test]
fn a_fifo_in_a_files_place_is_not_waited_for() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let folder = folder();
    let [file, fifo] = ["file", "fifo"].map(|name| folder.path().join(name));
    fs::write(&file, "fine").unwrap();
    rustix::fs::mkfifoat(CWD, &fifo, 0o600.into()).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let swapping = std::thread::spawn({
        let over = over.clone();
        move || {
            while !over.load(Relaxed) {
                renameat_with(CWD, &file, CWD, &fifo, RenameFlags::EXCHANGE).unwrap();
            }
        }
    });
    for target in TARGETS {
        let guest = guest(target, folder.path(), &["opens", "/file", "4"]);
        succeeds(guest.timeout(Duration::from_secs(40)));
    }
    over.store(true, Relaxed);
    swapping.join().unwrap();
}

/// tokio's threads for what blocks may all be taken, by whomever.
#[test]
fn files_do_not_need_the_threads_of_tokio() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let folder = folder();
    let (release, taken) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || taken.recv());
    runtime.block_on(async {
        for target in TARGETS {
            for args in [["ok"].as_slice(), &["tree"]] {
                let guest = guest(target, folder.path(), args).timeout(Duration::from_secs(30));
                assert_eq!(guest.build().unwrap().run().await.unwrap().code(), 0, "{target}");
            }
        }
    });
    drop(release);
}

/// An embedder may have few threads: guests then wait for each other, and none for ever.
#[test]
fn few_threads_are_enough() {
    let engine = Engine::builder().no_cache().file_threads(1, 1).build().unwrap();
    let wasm = Path::new(env!("CARGO_TARGET_TMPDIR")).join("files-wasm32-wasip1.wasm");
    files(TARGETS[0]);
    let program = Program::from_file(&engine, wasm).unwrap();
    let folder = folder();
    runtime().block_on(async {
        let mut guests = JoinSet::new();
        for _ in 0..50 {
            let guest = Guest::builder(&program).args(["files", "ok"]).dir(folder.path(), "/");
            guests.spawn(guest.timeout(LIMIT).build().unwrap().run());
        }
        while let Some(ended) = guests.join_next().await {
            assert_eq!(ended.unwrap().unwrap().code(), 0);
        }
    });
}

/// Files take descriptors as sockets do: the host keeps a reserve.
#[test]
fn files_end_before_descriptors() {
    crate::pool::alone("files::files_end_before_descriptors", || {
        // Before there are few descriptors, as compilers need them.
        TARGETS.iter().for_each(|target| _ = files(target));
        let most = rustix::process::Rlimit { current: Some(200), maximum: Some(200) };
        rustix::process::setrlimit(rustix::process::Resource::Nofile, most).unwrap();
        for target in TARGETS {
            let folder = folder();
            let output = Output::new();
            succeeds(guest(target, folder.path(), &["exhaust"]).stdout(output.pipe()));
            let opened = runtime().block_on(output.line(0));
            assert_eq!(opened, "150", "{target}");
        }
    });
}
