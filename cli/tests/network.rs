//! `wasio run` and the network from the outside: where a name may lead, and how many sockets there are.

#![cfg(unix)]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Looks argv[1] up and exits with the errno.
const LOOKUP: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_getaddrinfo"
        (func $lookup (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "80")
    (data (i32.const 130) "\00\01")
    (data (i32.const 200) "\00\03\00\00")
    (data (i32.const 780) "\20\03\00\00")
    (data (i32.const 800) "\00\00\00\00\1a\00\00\00\34\03\00\00")
    (func (export "_start") (local $end i32)
        (drop (call $args (i32.const 1024) (i32.const 2048)))
        (local.set $end (i32.load (i32.const 1028)))
        (loop $next
            (local.set $end (i32.add (local.get $end) (i32.const 1)))
            (br_if $next (i32.load8_u (local.get $end))))
        (call $exit (call $lookup
            (i32.load (i32.const 1028)) (i32.sub (local.get $end) (i32.load (i32.const 1028)))
            (i32.const 64) (i32.const 2) (i32.const 128) (i32.const 200) (i32.const 1) (i32.const 300)))))"#;

/// Opens sockets until it cannot, writes 100 times 4 KiB to its standard output, exits with the errno.
const SOCKETS: &str = r#"(module
    (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 32) "\00\04\00\00\00\10\00\00")
    (func (export "_start") (local $errno i32) (local $i i32)
        (loop $more
            (local.set $errno (call $open (i32.const 1) (i32.const 2) (i32.const 8)))
            (br_if $more (i32.eqz (local.get $errno))))
        (loop $write
            (if (call $write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 8))
                (then (call $exit (i32.const 77))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $write (i32.lt_u (local.get $i) (i32.const 100))))
        (call $exit (local.get $errno))))"#;

/// One of many: those from the 70th on look a granted name up, and exit with 5; the others wait for a second, and exit
/// with the errno of reading `ok` in their folder.
const LOOKUPS_AND_FILES: &str = r#"(module
    (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_getaddrinfo"
        (func $lookup (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "\00\10\00\00\40\00\00\00")
    (data (i32.const 64) "80")
    (data (i32.const 130) "\00\01")
    (data (i32.const 200) "a.evil.test")
    (data (i32.const 220) "ok")
    ;; The digits behind WASIO_FLEET_INDEX=, which is the first variable.
    (func $number (result i32) (local $n i32) (local $at i32)
        (drop (call $env (i32.const 2048) (i32.const 3072)))
        (local.set $at (i32.add (i32.load (i32.const 2048)) (i32.const 18)))
        (loop $next
            (if (i32.load8_u (local.get $at)) (then
                (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 10))
                    (i32.sub (i32.load8_u (local.get $at)) (i32.const 48))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br $next))))
        (local.get $n))
    (func (export "_start") (local $errno i32)
        (if (i32.ge_u (call $number) (i32.const 70)) (then
            (drop (call $lookup (i32.const 200) (i32.const 11) (i32.const 64) (i32.const 2)
                (i32.const 128) (i32.const 300) (i32.const 4) (i32.const 400)))
            (call $exit (i32.const 5))))
        (i32.store (i32.const 528) (i32.const 1))
        (i64.store (i32.const 536) (i64.const 1000000000))
        (drop (call $poll (i32.const 512) (i32.const 600) (i32.const 1) (i32.const 700)))
        (local.set $errno (call $open (i32.const 3) (i32.const 1) (i32.const 220) (i32.const 2)
            (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))
        (if (local.get $errno) (then (call $exit (local.get $errno))))
        (call $exit (call $read (i32.load (i32.const 8)) (i32.const 16) (i32.const 1) (i32.const 12)))))"#;

/// Is bound to the port of name servers, and never answers.
const MUTE: &str = r#"(module
    (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_bind" (func $bind (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "\7f\00\00\01")
    (func (export "_start")
        (drop (call $open (i32.const 1) (i32.const 1) (i32.const 8)))
        (i32.store (i32.const 16) (i32.const 64))
        (i32.store (i32.const 20) (i32.const 4))
        (if (call $bind (i32.load (i32.const 8)) (i32.const 16) (i32.const 53)) (then unreachable))
        (i32.store (i32.const 528) (i32.const 1))
        (i64.store (i32.const 536) (i64.const 60000000000))
        (drop (call $poll (i32.const 512) (i32.const 600) (i32.const 1) (i32.const 700)))))"#;

