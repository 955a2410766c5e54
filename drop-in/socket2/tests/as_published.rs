//! Natively every option reads, and can be set, exactly as with the published crate.
#![cfg(target_os = "linux")]

use std::fmt::Debug;
use std::io;

/// What a call answers, with the kind and the number of an error.
fn told<T: Debug>(result: io::Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(e) => format!("{:?} {:?}", e.kind(), e.raw_os_error()),
    }
}

/// The same questions to either crate.
macro_rules! answers {
    ($krate:ident) => {{
        use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
        use std::num::NonZeroU32;
        use std::time::Duration;

        use $krate::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};

        let mut lines = Vec::new();
        let kinds = [
            (Domain::IPV4, Type::STREAM, Some(Protocol::TCP)),
            (Domain::IPV6, Type::STREAM, None),
            (Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)),
            (Domain::IPV6, Type::DGRAM, None),
            (Domain::UNIX, Type::SEQPACKET, None),
        ];
        for (domain, ty, protocol) in kinds {
            let s = Socket::new(domain, ty, protocol).unwrap();
            let mut say = |what: &str, answer: String| {
                lines.push(format!("{domain:?} {ty:?} {what}: {answer}"));
            };
            macro_rules! pairs {
                ($get:ident, $set:ident: $values:expr) => {
                    say(stringify!($get), told(s.$get()));
                    for value in $values {
                        say(stringify!($set), told(s.$set(value)));
                        say(stringify!($get), told(s.$get()));
                    }
                };
            }
            let bools = [true, false];
            pairs!(broadcast, set_broadcast: bools);
            pairs!(keepalive, set_keepalive: bools);
            pairs!(out_of_band_inline, set_out_of_band_inline: bools);
            pairs!(passcred, set_passcred: bools);
            pairs!(reuse_address, set_reuse_address: bools);
            pairs!(reuse_port, set_reuse_port: bools);
            pairs!(multicast_loop_v4, set_multicast_loop_v4: bools);
            pairs!(multicast_loop_v6, set_multicast_loop_v6: bools);
            pairs!(multicast_all_v4, set_multicast_all_v4: bools);
            pairs!(multicast_all_v6, set_multicast_all_v6: bools);
            pairs!(recv_tos_v4, set_recv_tos_v4: bools);
            pairs!(recv_tclass_v6, set_recv_tclass_v6: bools);
            pairs!(recv_hoplimit_v6, set_recv_hoplimit_v6: bools);
            pairs!(freebind_v4, set_freebind_v4: bools);
            pairs!(freebind_v6, set_freebind_v6: bools);
            pairs!(only_v6, set_only_v6: bools);
            pairs!(tcp_nodelay, set_tcp_nodelay: bools);
            pairs!(tcp_cork, set_tcp_cork: bools);
            pairs!(tcp_quickack, set_tcp_quickack: bools);
            pairs!(tcp_thin_linear_timeouts, set_tcp_thin_linear_timeouts: bools);
            pairs!(nonblocking, set_nonblocking: [true, false]);
            pairs!(recv_buffer_size, set_recv_buffer_size: [0, 65_536, usize::MAX]);
            pairs!(send_buffer_size, set_send_buffer_size: [0, 65_536]);
            pairs!(ttl_v4, set_ttl_v4: [1, 255, 256]);
            pairs!(tos_v4, set_tos_v4: [0, 16]);
            pairs!(tclass_v6, set_tclass_v6: [0, 32]);
            pairs!(unicast_hops_v6, set_unicast_hops_v6: [1, 64, 1000]);
            pairs!(multicast_hops_v6, set_multicast_hops_v6: [1, 300]);
            pairs!(multicast_ttl_v4, set_multicast_ttl_v4: [1, 300]);
            pairs!(multicast_if_v6, set_multicast_if_v6: [1, 0]);
            pairs!(multicast_if_v4, set_multicast_if_v4: [&Ipv4Addr::LOCALHOST]);
            pairs!(tcp_mss, set_tcp_mss: [536, 0]);
            pairs!(tcp_notsent_lowat, set_tcp_notsent_lowat: [1, u32::MAX]);
            pairs!(busy_poll, set_busy_poll: [0]);
            pairs!(priority, set_priority: [3]);
            pairs!(cpu_affinity, set_cpu_affinity: [0]);
            let times = [Some(Duration::from_millis(1500)), Some(Duration::from_nanos(1)), None];
            pairs!(tcp_user_timeout, set_tcp_user_timeout: times);
            pairs!(read_timeout, set_read_timeout: times);
            pairs!(write_timeout, set_write_timeout: times);
            pairs!(linger, set_linger: times);
            pairs!(device_index_v4, bind_device_by_index_v4: [NonZeroU32::new(1), None]);
            pairs!(device_index_v6, bind_device_by_index_v6: [NonZeroU32::new(1), None]);
            pairs!(tcp_congestion, set_tcp_congestion: [&b"reno"[..], b"no such thing"]);
            pairs!(device, bind_device: [Some(&b"lo"[..]), Some(b"no such"), None]);
            pairs!(dccp_service, set_dccp_service: [1]);
            say("ccid", told(s.set_dccp_ccid(2)));
            say("ccids", told(s.dccp_available_ccids::<4>().map(|ids| ids.len())));
            let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(7));
            let keepalive = keepalive.with_interval(Duration::from_secs(3)).with_retries(2);
            say("keepalive", told(s.set_tcp_keepalive(&keepalive)));
            say("its time", told(s.tcp_keepalive_time()));
            say("its interval", told(s.tcp_keepalive_interval()));
            say("its retries", told(s.tcp_keepalive_retries()));
            let (group, any) = (Ipv4Addr::new(239, 1, 2, 3), Ipv4Addr::LOCALHOST);
            say("join", told(s.join_multicast_v4(&group, &any)));
            say("twice", told(s.join_multicast_v4(&group, &any)));
            say("leave", told(s.leave_multicast_v4(&group, &any)));
            let at = $krate::InterfaceIndexOrAddress::Index(1);
            say("join at", told(s.join_multicast_v4_n(&group, &at)));
            say("leave at", told(s.leave_multicast_v4_n(&group, &at)));
            let source = Ipv4Addr::new(127, 0, 0, 9);
            say("source", told(s.join_ssm_v4(&source, &group, &any)));
            say("no source", told(s.leave_ssm_v4(&source, &group, &any)));
            let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x99);
            say("join v6", told(s.join_multicast_v6(&group, 1)));
            say("leave v6", told(s.leave_multicast_v6(&group, 1)));
            say("type", told(s.r#type()));
            say("domain", told(s.domain()));
            say("protocol", told(s.protocol()));
            say("listener", told(s.is_listener()));
            say("mark", told(s.mark()));
            say("error", told(s.take_error().map(|e| e.map(|e| e.kind()))));
            say("original", told(s.original_dst_v4()));
            say("cookie", told(s.cookie().map(|cookie| cookie != 0)));
            say("detach", told(s.detach_filter()));
            let accept = $krate::SockFilter::new(6, 0, 0, u32::MAX);
            say("attach", told(s.attach_filter(&[accept])));
            say("peer", told(s.peer_addr()));
            let unnamed = |s: &Socket| s.local_addr().map(|a| (a.is_unnamed(), a.len(), a));
            say("local", told(unnamed(&s)));
        }
        for address in ["1.2.3.4:5", "[1:2::3%7]:9", "0.0.0.0:0"] {
            let address = address.parse::<SocketAddr>().unwrap();
            let ours = SockAddr::from(address);
            lines.push(format!("{ours:?} {:?} {:?}", ours.as_socket(), ours.domain()));
        }
        for path in ["/a/path", "", "\0abstract"] {
            let address = SockAddr::unix(path).unwrap();
            let (path, name) = (address.as_pathname(), address.as_abstract_namespace());
            lines.push(format!("{address:?} {path:?} {name:?} {}", address.is_unnamed()));
        }
        lines.push(told(SockAddr::unix("x".repeat(108)).map_err(|e| io::Error::from(e.kind()))));
        let vsock = SockAddr::vsock(3, 1024);
        lines.push(format!("{vsock:?} {:?} {:?}", vsock.as_vsock_address(), vsock.domain()));
        lines.push(format!("{:?} {:?}", Type::STREAM.nonblocking().cloexec(), Domain::from(77)));
        let (a, b) = Socket::pair(Domain::UNIX, Type::DGRAM, None).unwrap();
        a.send(b"much too long").unwrap();
        let (mut one, mut two) = ([std::mem::MaybeUninit::uninit(); 2], Default::default());
        let two: &mut [std::mem::MaybeUninit<u8>; 0] = &mut two;
        let mut bufs = [$krate::MaybeUninitSlice::new(&mut one), $krate::MaybeUninitSlice::new(two)];
        lines.push(told(b.recv_from_vectored(&mut bufs)));
        lines.push(told(a.shutdown(std::net::Shutdown::Write).and_then(|()| a.send(b"x"))));
        lines
    }};
}

#[test]
fn options_answer_as_with_the_published_crate() {
    let (ours, theirs) = (answers!(socket2), answers!(published));
    assert_eq!(ours.len(), theirs.len());
    let differ: Vec<_> = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs).collect();
    assert!(differ.is_empty(), "ours, the published crate's: {differ:#?}");
    assert!(theirs.len() > 500);
}
