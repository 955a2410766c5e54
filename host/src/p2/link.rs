//! What components import: wasmtime-wasi's WASI 0.2, with the network policy in
//! front of it, and with our own ways to wait.
//!
//! Addresses are checked by wasmtime-wasi's own hook. Names it can only permit
//! or deny as a whole, so look-ups are ours (`lookups.rs`). Files are
//! wasmtime-wasi's, on threads of ours (`filesystem.rs`).

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;

use tokio::task::yield_now;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable, WasmList};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_io::bindings::wasi::io::poll;

use crate::p2::counted::Store;
use crate::p2::{counted, filesystem, lookups, sockets, streams};
use crate::policy::Grants;
use crate::state::State;
use crate::stats::Stats;
use crate::work::burn;
use crate::{signals, work};

/// Puts the grants in front of the sockets that `wasi` gives.
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
        // A port that the guest chose was checked when it was bound.
        SocketAddrUse::TcpListen => grants.listen(addr, 0),
        SocketAddrUse::TcpConnect | SocketAddrUse::UdpSend => grants.connect(addr),
        // Who connects was let in by listening. What datagram sockets hear, `sockets.rs` decides.
        SocketAddrUse::TcpAccept | SocketAddrUse::UdpReceive => Ok(()),
    };
    checked.is_ok()
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

/// Provides everything that a command may import.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    poll::add_to_linker::<State, Polls>(linker, polls)?;
    linker.instance("wasi:io/poll@0.2.12")?.func_wrap_async(
        "poll",
        |store: Store<'_>, (pollables,): (WasmList<Resource<DynPollable>>,)| {
            Box::new(poll_list(store, pollables))
        },
    )?;
    streams::define(linker)?;
    filesystem::define(linker)?;
    lookups::define(linker)?;
    counted::define(linker)?;
    sockets::define(linker)?;
    signals::define(linker)?;
    work::define(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// How many pollables one call may have: so many, and others for each of the component's sockets. wasmtime-wasi looks at
/// them in one go, some 5 a microsecond.
const MAX_POLLABLES: usize = 1 << 15;
const POLLABLES_PER_SOCKET: usize = 4;
/// Longer lists burn fuel. Short ones have cost the component more than the host: it wrote them.
const SHORT: usize = 1024;
/// The fuel that a pollable burns.
const FUEL: usize = 48;

fn polls(state: &mut State) -> PollsView<'_> {
    let State { wasi, tally, polls_without_waiting, .. } = state;
    PollsView { table: wasi.ctx().table, stats: tally.stats(), busy: polls_without_waiting }
}

/// `poll`, of a list that is not too long.
async fn poll_list(
    mut store: Store<'_>,
    pollables: WasmList<Resource<DynPollable>>,
) -> wasmtime::Result<(Vec<u32>,)> {
    let len = pollables.len();
    let most = MAX_POLLABLES + POLLABLES_PER_SOCKET * store.data().opened.count();
    if len > most {
        let why = format!("a poll of {len} pollables at once: at most {most} are possible here");
        return Err(wasmtime::Error::msg(why));
    }
    if len > SHORT {
        burn(&mut store, len * FUEL)?;
    }
    let pollables = pollables.iter(&mut store)?.collect::<wasmtime::Result<Vec<_>>>()?;
    Ok((poll::Host::poll(&mut polls(store.data_mut()), pollables).await?,))
}

struct Polls;

impl HasData for Polls {
    type Data<'a> = PollsView<'a>;
}

/// `wasi:io/poll`, counted. As with modules (`p1/poll`), tokio's driver has its turn before a poll that most likely will
/// not wait: else who only looks would not see what has come since the last wait.
struct PollsView<'a> {
    table: &'a mut ResourceTable,
    stats: &'a Stats,
    /// The last poll did not wait.
    busy: &'a mut bool,
}

impl poll::Host for PollsView<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.stats.polled();
        if *self.busy {
            yield_now().await;
        }
        *self.busy = true;
        let mut ready = pin!(poll::Host::poll(self.table, pollables));
        poll_fn(|task| {
            let ready = ready.as_mut().poll(task);
            *self.busy &= ready.is_ready();
            ready
        })
        .await
    }
}

impl poll::HostPollable for PollsView<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        poll::HostPollable::ready(self.table, pollable).await
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.stats.polled();
        poll::HostPollable::block(self.table, pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(self.table, pollable)
    }
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
        // What every client binds to; it cannot listen there.
        assert_eq!(allowed(&one, "0.0.0.0:0"), [true, false, false, true, false]);
        let server = grants("listen:127.0.0.1:80");
        assert_eq!(allowed(&server, "127.0.0.1:80"), [true, true, false, true, false]);
        assert_eq!(allowed(&server, "0.0.0.0:80"), [false; 5]);
    }

    /// A name that is granted points at the inside: neither connecting nor sending follows it.
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
