//! Programs about `poll_oneoff`.

use crate::abi::*;

const LOOPBACK: &str = "127.0.0.1";
const MILLI: u64 = 1_000_000;

fn connected(port: u16) -> i32 {
    let fd = open(1, STREAM).unwrap();
    connect(fd, LOOPBACK, port).unwrap();
    set_nonblocking(fd, true);
    fd
}

pub fn clocks() {
    let wait = |sub: Subscription, least: u64| {
        let start = now(1);
        let events = poll(&[sub]).unwrap();
        let took = now(1) - start;
        assert_eq!(
            (events.len(), events[0].userdata(), events[0].errno(), events[0].ty()),
            (1, 5, 0, 0)
        );
        assert!((least..least + 2000 * MILLI).contains(&took), "waited {took} ns, not {least}");
    };
    wait(clock(5, MONOTONIC, 30 * MILLI, false), 30 * MILLI);
    wait(clock(5, REALTIME, 30 * MILLI, false), 30 * MILLI);
    wait(clock(5, MONOTONIC, now(1) + 30 * MILLI, true), 29 * MILLI);
    wait(clock(5, REALTIME, now(0) + 30 * MILLI, true), 25 * MILLI);
    wait(clock(5, MONOTONIC, 0, true), 0);
    wait(clock(5, REALTIME, 1, true), 0);
    // Finer than a millisecond.
    wait(clock(5, MONOTONIC, 200_000, false), 200_000);
    // Several: the earliest alone, however far the others are.
    let events = poll(&[
        clock(1, MONOTONIC, u64::MAX, false),
        clock(2, REALTIME, u64::MAX, true),
        timer(3, 20),
        timer(4, 60_000),
        clock(5, MONOTONIC, u64::MAX, true),
        clock(6, REALTIME, u64::MAX, false),
        clock(7, MONOTONIC, 1 << 63, true),
        clock(8, REALTIME, i64::MAX as u64, false),
    ]);
    let fired: Vec<_> = events.unwrap().iter().map(Event::userdata).collect();
    assert_eq!(fired, [3]);
}

pub fn nothing() {
    assert_eq!(poll(&[]).unwrap().len(), 0);
}

pub fn bad_subscriptions() {
    let closed = open(1, STREAM).unwrap();
    close(closed).unwrap();
    let udp = open(1, DGRAM).unwrap();
    let subs = [
        readable(1, closed),
        writable(2, udp),
        readable(3, 77),
        readable(4, -1),
        clock(5, 9, 0, false),
        unknown(6),
        timer(7, 60_000),
    ];
    let events = poll(&subs).unwrap();
    let seen: Vec<_> = events.iter().map(|e| (e.userdata(), e.errno())).collect();
    assert_eq!(seen, [(1, BADF), (2, 0), (3, BADF), (4, BADF), (5, 28), (6, 28)]);
    // A socket that does nothing yet has hung up.
    let idle = open(1, STREAM).unwrap();
    let events = poll(&[readable(1, idle)]).unwrap();
    assert!(events[0].hung_up());
}

pub fn files() {
    std::fs::write("/dir/file", "content").unwrap();
    let file = std::fs::File::open("/dir/file").unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
    let subs = [readable(1, fd), writable(2, fd), writable(3, 1), writable(4, 2), timer(5, 60_000)];
    let seen: Vec<_> = poll(&subs).unwrap().iter().map(|e| (e.userdata(), e.errno())).collect();
    assert_eq!(seen, [(1, 0), (2, 0), (3, 0), (4, 0)]);
    // A folder cannot be waited for, nor stdout be read.
    let subs = [readable(1, 3), readable(2, 1)];
    let seen: Vec<_> = poll(&subs).unwrap().iter().map(|e| (e.userdata(), e.errno())).collect();
    assert_eq!(seen, [(1, BADF), (2, BADF)]);
}

/// Somebody writes "line" to stdin when "waiting" appears on stdout, and closes
/// it after that.
pub fn stdin() {
    assert_eq!(ready_now(&[readable(1, 0)]), []);
    let events = poll(&[readable(1, 0), timer(2, 30)]).unwrap();
    assert_eq!(events.iter().map(Event::userdata).collect::<Vec<_>>(), [2]);
    println!("waiting");
    let events = poll(&[readable(1, 0), timer(2, 10_000)]).unwrap();
    assert_eq!(events.iter().map(|e| (e.userdata(), e.errno())).collect::<Vec<_>>(), [(1, 0)]);
    let mut buf = [0; 16];
    assert_eq!(read(0, &mut buf), Ok(4));
    assert_eq!(&buf[..4], b"line");
    poll(&[readable(1, 0)]).unwrap();
    assert_eq!(read(0, &mut buf), Ok(0));
}

