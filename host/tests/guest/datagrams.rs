//! Who is heard on a datagram socket. The peer is granted; strangers send from other ports.

use super::abi::*;

const LOOPBACK: &str = "127.0.0.1";

fn events(extended: bool, subs: &[Subscription]) -> Vec<u64> {
    let events = if extended { poll_extended(8, subs) } else { poll(subs) };
    events.unwrap().iter().map(|event| event.userdata()).collect()
}

/// After the first message only strangers send; after the second the peer does, too.
pub fn hears(port: u16, mode: &str) {
    let extended = mode == "extended";
    let fd = open(1, DGRAM).unwrap();
    set_nonblocking(fd, mode != "blocking");
    if mode == "nonblocking" {
        bind(fd, LOOPBACK).unwrap();
    }
    send_to(fd, b"first", LOOPBACK, port).unwrap();
    assert_eq!(events(extended, &[readable(1, fd), timer(2, 300)]), [2], "{mode}");
    let mut buf = [0; 64];
    if mode != "blocking" {
        assert_eq!(recv(fd, &mut buf, 0), Err(AGAIN));
        assert_eq!(recv(fd, &mut buf, 1), Err(AGAIN));
        assert_eq!(recv_from(fd, &mut buf).map(|got| got.0), Err(AGAIN));
        assert_eq!(read(fd, &mut buf), Err(AGAIN));
        assert_eq!(buf, [0; 64]);
    }
    send_to(fd, b"second", LOOPBACK, port).unwrap();
    // What was armed still is.
    let subs = [readable(1, fd), timer(2, 20_000)];
    assert_eq!(events(extended, &subs[usize::from(extended)..]), [1], "{mode}");
    assert_eq!(recv(fd, &mut buf, 1), Ok(6));
    let (len, from, from_port, _) = recv_from(fd, &mut buf).unwrap();
    assert_eq!(&buf[..len], b"answer");
    assert_eq!((&from[2..6], from_port.swap_bytes()), (&[127, 0, 0, 1][..], port));
    if mode == "blocking" {
        // SO_RCVTIMEO: 100 ms, whatever comes meanwhile.
        let mut time = [0; 16];
        time[8..].copy_from_slice(&100_000_u64.to_le_bytes());
        set_option(fd, 0, 11, &time).unwrap();
        send_to(fd, b"third", LOOPBACK, port).unwrap();
        assert_eq!(recv(fd, &mut buf, 0), Err(AGAIN));
    }
}

/// Only strangers send, without end.
pub fn flooded() {
    let fd = open(1, DGRAM).unwrap();
    bind(fd, LOOPBACK).unwrap();
    println!("{}", local_addr(fd).unwrap().2);
    for nonblocking in [true, false] {
        set_nonblocking(fd, nonblocking);
        for extended in [false, true] {
            assert_eq!(events(extended, &[readable(1, fd), timer(2, 200)]), [2], "{extended}");
        }
        // SO_RCVTIMEO: 200 ms.
        let mut time = [0; 16];
        time[8..].copy_from_slice(&200_000_u64.to_le_bytes());
        set_option(fd, 0, 11, &time).unwrap();
        assert_eq!(recv(fd, &mut [0; 64], 0), Err(AGAIN));
    }
}

/// Everybody may send to a server.
pub fn heard_by_all() {
    let fd = open(1, DGRAM).unwrap();
    bind(fd, LOOPBACK).unwrap();
    println!("{}", local_addr(fd).unwrap().2);
    let mut buf = [0; 64];
    let len = recv(fd, &mut buf, 0).unwrap();
    assert_eq!(&buf[..len], b"stranger");
}
