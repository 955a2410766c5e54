//! Programs about extended polls: `POLL_EXTENSION.md`.

use crate::abi::*;

const LOOPBACK: &str = "127.0.0.1";
const MILLI: u64 = 1_000_000;
const CLOCK: u64 = u64::MAX;

/// A datagram socket that nothing came to yet, and its port.
fn bound() -> (i32, u16) {
    let fd = open(1, DGRAM).unwrap();
    bind(fd, LOOPBACK).unwrap();
    set_nonblocking(fd, true);
    (fd, local_addr(fd).unwrap().2)
}

fn tell((_, port): (i32, u16)) {
    let from = open(1, DGRAM).unwrap();
    assert_eq!(send_to(from, b"x", LOOPBACK, port), Ok(1));
    close(from).unwrap();
}

fn empty(fd: i32) {
    while recv(fd, &mut [0; 8], 0).is_ok() {}
}

/// The userdata and errors of what is ready within `millis`.
fn seen(room: usize, millis: u64, changes: &[Subscription]) -> Vec<(u64, i32)> {
    let mut subs = changes.to_vec();
    subs.push(timer(CLOCK, millis));
    let events = poll_extended(room, &subs).unwrap();
    let mut seen: Vec<_> = events.iter().map(|e| (e.userdata(), e.errno())).collect();
    seen.retain(|(userdata, _)| *userdata != CLOCK);
    seen
}

/// The same, when nothing fails, and not for long.
fn news(changes: &[Subscription]) -> Vec<u64> {
    let all = seen(64, 30, changes).into_iter();
    all.map(|(userdata, errno)| (errno == 0).then_some(userdata).unwrap()).collect()
}

/// Waits for events, with a clock that is never due.
fn wait(room: usize, changes: &[Subscription]) -> Vec<u64> {
    let mut subs = changes.to_vec();
    subs.push(timer(CLOCK, 60_000));
    let events = poll_extended(room, &subs).unwrap();
    events.iter().map(Event::userdata).collect()
}

pub fn discovery() {
    assert_eq!(fdstat(QUEUE), Ok((2, 0)));
    assert_eq!(fdstat(QUEUE - 1), Err(BADF));
    assert_eq!(fdstat(QUEUE + 1), Err(BADF));
    assert_eq!(read(QUEUE, &mut [0]), Err(BADF));
    assert_eq!(write(QUEUE, &[0]), Err(BADF));
    assert_eq!(close(QUEUE), Err(BADF));
    let (fd, _) = bound();
    assert_eq!(renumber(QUEUE, fd), Err(BADF));
    assert_eq!(renumber(fd, QUEUE), Err(BADF));
    // Only as the first subscription, for reading, and of this version.
    for subs in [
        vec![timer(1, 0), readable(2, QUEUE)],
        vec![writable(2, QUEUE)],
        vec![readable(2, QUEUE + 1)],
    ] {
        let events = poll(&subs).unwrap();
        assert_eq!((events.last().unwrap().userdata(), events.last().unwrap().errno()), (2, BADF));
    }
    assert_eq!(seen(8, 60_000, &[readable(2, QUEUE)]), [(2, BADF)]);
    // Room for no events, for more than there is memory, for more than can be.
    let polled = |room: u64| poll_as_said(room, &[readable(1, fd), timer(2, 0)]).map(|e| e.len());
    assert_eq!(polled(0), Err(INVAL));
    for room in [1 << 24, 1 << 27, 1 << 32, u64::MAX] {
        assert_eq!(polled(room), Err(FAULT));
    }
    assert_eq!(polled(1), Ok(1));
}