pub fn many() {
    let udp = open(1, DGRAM).unwrap();
    bind(udp, LOOPBACK).unwrap();
    let mut subs: Vec<_> = (0..12_000).map(|i| timer(i, 60_000)).collect();
    subs.extend((0..500).map(|i| readable(20_000 + i, udp)));
    subs.push(timer(99_999, 20));
    let events = poll(&subs).unwrap();
    assert_eq!(events.iter().map(Event::userdata).collect::<Vec<_>>(), [99_999]);
    send_to(udp, b"x", LOOPBACK, local_addr(udp).unwrap().2).unwrap();
    assert_eq!(poll(&subs).unwrap().len(), 500);
}

/// The peer answers each byte, sooner or later. The list is looked at in pieces, and the socket is in the first one.
pub fn long(port: u16) {
    let fd = connected(port);
    let mut subs = vec![readable(1, fd)];
    subs.extend((0..20_000).map(|i| timer(i + 2, 60_000)));
    for _ in 0..300 {
        assert_eq!(send(fd, b"x"), Ok(1));
        let events = poll(&subs).unwrap();
        assert_eq!(events.iter().map(Event::userdata).collect::<Vec<_>>(), [1]);
        assert_eq!(recv(fd, &mut [0; 2], 0), Ok(1));
    }
}

/// The peer sends "0123456789", and "again" when it has received "next".
pub fn level(port: u16) {
    let fd = connected(port);
    let mut buf = [0; 4];
    poll(&[readable(1, fd)]).unwrap();
    // Until everything is read the socket stays readable.
    for round in [4, 4, 2] {
        assert_eq!(ready_now(&[readable(1, fd)]), [1]);
        assert_eq!(recv(fd, &mut buf, 0), Ok(round));
    }
    assert_eq!(ready_now(&[readable(1, fd)]), []);
    assert_eq!(recv(fd, &mut buf, 0), Err(AGAIN));
    assert_eq!(ready_now(&[readable(1, fd), writable(2, fd)]), [2]);
    assert_eq!(send(fd, b"next"), Ok(4));
    poll(&[readable(1, fd)]).unwrap();
    assert_eq!(recv(fd, &mut [0; 16], 0), Ok(5));
    assert_eq!(ready_now(&[readable(1, fd)]), []);
}

/// The peer sends "0123", and "4" when it has received "x". The socket blocks, so
/// a poll must not promise what a read would then wait for.
pub fn exact_read(port: u16) {
    let fd = connected(port);
    set_nonblocking(fd, false);
    poll(&[readable(1, fd)]).unwrap();
    assert_eq!(recv(fd, &mut [0; 4], 0), Ok(4));
    assert_eq!(ready_now(&[readable(1, fd)]), []);
    let events = poll(&[readable(1, fd), timer(2, 30)]).unwrap();
    assert_eq!(events.iter().map(Event::userdata).collect::<Vec<_>>(), [2]);
    assert_eq!(send(fd, b"x"), Ok(1));
    poll(&[readable(1, fd)]).unwrap();
    assert_eq!(recv(fd, &mut [0; 4], 0), Ok(1));
}

/// The peer echoes. Polls that must not wait see what happened since, also
/// while another socket is always ready.
pub fn fresh(port: u16) {
    let fd = connected(port);
    let always = open(1, DGRAM).unwrap();
    for round in 0..50 {
        assert_eq!(send(fd, b"x"), Ok(1));
        let start = now(1);
        loop {
            let subs = [readable(1, fd), writable(2, always)];
            let ready = if round % 2 == 0 {
                ready_now(&subs)
            } else {
                poll(&subs).unwrap().iter().map(Event::userdata).collect()
            };
            assert!(ready.contains(&2));
            if ready.contains(&1) {
                break;
            }
            assert!(now(1) - start < 10_000 * MILLI, "never saw the answer");
        }
        assert_eq!(recv(fd, &mut [0; 8], 0), Ok(1));
    }
}

/// The peer sends "last" and closes.
pub fn hang_up(port: u16) {
    let fd = connected(port);
    let mut buf = [0; 16];
    loop {
        let events = poll(&[readable(1, fd), timer(2, 10_000)]).unwrap();
        assert_eq!((events[0].userdata(), events[0].errno()), (1, 0));
        match recv(fd, &mut buf, 0).unwrap() {
            0 => break,
            n => assert_eq!(&buf[..n], b"last"),
        }
    }
    let events = poll(&[readable(1, fd)]).unwrap();
    assert!(events[0].hung_up());
}

/// Accepts `n` connections and waits for any of them, without a timeout.
pub fn idle_server(n: u16) {
    let listener = open(1, STREAM).unwrap();
    bind(listener, LOOPBACK).unwrap();
    listen(listener).unwrap();
    println!("{}", local_addr(listener).unwrap().2);
    let mut subs = vec![readable(0, listener)];
    for _ in 0..n {
        subs.push(readable(1, accept(listener, 4).unwrap()));
    }
    println!("idle");
    let events = poll(&subs).unwrap();
    assert_eq!(events.iter().map(Event::userdata).collect::<Vec<_>>(), [1]);
}

