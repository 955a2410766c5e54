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

const ACCES: i32 = 2;
const MFILE: i32 = 33;

struct Bench {
    folder: TempDir,
    guest: PathBuf,
}

impl Bench {
    fn new(text: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let guest = folder.path().join("guest.wasm");
        std::fs::write(&guest, wat::parse_str(text).unwrap()).unwrap();
        Bench { folder, guest }
    }

    /// Runs a script of sh, which finds `wasio` and the guest in `$0` and `$1`.
    fn sh(&self, before: &[&str], script: &str) -> Output {
        let words: Vec<&str> = before.iter().copied().chain(["sh", "-c", script]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(env!("CARGO_BIN_EXE_wasio")).arg(&self.guest);
        command.env("WASIO_CACHE_DIR", self.folder.path().join("cache"));
        command.env_remove("WASIO_NET").env_remove("WASIO_DIR").stdin(Stdio::null());
        command.output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// With a network and a file of hosts of their own, as root.
#[test]
fn a_name_leads_nowhere_inside() {
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
    let unshare = ["unshare", "-m", "-n"];
    if !Command::new("unshare")
        .args(["-m", "-n", "true"])
        .output()
        .is_ok_and(|o| o.status.success())
    {
        return eprintln!("skipped: a_name_leads_nowhere_inside: needs unshare and its privileges");
    }
    let script = format!(
        "mount --bind {} /etc/hosts && ip link set lo up 2>/dev/null; i=0; while [ $i -lt {} ]; do \
         \"$0\" run --timeout 20s --net '*.test:80' \"$1\" n$i.test; echo $?; i=$((i + 1)); done",
        file.display(),
        special.len() + global.len()
    );
    let output = bench.sh(&unshare, &script);
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

#[test]
fn without_a_grant_there_are_none() {
    let bench = Bench::new(SOCKETS);
    // Sixteen sockets would not fit.
    let output = bench.sh(&[], "ulimit -n 24; exec \"$0\" run \"$1\"");
    assert_eq!(output.status.code(), Some(ACCES), "{}", text(&output.stderr));
    assert_eq!(output.stdout.len(), 100 * 4096);
}