pub fn once() {
    let a @ (fd, _) = bound();
    // Before it is ready.
    assert_eq!(news(&[readable(1, fd)]), []);
    tell(a);
    assert_eq!(wait(8, &[]), [1]);
    // Once, though it is still ready.
    assert_eq!(news(&[]), []);
    assert_eq!(wait(8, &[readable(2, fd)]), [2]);
    empty(fd);
    // What is armed takes the latest userdata, and keeps it while others are waited for.
    assert_eq!(news(&[readable(3, fd)]), []);
    assert_eq!(news(&[readable(4, fd), readable(5, fd)]), []);
    tell(a);
    assert_eq!(wait(8, &[]), [5]);
    // One direction is not the other.
    empty(fd);
    assert_eq!(news(&[readable(6, fd), writable(7, fd)]), [7]);
    tell(a);
    assert_eq!(wait(8, &[writable(8, fd)]).len(), 2);
    // Without a clock, and with one that is due.
    empty(fd);
    assert_eq!(news(&[readable(9, fd)]), []);
    let start = now(1);
    let events = poll_extended(8, &[timer(10, 40), timer(11, 60_000)]).unwrap();
    assert!(now(1) - start >= 40 * MILLI);
    assert_eq!(events.iter().map(|e| (e.userdata(), e.ty())).collect::<Vec<_>>(), [(10, 0)]);
    tell(a);
    assert_eq!(poll_extended(8, &[]).unwrap()[0].userdata(), 9);
}

pub fn changes() {
    let (a, b) = (bound(), bound());
    let (fd, other) = (a.0, b.0);
    // Disarmed: before there is anything, when there is, and in vain.
    assert_eq!(news(&[readable(1, fd), readable(2, other)]), []);
    assert_eq!(
        news(&[disarm(readable(0, fd)), disarm(writable(0, fd)), disarm(readable(0, 1 << 30))]),
        []
    );
    tell(a);
    tell(b);
    assert_eq!(wait(8, &[]), [2]);
    assert_eq!(news(&[readable(1, fd), disarm(readable(1, fd))]), []);
    assert_eq!(wait(8, &[disarm(readable(1, fd)), readable(3, fd)]), [3]);
    // What cannot be armed.
    let failed = seen(
        8,
        60_000,
        &[
            readable(1, 1 << 30),
            readable(2, 77),
            flagged(readable(3, fd), 2),
            flagged(writable(4, fd), u32::MAX),
            clock(5, 9, 0, false),
        ],
    );
    let (mut sorted, all) = (failed, [(1, BADF), (2, BADF), (3, INVAL), (4, INVAL), (5, INVAL)]);
    sorted.sort_unstable();
    assert_eq!(sorted, all);
    assert_eq!(news(&[]), [], "nothing of it was armed");
    // With room for one, one after the other.
    assert_eq!(seen(1, 60_000, &[readable(1, -1), readable(2, -1), readable(3, fd)]), [(1, BADF)]);
    assert_eq!(seen(1, 60_000, &[]), [(2, BADF)]);
    assert_eq!(seen(1, 60_000, &[]), [(3, 0)]);
    assert_eq!(seen(1, 30, &[]), []);
    // Others are for one call.
    assert_eq!(wait(8, &[writable(1, 1), readable(2, fd)]), [1, 2]);
    assert_eq!(news(&[]), []);
}

pub fn closed() {
    let (a, b) = (bound(), bound());
    let fd = a.0;
    assert_eq!(news(&[readable(1, fd), readable(2, b.0)]), []);
    close(fd).unwrap();
    // What takes its place was never armed.
    let (next, port) = bound();
    tell((next, port));
    assert_eq!(news(&[]), []);
    assert_eq!(wait(8, &[readable(3, next)]), [3]);
    // Closed while it is ready, and reported no more.
    assert_eq!(seen(1, 60_000, &[writable(4, b.0), readable(5, next)]).len(), 1);
    close(next).unwrap();
    close(open(1, DGRAM).unwrap()).unwrap();
    assert!(!news(&[]).contains(&5));
    // The socket moves, and what is armed with it; what was there before is gone.
    let (from, to) = (bound(), bound());
    assert_eq!(news(&[readable(6, from.0), readable(7, to.0)]), []);
    renumber(from.0, to.0).unwrap();
    tell(to);
    assert_eq!(news(&[]), []);
    tell(from);
    assert_eq!(wait(8, &[]), [6]);
    // Before anybody looks, too.
    empty(to.0);
    let last = bound();
    assert_eq!(news(&[readable(8, to.0)]), []);
    tell(from);
    renumber(to.0, last.0).unwrap();
    assert_eq!(wait(8, &[]), [8]);
    assert_eq!(news(&[]), []);
}