/// Opens a file until it cannot, and exits with 1 if not for too many; then looks a name up, and exits with the errno.
const FILES: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_getaddrinfo"
        (func $lookup (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "80")
    (data (i32.const 130) "\00\01")
    (data (i32.const 200) "\00\03\00\00")
    (data (i32.const 220) "guest.wasm")
    (data (i32.const 240) "localhost")
    (data (i32.const 780) "\20\03\00\00")
    (data (i32.const 800) "\00\00\00\00\1a\00\00\00\34\03\00\00")
    (func $again (result i32)
        (call $open (i32.const 3) (i32.const 1) (i32.const 220) (i32.const 10)
            (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))
    (func (export "_start") (local $errno i32) (local $n i32)
        ;; What is closed does not count.
        (loop $closed
            (if (call $again) (then (call $exit (i32.const 2))))
            (if (call $close (i32.load (i32.const 8))) (then (call $exit (i32.const 3))))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $closed (i32.lt_u (local.get $n) (i32.const 300))))
        (loop $more
            (local.set $errno (call $again))
            (br_if $more (i32.eqz (local.get $errno))))
        (if (i32.ne (local.get $errno) (i32.const 33)) (then (call $exit (i32.const 1))))
        (call $exit (call $lookup (i32.const 240) (i32.const 9)
            (i32.const 64) (i32.const 2) (i32.const 128) (i32.const 200) (i32.const 1) (i32.const 300)))))"#;

const ACCES: i32 = 2;
const MFILE: i32 = 33;

struct Bench {
    folder: TempDir,
    /// No guest is granted it.
    cache: TempDir,
    guest: PathBuf,
}

impl Bench {
    fn new(text: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let guest = folder.path().join("guest.wasm");
        std::fs::write(&guest, wat::parse_str(text).unwrap()).unwrap();
        Bench { folder, cache: tempfile::tempdir().unwrap(), guest }
    }

