//! Signals: they end a guest, or ask for what was counted.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Bench, SPIN, WAIT};

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}

/// Starts a guest that will not end and waits until it runs.
fn started(bench: &Bench, guest: &str) -> Child {
    let file = bench.path().join("running.json");
    let _ = std::fs::remove_file(&file);
    let child = bench
        .wasio()
        .args(["run", "--stats=json", "--stats-file"])
        .arg(&file)
        .arg(bench.guest(guest))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !file.exists() {
        assert!(start.elapsed() < Duration::from_secs(30), "the guest never ran");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn signals_end_the_guest_at_once() {
    let bench = Bench::new();
    for (guest, name, code) in
        [(SPIN, "INT", 130), (WAIT, "INT", 130), (SPIN, "TERM", 143), (WAIT, "TERM", 143)]
    {
        let mut child = started(&bench, guest);
        let start = Instant::now();
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    }
}

#[test]
fn stats_can_be_asked_for_while_the_guest_waits() {
    let bench = Bench::new();
    let mut child = started(&bench, WAIT);
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut ask = || {
        signal(&child, "USR1");
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        serde_json::from_str::<serde_json::Value>(&line).unwrap()
    };
    let first = ask();
    assert_eq!((&first["host_calls"], &first["polls"]), (&1.into(), &1.into()));
    // A waiting guest asks for nothing more.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(ask(), first);
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