pub fn crowded() {
    const MANY: usize = 50;
    let all: Vec<_> = (0..MANY).map(|_| bound()).collect();
    let arm: Vec<_> = (0..MANY).map(|i| readable(i as u64, all[i].0)).collect();
    assert_eq!(news(&arm), []);
    all.iter().for_each(|one| tell(*one));
    // Each is reported before any is for the second time, though they are armed again at once.
    for room in [7, 1, 3] {
        let mut times = vec![0; MANY];
        let mut again = arm.clone();
        for _ in 0..MANY.div_ceil(room) {
            let events = wait(room, &again);
            assert!((1..=room).contains(&events.len()));
            again = events.iter().map(|i| arm[*i as usize]).collect();
            events.iter().for_each(|i| times[*i as usize] += 1);
        }
        assert!(times.iter().all(|n| (1..=2).contains(n)), "{times:?}");
        // A clock takes nobody's place.
        assert_eq!(
            poll_extended(2, &again.iter().copied().chain([timer(CLOCK, 0)]).collect::<Vec<_>>())
                .unwrap()
                .len(),
            2
        );
        let disarmed: Vec<_> = arm.iter().map(|sub| disarm(*sub)).collect();
        assert_eq!(news(&disarmed), []);
        assert_eq!(news(&arm).len(), MANY);
        wait(64, &arm);
        assert_eq!(news(&[disarmed, arm.clone()].concat()).len(), MANY);
        assert_eq!(wait(64, &arm).len(), MANY);
        assert_eq!(wait(1, &arm).len(), 1);
    }
}

/// The peer echoes, and answers "wait" after some time.
pub fn mixed(port: u16) {
    let fd = open(1, STREAM).unwrap();
    connect(fd, LOOPBACK, port).unwrap();
    set_nonblocking(fd, true);
    let (silent, _) = bound();
    for round in 0..20 {
        // Armed, and then asked about by everybody else.
        assert_eq!(seen(8, 0, &[readable(1, fd), readable(2, silent)]), []);
        assert_eq!(ready_now(&[readable(3, fd), writable(4, fd)]), [4]);
        send(fd, b"wait").unwrap();
        if round % 2 == 0 {
            let events = poll(&[readable(3, fd), readable(4, silent), timer(5, 10_000)]).unwrap();
            assert_eq!(events.iter().map(Event::userdata).collect::<Vec<_>>(), [3]);
            assert_eq!(recv(fd, &mut [0; 8], 0), Ok(4));
        } else {
            set_nonblocking(fd, false);
            assert_eq!(recv(fd, &mut [0; 8], 0), Ok(4));
            set_nonblocking(fd, true);
        }
        // It may be suspected, once; then it is not there any more.
        if seen(8, 0, &[]) == [(1, 0)] {
            assert_eq!(seen(8, 0, &[readable(1, fd)]), []);
        }
        send(fd, b"wait").unwrap();
        assert_eq!(wait(8, &[]), [1]);
        assert_eq!(recv(fd, &mut [0; 8], 0), Ok(4));
        assert_eq!(seen(8, 0, &[disarm(readable(2, silent))]), []);
    }
    // The peer ends when this half is closed.
    assert_eq!(news(&[readable(1, fd)]), []);
    shutdown(fd, 2).unwrap();
    let events = poll_extended(8, &[timer(CLOCK, 10_000)]).unwrap();
    assert_eq!((events[0].userdata(), events[0].errno()), (1, 0));
    assert_eq!(recv(fd, &mut [0; 8], 0), Ok(0));
    let events = poll_extended(8, &[readable(2, fd)]).unwrap();
    assert!(events[0].userdata() == 2 && events[0].hung_up());
}