    /// Runs a script of sh, which finds `wasio` and the guest in `$0` and `$1`.
    fn sh(&self, before: &[&str], script: &str) -> Output {
        let words: Vec<&str> = before.iter().copied().chain(["sh", "-c", script]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(env!("CARGO_BIN_EXE_wasio")).arg(&self.guest);
        command.env("WASIO_CACHE_DIR", self.cache.path());
        command.env_remove("WASIO_NET").env_remove("WASIO_DIR").stdin(Stdio::null());
        command.output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether there can be a network of its own.
fn has_unshare(test: &str) -> bool {
    let unshare = Command::new("unshare").args(["-m", "-n", "true"]).output();
    let has = unshare.is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("skipped: {test}: needs unshare and its privileges");
    }
    has
}

/// Names that nobody answers for take the threads of nobody's files.
#[test]
fn lookups_leave_files_alone() {
    if !has_unshare("lookups_leave_files_alone") {
        return;
    }
    let bench = Bench::new(LOOKUPS_AND_FILES);
    let [mute, resolv, granted] =
        ["mute.wasm", "resolv.conf", "granted"].map(|n| bench.folder.path().join(n));
    std::fs::write(&mute, wat::parse_str(MUTE).unwrap()).unwrap();
    std::fs::write(&resolv, "nameserver 127.0.0.1\n").unwrap();
    std::fs::create_dir(&granted).unwrap();
    std::fs::write(granted.join("ok"), "fine").unwrap();
    // Those that look up were more than tokio has threads for what blocks, 512.
    let script = format!(
        "mount --bind {} /etc/resolv.conf && ip link set lo up || exit 1
         \"$0\" run --timeout 60s --net listen:127.0.0.1:53 {} & mute=$!
         sleep 1
         \"$0\" fleet -n 700 -c 700 --json --timeout 10s --net '*.evil.test:80' --dir {}::/ \"$1\"
         kill $mute",
        resolv.display(),
        mute.display(),
        granted.display(),
    );
    let output = bench.sh(&["unshare", "-m", "-n"], &script);
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", text(&output.stderr)));
    assert_eq!(summary["exited"]["0"], 70, "{summary}");
    // Nobody was answered, so what is shown is shown.
    assert_eq!(summary["exited"]["5"], serde_json::Value::Null, "{summary}");
}

/// With a network and a file of hosts of their own, as root.
#[test]
fn a_name_leads_nowhere_inside() {
    if !has_unshare("a_name_leads_nowhere_inside") {
        return;
    }
    let special = [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
        "192.0.0.9",
        "192.168.1.1",
        "0.0.0.0",
        "198.18.0.1",
        "198.51.100.1",
        "192.88.99.1",
        "240.0.0.1",
        "255.255.255.255",
        "224.0.0.1",
        "::1",
        "::",
        "fd00::1",
        "fe80::1",
        "fec0::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1::10.0.0.1",
        "::ffff:0:10.0.0.1",
        "2002:a00:1::",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        "100::1",
        "100:0:0:1::1",
        "5f00::1",
        "2001:2::1",
        "2001:20::1",
        "2001:db8::1",
        "3fff::1",
        "4000::1",
        "ff02::1",
        "2a00:1450::5efe:10.0.0.1",
    ];
    let global = ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::1.1.1.1", "192.31.196.1"];
    let bench = Bench::new(LOOKUP);
    let mut hosts = String::new();
    for (i, address) in special.iter().chain(&global).enumerate() {
        writeln!(hosts, "{address} n{i}.test").unwrap();
    }
    let file = bench.folder.path().join("hosts");
    std::fs::write(&file, hosts).unwrap();
    let script = format!(
        "mount --bind {} /etc/hosts && ip link set lo up 2>/dev/null; i=0; while [ $i -lt {} ]; do \
         \"$0\" run --timeout 20s --net '*.test:80' \"$1\" n$i.test; echo $?; i=$((i + 1)); done",
        file.display(),
        special.len() + global.len()
    );
    let output = bench.sh(&["unshare", "-m", "-n"], &script);
    let codes = text(&output.stdout);
    let codes: Vec<&str> = codes.lines().collect();
    assert_eq!(codes.len(), special.len() + global.len(), "{}", text(&output.stderr));
    for (address, code) in special.iter().zip(&codes) {
        assert_eq!(*code, ACCES.to_string(), "{address}");
    }
    for (address, code) in global.iter().zip(&codes[special.len()..]) {
        assert_eq!(*code, "0", "{address}");
    }
}

/// What a guest opens leaves the host what it needs, for the guest's output to begin with.
#[test]
fn sockets_end_before_descriptors() {
    let bench = Bench::new(SOCKETS);
    for limit in [64, 256] {
        let output = bench.sh(&[], &format!("ulimit -n {limit}; exec \"$0\" run --net all \"$1\""));
        assert_eq!(output.status.code(), Some(MFILE), "{limit}: {}", text(&output.stderr));
        assert_eq!(output.stdout.len(), 100 * 4096, "{limit}");
    }
}

/// So do files.
#[test]
fn files_end_before_descriptors() {
    let bench = Bench::new(FILES);
    for limit in [64, 256] {
        let script =
            format!("ulimit -n {limit}; exec \"$0\" run --net all --dir \"${{1%/*}}::/\" \"$1\"");
        let output = bench.sh(&[], &script);
        assert_eq!(output.status.code(), Some(0), "{limit}: {}", text(&output.stderr));
    }
}

#[test]
fn without_a_grant_there_are_none() {
    let bench = Bench::new(SOCKETS);
    // Sixteen sockets would not fit.
    let output = bench.sh(&[], "ulimit -n 24; exec \"$0\" run \"$1\"");
    assert_eq!(output.status.code(), Some(ACCES), "{}", text(&output.stderr));
    assert_eq!(output.stdout.len(), 100 * 4096);
}
