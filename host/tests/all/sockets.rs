//! The socket imports, one program of the guest each.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wasio_host::{Guest, Policy, Program};

use crate::support::*;

fn echo(mut stream: TcpStream) {
    let mut buf = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut buf) {
        stream.write_all(&buf[..n]).unwrap();
    }
}

#[test]
fn connect_refused() {
    let (_reserved, port) = closed_port();
    passes(&["connect-refused", &port]);
}

#[test]
fn listening_after_a_refused_connection() {
    let (_reserved, port) = closed_port();
    passes(&["listen-after-refused", &port]);
}

/// Between two messages it is suspended, as before the first.
#[test]
fn waiting_for_messages_holds_no_thread() {
    let output = Output::new();
    let guest = guest(&["messages", "2"]).stdout(output.pipe()).build().unwrap();
    let stats = guest.stats();
    runtime().block_on(async {
        let guest = tokio::spawn(guest.run());
        let to = format!("127.0.0.1:{}", output.line(0).await);
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for (i, message) in ["one", "three"].into_iter().enumerate() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            socket.send_to(message.as_bytes(), &to).unwrap();
            assert_eq!(output.line(i + 1).await, message.len().to_string());
        }
        assert_eq!(guest.await.unwrap().unwrap().code(), 0);
    });
    assert!(stats.snapshot().suspended >= Duration::from_millis(30));
}

#[test]
fn a_datagram_socket_that_was_shut_down() {
    passes(&["shut-datagram"]);
}

#[test]
fn connect_without_blocking() {
    passes(&["connect-nonblocking", &peer(echo)]);
}

#[test]
fn half_closed_both_ways() {
    let port = peer(|mut stream| {
        echo(stream.try_clone().unwrap());
        stream.write_all(b"bye").unwrap();
    });
    passes(&["half-close", &port]);
}

#[test]
fn reset_while_reading() {
    let port = peer(|mut stream| {
        stream.read_exact(&mut [0]).unwrap();
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    passes(&["reset", &port]);
}

#[test]
fn peek_and_wait_for_all() {
    let port = peer(|mut stream| {
        stream.write_all(b"abc").unwrap();
        thread::sleep(Duration::from_millis(100));
        stream.write_all(b"defgh").unwrap();
    });
    passes(&["peek-and-waitall", &port]);
}

#[test]
fn scattered_buffers_keep_their_order() {
    passes(&["scattered", &peer(|mut stream| stream.write_all(b"0123456789").unwrap())]);
}

#[test]
fn a_blocking_send_sends_everything() {
    let port = peer(|mut stream| {
        let mut buf = vec![0; 1 << 16];
        let mut total = 0;
        while total < 8 << 20 {
            let n = stream.read(&mut buf).unwrap();
            assert!(n > 0 && buf[..n].iter().all(|b| *b == 0xa5));
            total += n;
        }
        assert_eq!(stream.read(&mut buf).unwrap(), 0);
        stream.write_all(b"ok").unwrap();
    });
    passes(&["bulk", &port]);
}

#[test]
fn receive_timeout() {
    let port = peer(|mut stream| drop(stream.read(&mut [0])));
    passes(&["timeouts", &port]);
}

#[test]
fn datagrams() {
    passes(&["udp"]);
}

#[test]
fn ipv6() {
    passes(&["ipv6"]);
}

#[test]
fn options() {
    passes(&["options"]);
}

#[test]
fn numbers_and_types() {
    passes(&["numbers"]);
}

#[test]
fn names() {
    succeeds(guest(&["lookup"]).network(Policy::none()));
}

#[test]
fn nothing_is_allowed_by_default() {
    let port = peer(|_| {});
    let (guest, said) = denials(guest(&["denied", &port]).network(Policy::none()));
    succeeds(guest);
    let said = said.lock().unwrap();
    let helps = |rule: &str| said.iter().filter(|s| s.ends_with(&format!("--net {rule}"))).count();
    assert_eq!(helps(&format!("127.0.0.1:{port}")), 1, "said once: {said:?}");
    assert_eq!(helps("listen:127.0.0.1:*"), 1, "{said:?}");
}

#[test]
fn a_socket_needs_a_grant() {
    succeeds(guest(&["refused"]).network(Policy::none()));
}

#[test]
fn a_rule_allows_what_it_names() {
    let port = peer(echo);
    let policy: Policy = format!("127.0.0.1:{port}").parse().unwrap();
    succeeds(guest(&["echo-client", &port]).network(policy));
}

/// Two guests in blocking style on one thread: while one waits in `accept` or
/// `fd_read`, its stack is suspended and the other runs.
#[test]
fn blocking_guests_share_a_thread() {
    let output = Output::new();
    let server = guest(&["echo-server", "3"]).stdout(output.pipe()).build().unwrap();
    runtime().block_on(async {
        let server = tokio::spawn(server.run());
        let port = output.line(0).await;
        let clients = [0; 3].map(|_| guest(&["echo-client", &port]).build().unwrap());
        let stats = clients[0].stats();
        let [a, b, c] = clients.map(|client| tokio::spawn(client.run()));
        for client in [a, b, c] {
            assert_eq!(client.await.unwrap().unwrap().code(), 0);
        }
        assert_eq!(server.await.unwrap().unwrap().code(), 0);
        let stats = stats.snapshot();
        assert_eq!((stats.bytes_in, stats.bytes_out), (10_000, 10_000));
        assert!(stats.suspensions > 0);
    });
}

#[test]
fn listeners_are_given_from_descriptor_3_on() {
    let dir = tempfile::tempdir().unwrap();
    let output = Output::new();
    let first = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = first.local_addr().unwrap().port();
    let guest = guest(&["listeners"])
        .network(Policy::default())
        .dir(dir.path(), "/dir")
        .listener(first)
        .listener(std::net::TcpListener::bind("127.0.0.1:0").unwrap())
        .stdout(output.pipe());
    // Outside of the runtime that it will run on.
    let guest = guest.build().unwrap();
    runtime().block_on(async {
        let guest = tokio::spawn(guest.run());
        assert_eq!(output.line(0).await, port.to_string());
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut bytes = [0; 4];
        stream.read_exact(&mut bytes).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        assert_eq!(guest.await.unwrap().unwrap().code(), 0);
    });
    assert!(dir.path().join("other").exists());
}

/// A component that was given one would look for it in vain.
#[test]
fn a_component_is_given_no_listener() {
    let wasm = wat::parse_str(COMPONENT).unwrap();
    let program = Program::new(engine(), &wasm).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Guest::builder(&program).listener(listener).build().unwrap_err();
    assert!(error.to_string().contains("no descriptors"), "{error}");
}

/// A program of WASI 0.2 that does nothing.
const COMPONENT: &str = r#"(component
    (core module $m (func (export "run") (result i32) i32.const 0))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $run (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $run)))"#;