/// A connection that is refused, one that is accepted, and a listener.
/// The peer sends eight bytes for each one that it gets, and ends after the third time.
pub fn drained(port: u16) {
    const DRAINED: u16 = 1 << 15;
    let fd = open(1, STREAM).unwrap();
    connect(fd, LOOPBACK, port).unwrap();
    set_nonblocking(fd, true);
    let eight = || {
        send(fd, b"x").unwrap();
        assert_eq!(poll(&[readable(1, fd), timer(CLOCK, 10_000)]).unwrap()[0].userdata(), 1);
        while recv(fd, &mut [0; 8], 1) != Ok(8) {}
    };
    let mut half = [0; 4];
    // A guest that makes no extended polls is told nothing new.
    eight();
    assert_eq!(recv_with_flags(fd, &mut half, 0), Ok((4, 0)));
    assert_eq!(recv_with_flags(fd, &mut half, 0), Ok((4, 0)));
    assert_eq!(recv(fd, &mut half, 0), Err(AGAIN));
    assert_eq!(news(&[]), []);
    eight();
    assert_eq!(recv_with_flags(fd, &mut half, 0), Ok((4, 0)));
    assert_eq!(recv_with_flags(fd, &mut half, 0), Ok((4, DRAINED)));
    assert_eq!(news(&[readable(1, fd)]), [], "nothing is left");
    // What comes later is heard of, and so is the end.
    send(fd, b"x").unwrap();
    assert_eq!(wait(8, &[]), [1]);
    let mut all = [0; 8];
    while recv(fd, &mut all, 1) != Ok(8) {}
    assert_eq!(recv_with_flags(fd, &mut all, 0), Ok((8, DRAINED)));
    assert_eq!(wait(8, &[readable(2, fd)]), [2]);
    assert_eq!(recv_with_flags(fd, &mut all, 0), Ok((0, 0)));
}

/// The peer sends eight bytes for each one that it gets.
pub fn trusted(port: u16) {
    const DRAINED: u16 = 1 << 15;
    let fd = open(1, STREAM).unwrap();
    connect(fd, LOOPBACK, port).unwrap();
    set_nonblocking(fd, true);
    assert_eq!(news(&[]), []);
    let eight = || {
        send(fd, b"x").unwrap();
        while recv(fd, &mut [0; 8], 1) != Ok(8) {}
        // The host's driver has its turn, so that it does not hear of these bytes when they have been read.
        assert_eq!(poll_extended(1, &[timer(CLOCK, 1)]).unwrap().len(), 1);
    };
    let mut all = [0; 8];
    let mut half = [0; 4];
    let mut misled = 0;
    // Long enough that the host comes to trust, looks again now and then, and trusts again.
    for round in 0..60 {
        eight();
        if round % 10 != 9 {
            assert_eq!(recv_with_flags(fd, &mut all, 0), Ok((8, DRAINED)));
            assert_eq!(news(&[readable(1, fd)]), [], "nothing is left in round {round}");
            send(fd, b"x").unwrap();
            assert_eq!(wait(8, &[]), [1]);
            while recv(fd, &mut [0; 8], 1) != Ok(8) {}
            assert_eq!(recv_with_flags(fd, &mut all, 0), Ok((8, DRAINED)));
        } else {
            // Something is left. Whatever the host says, it is heard of.
            let (4, flags) = recv_with_flags(fd, &mut half, 0).unwrap() else { panic!() };
            misled += u16::from(flags == DRAINED);
            assert_eq!(wait(8, &[readable(2, fd)]), [2]);
            let (4, _) = recv_with_flags(fd, &mut half, 0).unwrap() else { panic!() };
            assert_eq!(news(&[readable(3, fd)]), [], "nothing is left in round {round}");
            // Takes it back.
            assert_eq!(news(&[disarm(readable(3, fd))]), []);
        }
    }
    assert!(misled > 0, "the host never took it on trust, so nothing was tested");
}

