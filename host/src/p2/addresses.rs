//! The network policy for wasmtime-wasi's sockets, whose own hook checks each address.

use std::net::SocketAddr;

use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::SocketAddrUse;

use crate::policy::Grants;

/// Makes the sockets of `wasi` check the grants.
pub(crate) fn guard(grants: &Grants, wasi: &mut WasiCtxBuilder) {
    let grants = grants.clone();
    wasi.allow_tcp(true).allow_udp(true).allow_ip_name_lookup(true);
    wasi.socket_addr_check(move |addr, purpose| {
        let allowed = is_allowed(&grants, addr, purpose);
        Box::pin(std::future::ready(allowed))
    });
}

pub(crate) fn is_allowed(grants: &Grants, addr: SocketAddr, purpose: SocketAddrUse) -> bool {
    let checked = match purpose {
        SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => grants.bind(addr),
        // If the guest chose the port, it was checked when it was bound.
        SocketAddrUse::TcpListen => grants.listen(addr, 0),
        SocketAddrUse::TcpConnect | SocketAddrUse::UdpSend => grants.connect(addr),
        // A grant to listen admits all clients. `sockets.rs` filters what datagram sockets receive.
        SocketAddrUse::TcpAccept | SocketAddrUse::UdpReceive => Ok(()),
    };
    checked.is_ok()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::*;
    use crate::policy::Policy;

    const USES: [SocketAddrUse; 5] = [
        SocketAddrUse::TcpBind,
        SocketAddrUse::TcpListen,
        SocketAddrUse::TcpConnect,
        SocketAddrUse::UdpBind,
        SocketAddrUse::UdpSend,
    ];

    fn allowed(grants: &Grants, addr: &str) -> Vec<bool> {
        USES.map(|purpose| is_allowed(grants, addr.parse().unwrap(), purpose)).into()
    }

    fn grants(rules: &str) -> Grants {
        Grants::new(Arc::new(rules.parse::<Policy>().unwrap()), None)
    }

    #[test]
    fn every_use_of_an_address_is_checked() {
        for addr in ["127.0.0.1:80", "8.8.8.8:53", "0.0.0.0:0", "[::1]:0", "[::ffff:10.0.0.1]:1"] {
            let none = Grants::new(Arc::default(), None);
            assert_eq!(allowed(&none, addr), [false; 5], "{addr}");
        }
        let one = grants("10.0.0.1:80");
        assert_eq!(allowed(&one, "10.0.0.1:80"), [false, false, true, false, true]);
        assert_eq!(allowed(&one, "[::ffff:10.0.0.1]:80"), [false, false, true, false, true]);
        assert_eq!(allowed(&one, "10.0.0.1:81"), [false; 5]);
        assert_eq!(allowed(&one, "10.0.0.2:80"), [false; 5]);
        // Every client binds to this address. It cannot listen there.
        assert_eq!(allowed(&one, "0.0.0.0:0"), [true, false, false, true, false]);
        let server = grants("listen:127.0.0.1:80");
        assert_eq!(allowed(&server, "127.0.0.1:80"), [true, true, false, true, false]);
        assert_eq!(allowed(&server, "0.0.0.0:80"), [false; 5]);
    }

    /// A granted name resolves to an internal address: the guest may neither connect nor send to it.
    #[test]
    fn a_name_grants_nothing_inside() {
        let grants = grants("example.com:80");
        assert!(grants.lookup("example.com", 0).is_ok());
        for inside in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "0.0.0.0"] {
            let ip: IpAddr = inside.parse().unwrap();
            let mut answers = vec![ip];
            grants.resolved("example.com", 0, &mut answers);
            assert!(answers.is_empty(), "{inside} is handed on");
            let addr = SocketAddr::new(ip, 80).to_string();
            assert_eq!(allowed(&grants, &addr), [false; 5], "{inside}");
        }
        let mut answers = vec!["93.184.216.34".parse().unwrap()];
        grants.resolved("example.com", 0, &mut answers);
        assert_eq!(answers.len(), 1);
        assert_eq!(allowed(&grants, "93.184.216.34:80"), [false, false, true, false, true]);
        assert_eq!(allowed(&grants, "93.184.216.34:81"), [false; 5]);
    }
}
