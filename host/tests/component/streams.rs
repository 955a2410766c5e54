//! A UDP socket gets new streams right after those were dropped that waited for a message.

#[allow(dead_code, reason = "the other component needs more of it")]
mod imports;

use imports::IMPORTS;

fn call(name: &str, args: &[i64]) -> i64 {
    let import = IMPORTS.iter().find(|import| import.name == name).expect(name);
    (import.call)(args)
}

fn main() {
    let results = Box::new([0u32; 32]);
    let at = results.as_ptr() as i64;
    // SAFETY: the host writes there.
    let result = |i: usize| unsafe { std::ptr::read_volatile((at as *const u32).add(i)) };
    let net = call("instance-network", &[]);
    call("create-udp-socket", &[0, at]);
    assert_eq!(result(0) & 0xff, 0, "created");
    let udp = result(1).into();
    call("[method]udp-socket.start-bind", &[udp, net, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, at]);
    call("[method]udp-socket.finish-bind", &[udp, at]);
    assert_eq!(result(0) & 0xff, 0, "bound");
    for port in [0, 9, 0, 10] {
        let connected = i64::from(port != 0);
        call(
            "[method]udp-socket.stream",
            &[udp, connected, 0, port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, at],
        );
        assert_eq!(result(0) & 0xff, 0, "streams");
        let (incoming, outgoing) = (result(1).into(), result(2).into());
        call("[method]incoming-datagram-stream.receive", &[incoming, 1, at]);
        call("[resource-drop]incoming-datagram-stream", &[incoming]);
        call("[resource-drop]outgoing-datagram-stream", &[outgoing]);
    }
}