/// Whoever reads the lines answers "asked" and "both" with an interrupt, "computing" with one and a
/// termination.
pub fn signals() {
    const INTERRUPT: i32 = 0xd349_4701u32 as i32;
    const TERMINATE: i32 = INTERRUPT + 1;
    const EITHER: i32 = INTERRUPT + 2;
    let polled = |subs: &[Subscription]| {
        poll(subs).unwrap().iter().map(Event::userdata).collect::<Vec<_>>()
    };
    // Their neighbours are nothing.
    assert_eq!(fdstat(INTERRUPT - 1), Err(BADF));
    assert_eq!(fdstat(EITHER + 1), Err(BADF));
    assert_eq!(fdstat(EITHER), Ok((2, 0)));
    assert_eq!(ready_now(&[readable(1, EITHER)]), []);
    println!("asked");
    assert_eq!(polled(&[readable(1, EITHER), timer(9, 10_000)]), [1]);
    // Told once.
    assert_eq!(ready_now(&[readable(1, EITHER), readable(2, INTERRUPT)]), []);
    println!("both");
    let all = [readable(1, EITHER), readable(2, TERMINATE), readable(3, INTERRUPT)];
    assert_eq!(polled(&all), [1, 3]);
    // What comes while nobody polls is kept, each kind for those who ask for it...
    println!("computing");
    let start = now(1);
    while now(1) - start < 100 * MILLI {}
    assert_eq!(ready_now(&[readable(2, TERMINATE)]), [2]);
    assert_eq!(ready_now(&[readable(2, TERMINATE), readable(1, EITHER)]), [1]);
    // ... unless it was asked for anew.
    println!("again");
    let start = now(1);
    while now(1) - start < 100 * MILLI {}
    assert_eq!(fdstat(EITHER), Ok((2, 0)));
    assert_eq!(ready_now(&[readable(1, EITHER)]), []);
    // Nothing else can be done with them, and nothing is hurt by trying.
    assert_eq!(read(INTERRUPT, &mut [0]), Err(BADF));
    assert_eq!(close(INTERRUPT), Err(BADF));
    assert_eq!(poll(&[writable(1, INTERRUPT)]).unwrap()[0].errno(), BADF);
    println!("waiting");
    assert_eq!(polled(&[readable(1, EITHER)]), [1]);
}

/// Descriptors that are closed between polls which name them.
pub fn closed() {
    let silent = open(1, DGRAM).unwrap();
    bind(silent, LOOPBACK).unwrap();
    let fd = open(1, DGRAM).unwrap();
    bind(fd, LOOPBACK).unwrap();
    let subs = [readable(1, fd), readable(2, silent), timer(3, 20)];
    // Suspended, so that both are waited for.
    assert_eq!(poll(&subs).unwrap().iter().map(Event::userdata).collect::<Vec<_>>(), [3]);
    close(fd).unwrap();
    let subs = [readable(1, fd), readable(2, silent), timer(3, 10_000)];
    let seen = |subs: &[Subscription]| -> Vec<_> {
        poll(subs).unwrap().iter().map(|e| (e.userdata(), e.errno())).collect()
    };
    assert_eq!(seen(&subs), [(1, BADF)]);
    // What takes its place has another number, and its events are its own.
    let next = open(1, DGRAM).unwrap();
    bind(next, LOOPBACK).unwrap();
    assert_ne!(next, fd);
    send_to(silent, b"x", LOOPBACK, local_addr(next).unwrap().2).unwrap();
    assert_eq!(seen(&[readable(4, next), timer(3, 10_000)]), [(4, 0)]);
    assert_eq!(seen(&subs), [(1, BADF)]);
    // Another one is moved to the number while that is waited for no more.
    renumber(next, silent).unwrap();
    assert_eq!(seen(&[readable(2, silent), readable(4, next)]), [(2, 0), (4, BADF)]);
}

/// The peer resets some time after it has read a byte.
pub fn reset(port: u16) {
    let fd = connected(port);
    let silent = open(1, DGRAM).unwrap();
    bind(silent, LOOPBACK).unwrap();
    assert_eq!(send(fd, b"x"), Ok(1));
    let start = now(1);
    let subs = [readable(1, fd), readable(2, silent), timer(3, 10_000)];
    let ready = || poll(&subs).unwrap().iter().map(Event::userdata).collect::<Vec<_>>();
    assert_eq!(ready(), [1]);
    assert!(now(1) - start >= 20 * MILLI, "it was suspended");
    // Until it is read it is reported again.
    assert_eq!(ready(), [1]);
    assert_eq!(recv(fd, &mut [0; 8], 0), Err(CONNRESET));
    // After that the connection is at its end, for reading and for writing.
    assert_eq!(ready(), [1]);
    assert_eq!(recv(fd, &mut [0; 8], 0), Ok(0));
    assert_eq!(send(fd, b"x"), Err(PIPE));
    close(fd).unwrap();
    assert_eq!(poll(&subs).unwrap()[0].errno(), BADF);
}
