//! Messages between two sockets, through quinn-udp's interface.

use std::io::{ErrorKind, IoSliceMut};
use std::net::SocketAddr;

use quinn_udp::{BATCH_SIZE, EcnCodepoint, RecvMeta, Transmit, UdpSocketState};
use wasio::io::Interest;
use wasio::net::UdpSocket;

fn message(destination: SocketAddr, contents: &[u8]) -> Transmit<'_> {
    Transmit { destination, ecn: None, contents, segment_size: None, src_ip: None }
}

/// As quinn's runtime does: wait for readiness, try.
async fn receive(socket: &UdpSocket, state: &UdpSocketState, buf: &mut [u8]) -> RecvMeta {
    let mut meta = [RecvMeta::default(); BATCH_SIZE];
    loop {
        socket.readable().await.unwrap();
        let mut bufs = [IoSliceMut::new(buf)];
        match socket.try_io(Interest::READABLE, || state.recv(socket.into(), &mut bufs, &mut meta))
        {
            Ok(n) => {
                assert_eq!(n, 1);
                return meta[0];
            }
            Err(e) => assert_eq!(e.kind(), ErrorKind::WouldBlock),
        }
    }
}

#[wasio::test]
async fn a_message_arrives_with_its_sender() {
    let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (from, to) = (UdpSocketState::new((&a).into()), UdpSocketState::new((&b).into()));
    let (from, to) = (from.unwrap(), to.unwrap());
    assert_eq!((from.max_gso_segments(), to.gro_segments(), to.may_fragment()), (1, 1, true));
    from.send((&a).into(), &message(b.local_addr().unwrap(), b"first")).unwrap();
    from.try_send((&a).into(), &message(b.local_addr().unwrap(), b"the second one")).unwrap();
    let mut buf = [0; 64];
    let meta = receive(&b, &to, &mut buf).await;
    assert_eq!((&buf[..meta.len], meta.stride), (&b"first"[..], 5));
    assert_eq!((meta.addr, meta.ecn, meta.dst_ip), (a.local_addr().unwrap(), None, None));
    // A buffer that is too small takes the start.
    let mut small = [0; 4];
    let meta = receive(&b, &to, &mut small).await;
    assert_eq!((&small, meta.len), (b"the ", 4));
    let mut bufs = [IoSliceMut::new(&mut buf)];
    let nothing = to.recv((&b).into(), &mut bufs, &mut [RecvMeta::default()]);
    assert_eq!(nothing.unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(to.recv((&b).into(), &mut [], &mut []).unwrap(), 0);
}

#[wasio::test]
async fn an_error_of_the_network_is_no_error_of_send() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let state = UdpSocketState::new((&socket).into()).unwrap();
    // No IPv4 socket sends to an address of IPv6.
    let lost = message("[::1]:9".parse().unwrap(), b"lost");
    state.send((&socket).into(), &lost).unwrap();
    let error = state.try_send((&socket).into(), &lost).unwrap_err();
    assert_ne!(error.kind(), ErrorKind::WouldBlock);
}

#[wasio::test]
async fn buffers_have_sizes() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let state = UdpSocketState::new((&socket).into()).unwrap();
    state.set_recv_buffer_size((&socket).into(), 64 * 1024).unwrap();
    assert!(state.recv_buffer_size((&socket).into()).unwrap() >= 64 * 1024);
    state.set_send_buffer_size((&socket).into(), 64 * 1024).unwrap();
    assert!(state.send_buffer_size((&socket).into()).unwrap() >= 64 * 1024);
}

#[test]
fn marks_have_their_bits() {
    for mark in [EcnCodepoint::Ect0, EcnCodepoint::Ect1, EcnCodepoint::Ce] {
        assert_eq!(EcnCodepoint::from_bits(mark as u8 | 0b100), Some(mark));
    }
    assert_eq!(EcnCodepoint::from_bits(0), None);
}
