//! What `wasio run` grants, and writes, is what was named: odd names, folders of the host's own, links of guests.
#![cfg(unix)]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Writes the names of its folders, one a line, and a `+` behind those that have a file `marker`.
const FOLDERS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $name (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 512) "marker")
    (func (export "_start") (local $fd i32) (local $len i32)
        (local.set $fd (i32.const 3))
        (loop $next
            (if (i32.eqz (call $prestat (local.get $fd) (i32.const 0))) (then
                (local.set $len (i32.load (i32.const 4)))
                (drop (call $name (local.get $fd) (i32.const 1024) (local.get $len)))
                (if (i32.eqz (call $stat (local.get $fd) (i32.const 0) (i32.const 512) (i32.const 6) (i32.const 64)))
                    (then
                        (i32.store8 (i32.add (i32.const 1024) (local.get $len)) (i32.const 43))
                        (local.set $len (i32.add (local.get $len) (i32.const 1)))))
                (i32.store8 (i32.add (i32.const 1024) (local.get $len)) (i32.const 10))
                (i32.store (i32.const 16) (i32.const 1024))
                (i32.store (i32.const 20) (i32.add (local.get $len) (i32.const 1)))
                (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))
                (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
                (br $next))))))"#;

/// Makes links in its folder wherever the host could write next, for half a second: `stats.json.tmp` and `stats.json`,
/// which lead out.
const LINKS: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_symlink" (func $link (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 1024) "../victim.txt")
    (data (i32.const 1100) "stats.json.tmp")
    (func (export "_start") (local $i i32)
        (i32.store (i32.const 80) (i32.const 1))
        (i64.store (i32.const 88) (i64.const 20000000))
        (loop $again
            (drop (call $link (i32.const 1024) (i32.const 13) (i32.const 3) (i32.const 1100) (i32.const 14)))
            (drop (call $link (i32.const 1024) (i32.const 13) (i32.const 3) (i32.const 1100) (i32.const 10)))
            (drop (call $poll (i32.const 64) (i32.const 256) (i32.const 1) (i32.const 512)))
            (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 25))))))"#;

/// A folder to work in, and a guest beside it.
struct Bench {
    folder: TempDir,
    own: TempDir,
}

impl Bench {
    fn new(guest: &str) -> Bench {
        let bench =
            Bench { folder: tempfile::tempdir().unwrap(), own: tempfile::tempdir().unwrap() };
        fs::write(bench.guest(), wat::parse_str(guest).unwrap()).unwrap();
        bench
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn guest(&self) -> PathBuf {
        self.own.path().join("guest.wasm")
    }

    /// A folder with a marker in it.
    fn folder(&self, name: impl AsRef<OsStr>) -> PathBuf {
        let path = self.path().join(name.as_ref());
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("marker"), "").unwrap();
        path
    }

    /// `wasio run`, started in the folder.
    fn wasio(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasio"));
        command.current_dir(self.path()).stdin(Stdio::null()).arg("run");
        command.env("WASIO_CACHE", self.own.path().join("cache"));
        command.env_remove("WASIO_CACHE_DIR").env_remove("WASIO_NET").env_remove("WASIO_DIR");
        command
    }

    fn run(&self, command: &mut Command) -> Output {
        command.arg("--timeout").arg("60s").arg(self.guest()).output().unwrap()
    }

    #[track_caller]
    fn prints(&self, command: &mut Command, expected: &str) {
        let output = self.run(command);
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{}", stderr(&output));
        assert!(output.status.success(), "{}", stderr(&output));
    }

