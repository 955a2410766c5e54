//! What the malicious component chooses from.

pub const ABSURD: [i64; 12] = [
    0,
    -1,
    1,
    i32::MAX as i64,
    i32::MIN as i64,
    i64::MAX,
    i64::MIN,
    1 << 32,
    (1 << 32) - 1,
    65536,
    1 << 40,
    255,
];

pub const TEXTS: [&str; 22] = [
    "a",
    "b",
    "c",
    "d",
    "d/x",
    "d/y",
    "l",
    "d/l",
    ".",
    "..",
    "../outside",
    "/etc/passwd",
    "",
    "d/../a",
    "a/",
    "a\0b",
    "localhost",
    "127.0.0.1",
    "::1",
    "example.com",
    "x.localhost",
    "\u{1b}[31m\n",
];

/// A step in which others have their turn.
pub const PAUSE: &str = "";

/// What leads somewhere: a client, a server, messages, a file, a folder, a name.
pub const SEQUENCES: [&[&str]; 6] = [
    &[
        "create-tcp-socket",
        "[method]tcp-socket.start-connect",
        PAUSE,
        "[method]tcp-socket.finish-connect",
        "[method]output-stream.check-write",
        "[method]output-stream.write",
        PAUSE,
        "[method]input-stream.read",
        "[method]output-stream.subscribe",
        "[method]output-stream.splice",
    ],
    &[
        "create-tcp-socket",
        "[method]tcp-socket.start-bind",
        "[method]tcp-socket.finish-bind",
        "[method]tcp-socket.local-address",
        "[method]tcp-socket.start-listen",
        "[method]tcp-socket.finish-listen",
        "poll",
        "[method]tcp-socket.accept",
    ],
    &[
        "create-udp-socket",
        "[method]udp-socket.start-bind",
        "[method]udp-socket.finish-bind",
        "[method]udp-socket.local-address",
        "[method]udp-socket.stream",
        "[method]outgoing-datagram-stream.check-send",
        "[method]outgoing-datagram-stream.send",
        "poll",
        "[method]incoming-datagram-stream.receive",
    ],
    &[
        "[method]descriptor.open-at",
        "[method]descriptor.write-via-stream",
        "[method]output-stream.check-write",
        "[method]output-stream.write",
        "[method]descriptor.read-via-stream",
        "[method]input-stream.read",
    ],
    &[
        "[method]descriptor.read-directory",
        "[method]directory-entry-stream.read-directory-entry",
        "[method]directory-entry-stream.read-directory-entry",
    ],
    &["resolve-addresses", "poll", "[method]resolve-address-stream.resolve-next-address"],
];