pub fn connecting(refused: u16) {
    let fd = open(1, STREAM).unwrap();
    set_nonblocking(fd, true);
    // Nothing yet: it has hung up, as ordinary polls say.
    assert!(poll_extended(8, &[readable(1, fd)]).unwrap()[0].hung_up());
    match connect(fd, LOOPBACK, refused) {
        Err(INPROGRESS) => {
            assert_eq!(wait(8, &[writable(2, fd)]), [2]);
            assert_eq!(so_error(fd), CONNREFUSED);
        }
        outcome => assert_eq!(outcome, Err(CONNREFUSED)),
    }
    let listener = open(1, STREAM).unwrap();
    bind(listener, LOOPBACK).unwrap();
    listen(listener).unwrap();
    set_nonblocking(listener, true);
    assert_eq!(news(&[readable(3, listener)]), []);
    let fd = open(1, STREAM).unwrap();
    set_nonblocking(fd, true);
    let port = local_addr(listener).unwrap().2;
    assert!(matches!(connect(fd, LOOPBACK, port), Ok(()) | Err(INPROGRESS)));
    let mut told = wait(8, &[writable(4, fd)]);
    while told.len() < 2 {
        told.extend(wait(8, &[]));
    }
    assert_eq!(accept(listener, 4).map(|fd| fd > 0), Ok(true));
    assert_eq!(accept(listener, 4), Err(AGAIN));
    // Listening again registers it anew, and loses nobody.
    assert_eq!(news(&[readable(5, listener)]), []);
    listen(listener).unwrap();
    let second = open(1, STREAM).unwrap();
    set_nonblocking(second, true);
    let _ = connect(second, LOOPBACK, port);
    assert_eq!(wait(8, &[]), [5]);
}

/// Waits with 10 idle sockets armed, and with as many as there can be, in turns. Prints the least time of each.
pub fn idle() {
    let active @ (fd, _) = bound();
    let to = open(1, DGRAM).unwrap();
    let mut idle = Vec::new();
    while idle.len() < 2_000 {
        let Ok(one) = open(1, DGRAM) else { break };
        bind(one, LOOPBACK).unwrap();
        // Who sends to ports at random, as the fuzzer's guests do, is not heard.
        connect(one, LOOPBACK, active.1).unwrap();
        set_nonblocking(one, true);
        idle.push(one);
    }
    let arm: Vec<_> = idle.iter().map(|one| readable(1, *one)).collect();
    let mut least = [u64::MAX; 2];
    for round in 0..20 {
        let more = round % 2;
        let rest = &arm[10..];
        assert_eq!(news(&arm), []);
        if more == 0 {
            assert_eq!(news(&rest.iter().map(|sub| disarm(*sub)).collect::<Vec<_>>()), []);
        }
        let start = now(1);
        for _ in 0..200 {
            send_to(to, b"x", LOOPBACK, active.1).unwrap();
            assert_eq!(wait(8, &[readable(2, fd)]), [2]);
            assert_eq!(recv(fd, &mut [0; 8], 0), Ok(1));
        }
        least[more] = least[more].min((now(1) - start) / 200);
    }
    println!("{} {} {}", idle.len(), least[0], least[1]);
}

/// Waits for ever with a connection armed.
pub fn forever(port: u16) {
    let fd = open(1, STREAM).unwrap();
    connect(fd, LOOPBACK, port).unwrap();
    set_nonblocking(fd, true);
    println!("waiting");
    poll_extended(8, &[readable(1, fd), readable(2, bound().0)]).unwrap();
}
