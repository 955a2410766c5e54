//! Limits the sockets of a component, and filters what its datagram sockets receive.
//!
//! wasmtime-wasi does neither, so creating, accepting and dropping sockets goes through this file. A component's socket
//! holds a permit, like a module's (`permits.rs`). Each datagram socket is created with a check of its own, which knows
//! how the socket was bound. As for modules (`p1/sockets/senders.rs`), it receives from everywhere only if the guest
//! may be a server there.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, Host as _, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::tcp::{HostTcpSocket, TcpSocket};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::bindings::sockets::udp::{HostUdpSocket, UdpSocket};
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket::Host as _;
use wasmtime_wasi::sockets::{
    SocketAddrUse, WasiSocketsCtx, WasiSocketsCtxView, WasiSocketsView as _,
};
use wasmtime_wasi::{WasiCtxBuilder, WasiView as _};

use crate::p2::addresses::is_allowed;
use crate::p2::socket_stats::{self, Accepted, TCP, UDP};
use crate::p2::state::{State, Store};
use crate::permits::Permit;
use crate::policy::Grants;

/// Replaces the functions of `linker` with these.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?.func_wrap(
        "create-tcp-socket",
        |mut store: Store<'_>, (family,): (IpAddressFamily,)| {
            let created = match permit(&mut store) {
                Ok(permit) => (create_tcp(&mut store, family)?.0, Some(permit)),
                Err(code) => (Err(code), None),
            };
            Ok((note(&mut store, created),))
        },
    )?;
    linker.instance("wasi:sockets/udp-create-socket@0.2.12")?.func_wrap_async(
        "create-udp-socket",
        |mut store: Store<'_>, (family,): (IpAddressFamily,)| {
            Box::new(async move {
                let created = match permit(&mut store) {
                    Ok(permit) => (create_udp(store.data_mut(), family).await?, Some(permit)),
                    Err(code) => (Err(code), None),
                };
                Ok((note(&mut store, created),))
            })
        },
    )?;
    let mut tcp = linker.instance(TCP)?;
    tcp.func_wrap(
        "[method]tcp-socket.accept",
        |mut store: Store<'_>, (socket,): (Resource<TcpSocket>,)| {
            let accepted: (Result<Accepted, _>, _) = match permit(&mut store) {
                Ok(permit) => (socket_stats::accept(&mut store, socket)?.0, Some(permit)),
                Err(code) => (Err(code), None),
            };
            Ok((note(&mut store, accepted),))
        },
    )?;
    tcp.resource("tcp-socket", ResourceType::host::<TcpSocket>(), |mut store, rep| {
        store.data_mut().sockets.permits.pop();
        HostTcpSocket::drop(&mut store.data_mut().wasi.sockets(), Resource::new_own(rep))
    })?;
    linker.instance(UDP)?.resource(
        "udp-socket",
        ResourceType::host::<UdpSocket>(),
        |mut store, rep| {
            store.data_mut().sockets.permits.pop();
            HostUdpSocket::drop(&mut store.data_mut().wasi.sockets(), Resource::new_own(rep))
        },
    )
}

fn permit(store: &mut Store<'_>) -> Result<Permit, ErrorCode> {
    let State { sockets, grants, .. } = store.data();
    sockets.permit(grants)
}

/// Keeps the permit of a socket that was created.
fn note<R>(
    store: &mut Store<'_>,
    (created, permit): (Result<R, ErrorCode>, Option<Permit>),
) -> Result<R, ErrorCode> {
    match created {
        Ok(_) => store.data_mut().sockets.permits.extend(permit),
        // wasmtime-wasi has no code for the kernel's `EMFILE` and `ENFILE`. It has one for every other error that can
        // occur here.
        Err(ErrorCode::Unknown) => return Err(ErrorCode::NewSocketLimit),
        Err(_) => {}
    }
    created
}

fn create_tcp(
    store: &mut Store<'_>,
    family: IpAddressFamily,
) -> wasmtime::Result<(Result<Resource<TcpSocket>, ErrorCode>,)> {
    socket_stats::answer(store, |sockets| sockets.create_tcp_socket(family), |_, _, _| Ok(()))
}

async fn create_udp(
    state: &mut State,
    family: IpAddressFamily,
) -> wasmtime::Result<Result<Resource<UdpSocket>, ErrorCode>> {
    let mut ctx = datagrams(state.grants.clone());
    let table = state.wasi.ctx().table;
    let mut sockets = WasiSocketsCtxView { ctx: &mut ctx, table };
    let created = sockets.create_udp_socket(family).await;
    Ok(match created {
        Ok(socket) => Ok(socket),
        Err(error) => Err(sockets.convert_error_code(error)?),
    })
}

/// Returns the check of wasmtime-wasi for one datagram socket.
fn datagrams(grants: Grants) -> WasiSocketsCtx {
    let is_server = AtomicBool::new(false);
    let is_allowed = move |addr, purpose| match purpose {
        SocketAddrUse::UdpReceive => is_server.load(Relaxed) || grants.admits(addr),
        SocketAddrUse::UdpBind => {
            is_server.store(grants.serves(addr, addr.port()), Relaxed);
            is_allowed(&grants, addr, purpose)
        }
        _ => is_allowed(&grants, addr, purpose),
    };
    let mut wasi = WasiCtxBuilder::new();
    wasi.allow_udp(true);
    wasi.socket_addr_check(move |addr, purpose| {
        Box::pin(std::future::ready(is_allowed(addr, purpose)))
    });
    wasi.build().sockets().clone()
}