    #[track_caller]
    fn refuses(&self, command: &mut Command, said: &str) {
        let output = self.run(command);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(output.stdout.is_empty() && stderr(&output).contains(said), "{}", stderr(&output));
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_folder_is_granted_exactly_as_it_was_named() {
    let bench = Bench::new(FOLDERS);
    for name in ["x,y", "a:b", "a::b", " spaced ", "uml\u{e4}ut", "-dash", "x"] {
        bench.folder(name);
    }
    fs::create_dir(bench.path().join("y")).unwrap();
    let dir = |name: &str| {
        let mut command = bench.wasio();
        command.arg(format!("--dir={name}"));
        command
    };
    // A comma is part of a name.
    bench.prints(&mut dir("x,y"), "x,y+\n");
    bench.refuses(&mut dir("x,/etc"), "x,/etc");
    for name in ["a:b", " spaced ", "uml\u{e4}ut", "-dash"] {
        bench.prints(&mut dir(name), &format!("{name}+\n"));
    }
    bench.prints(&mut dir("x::/guest"), "/guest+\n");
    bench.prints(&mut dir("a::b::/guest"), "/guest+\n");
    bench.prints(dir("x::y,z").arg("--dir=y"), "y,z+\ny\n");
    bench.refuses(&mut dir("a::b"), "could also mean");
    bench.refuses(&mut dir("x::"), "empty");
    bench.refuses(&mut dir(""), "empty");
}

#[test]
fn a_variable_names_folders_as_path_does() {
    let bench = Bench::new(FOLDERS);
    for name in ["x,y", "a:b", "x"] {
        bench.folder(name);
    }
    let set = |value: &str| {
        let mut command = bench.wasio();
        command.env("WASIO_DIR", value);
        command
    };
    bench.prints(&mut set(""), "");
    bench.prints(&mut set("x,y"), "x,y+\n");
    bench.prints(&mut set("x,y:x::/in"), "x,y+\n/in+\n");
    bench.prints(set("x,y").arg("--dir=x"), "x+\n");
    bench.refuses(&mut set("x,/etc"), "x,/etc");
    bench.refuses(&mut set("a:b"), "use --dir");
    bench.refuses(&mut set("x:a:b"), "use --dir");
    bench.refuses(&mut set("x:"), "empty");
}

#[test]
fn what_is_not_text_is_named_in_an_error() {
    let bench = Bench::new(FOLDERS);
    let odd = || OsString::from_vec(b"odd\xff".to_vec());
    bench.folder(odd());
    let mut named = odd();
    named.push("::/in");
    bench.prints(bench.wasio().arg("--dir").arg(&named), "/in+\n");
    bench.refuses(bench.wasio().arg("--dir").arg(odd()), r"odd\xFF");
    bench.refuses(bench.wasio().env("WASIO_DIR", odd()), r"odd\xFF");
    bench.refuses(
        bench.wasio().arg("--env").arg("ODD").env("ODD", odd()),
        r#""ODD" with the value "odd\xFF""#,
    );
    bench.refuses(bench.wasio().arg("--env").arg(odd()), r"odd\xFF");
    bench.refuses(bench.wasio().arg("--env").arg("=x"), "variable");
    let output = bench.wasio().arg(bench.guest()).arg("fine").arg(odd()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(r"odd\xFF"), "{}", stderr(&output));
    let mut fleet = Command::new(env!("CARGO_BIN_EXE_wasio"));
    let output = fleet.args(["fleet", "-n", "2"]).arg(bench.guest()).arg(odd()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(r"odd\xFF"), "{}", stderr(&output));
    let guest = bench.own.path().join(odd());
    fs::copy(bench.guest(), &guest).unwrap();
    let output = bench.wasio().arg(&guest).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(r"odd\xFF"), "{}", stderr(&output));
}

#[test]
fn folders_of_code_are_not_granted() {
    let bench = Bench::new(FOLDERS);
    let cache = bench.own.path().join("cache");
    for grant in ["/", bench.own.path().to_str().unwrap(), cache.to_str().unwrap()] {
        for options in [&[][..], &["--no-cache"]] {
            let grant = format!("--dir={grant}::/x");
            bench.refuses(bench.wasio().arg(grant).args(options), "WASIO_CACHE");
        }
    }
    bench.refuses(bench.wasio().arg("--dir=.").env("WASIO_CACHE", bench.path()), "WASIO_CACHE");
    let below = bench.path().join("deep/compiled");
    bench.refuses(bench.wasio().arg("--dir=.").env("WASIO_CACHE_DIR", below), "deep/compiled");
    let listed = bench.folder("drop-ins/x");
    bench.refuses(
        bench.wasio().arg("--dir").arg(listed).env("WASIO_CACHE", bench.path()),
        "drop-ins",
    );
    bench.prints(bench.wasio().arg("--dir=."), ".\n");
}

#[test]
fn a_cache_that_is_not_ours_is_not_used() {
    let bench = Bench::new(FOLDERS);
    let home = bench.folder("home");
    let run = |variable: &str| {
        let output = bench.run(bench.wasio().env_remove("WASIO_CACHE").env(variable, &home));
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    };
    for variable in ["WASIO_CACHE_DIR", "WASIO_CACHE", "XDG_CACHE_HOME"] {
        fs::set_permissions(&home, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(run(variable).contains("code is not kept"), "{variable}");
        if rustix::process::geteuid().is_root() {
            fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
            chown(&home, Some(54321), None).unwrap();
            assert!(run(variable).contains("another user, number 54321"), "{variable}");
            chown(&home, Some(0), None).unwrap();
        } else {
            eprintln!("skipped: a folder of another user needs root");
        }
        assert_eq!(fs::read_dir(&home).unwrap().count(), 1, "the marker alone");
    }
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(run("WASIO_CACHE_DIR"), "");
    assert!(fs::read_dir(&home).unwrap().count() > 1);
}

#[test]
fn statistics_are_not_written_through_a_guests_links() {
    let bench = Bench::new(LINKS);
    let granted = bench.folder("g");
    let victim = bench.path().join("victim.txt");
    fs::write(&victim, "precious").unwrap();
    let run = |file: &str| bench.run(bench.wasio().args(["--dir", "g::/", "--stats-file", file]));
    let untouched = || {
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    };
    // The links that a guest leaves are in the way of the next run, too.
    for _ in 0..2 {
        let output = run("g/stats.json");
        assert!(output.status.success(), "{}", stderr(&output));
        untouched();
        let stats = granted.join("stats.json");
        assert!(stats.symlink_metadata().unwrap().is_file());
        let written: serde_json::Value = serde_json::from_slice(&fs::read(stats).unwrap()).unwrap();
        assert!(written["calls"]["path_symlink"].as_u64() > Some(2), "{written}");
    }
    assert!(granted.join("stats.json.tmp").symlink_metadata().unwrap().is_symlink(), "the guest's");
    let left = fs::read_dir(&granted).unwrap().count();
    assert_eq!(left, 3, "the marker, the guest's link and the statistics");

    // A folder on the way.
    let elsewhere = bench.folder("elsewhere");
    symlink("../elsewhere", granted.join("sub")).unwrap();
    symlink("g/sub", bench.path().join("way")).unwrap();
    for file in ["g/sub/stats.json", "way/stats.json"] {
        let output = run(file);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains("is a link"), "{}", stderr(&output));
    }
    assert!(!elsewhere.join("stats.json").exists());
    // A link of the user's own is as good as what it leads to.
    symlink("elsewhere", bench.path().join("own")).unwrap();
    assert!(run("own/stats.json").status.success());
    assert!(elsewhere.join("stats.json").exists());
    let output = run("nowhere/stats.json");
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("nowhere/stats.json"), "{}", stderr(&output));
    untouched();
}
