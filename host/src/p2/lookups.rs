//! Name lookups of components (`wasi:sockets/ip-name-lookup`).
//!
//! The name is checked, and only addresses that the guest may reach are passed on. The addresses of a granted name are
//! granted from then on.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use wasmtime::component::{Linker, Resource, ResourceTable, ResourceType, WasmStr};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::Network;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{WasiView as _, async_trait};

use crate::p2::paths::text;
use crate::p2::state::{State, Store};
use crate::policy::Grants;
use crate::pool::Running;
use crate::resolve::resolve;

/// The longest name in the DNS, with room to spare for scopes and dots.
const MAX_NAME: usize = 1024;

/// A lookup and its result.
enum Answers {
    Asking { name: String, running: Running<io::Result<Vec<IpAddr>>>, grants: Grants },
    Here(std::vec::IntoIter<IpAddr>),
    Failed(ErrorCode),
}

/// Replaces the lookups of `linker` with these.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut lookup = linker.instance("wasi:sockets/ip-name-lookup@0.2.12")?;
    lookup.resource(
        "resolve-address-stream",
        ResourceType::host::<Answers>(),
        |mut store: Store<'_>, rep| {
            table(&mut store).delete(Resource::<Answers>::new_own(rep))?;
            Ok(())
        },
    )?;
    lookup.func_wrap(
        "resolve-addresses",
        |mut store: Store<'_>, (network, name): (Resource<Network>, WasmStr)| {
            table(&mut store).get(&network)?;
            let Some(name) = text(&name, &mut store, MAX_NAME)? else {
                return Ok((Err(ErrorCode::InvalidArgument),));
            };
            let answers = match look_up(store.data_mut(), name) {
                Ok(answers) => Ok(table(&mut store).push(answers)?),
                Err(code) => Err(code),
            };
            Ok((answers,))
        },
    )?;
    lookup.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |mut store: Store<'_>, (answers,): (Resource<Answers>,)| {
            let answers = table(&mut store).get_mut(&answers)?;
            Ok((answers.next().map(|ip| ip.map(IpAddress::from)),))
        },
    )?;
    lookup.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store: Store<'_>, (answers,): (Resource<Answers>,)| {
            let pollable: Resource<DynPollable> = subscribe(table(&mut store), answers)?;
            Ok((pollable,))
        },
    )
}

fn table<'a>(store: &'a mut Store<'_>) -> &'a mut ResourceTable {
    store.data_mut().wasi.ctx().table
}

/// Begins a lookup. It completes at once if the resolver need not be asked.
fn look_up(state: &mut State, name: String) -> Result<Answers, ErrorCode> {
    // An address is not looked up.
    if let Ok(ip) = name.trim_matches(['[', ']']).parse() {
        return Ok(Answers::Here(vec![ip].into_iter()));
    }
    let grants = state.grants.clone();
    grants.lookup(&name, 0).map_err(|_| ErrorCode::AccessDenied)?;
    let mut known = match url::Host::parse(&name) {
        Ok(url::Host::Domain(domain)) => {
            let running = resolve(&state.wasi.threads.lookups, domain);
            return Ok(Answers::Asking { name, running, grants });
        }
        // An address in an unusual notation.
        Ok(url::Host::Ipv4(ip)) => vec![IpAddr::V4(ip)],
        Ok(url::Host::Ipv6(ip)) => vec![IpAddr::V6(ip)],
        Err(_) => match name.parse::<Ipv6Addr>() {
            Ok(ip) => vec![IpAddr::V6(ip)],
            Err(_) => return Err(ErrorCode::InvalidArgument),
        },
    };
    grants.resolved(&name, 0, &mut known);
    Ok(Answers::Here(known.into_iter()))
}

impl Answers {
    fn poll_here(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let Answers::Asking { name, running, grants } = self else { return Poll::Ready(()) };
        let found = ready!(Pin::new(running).poll(task));
        *self = match found {
            Ok(mut found) => {
                found.iter_mut().for_each(|ip| *ip = ip.to_canonical());
                grants.resolved(name, 0, &mut found);
                Answers::Here(found.into_iter())
            }
            Err(_) => Answers::Failed(ErrorCode::NameUnresolvable),
        };
        Poll::Ready(())
    }

    fn next(&mut self) -> Result<Option<IpAddr>, ErrorCode> {
        let _ = self.poll_here(&mut Context::from_waker(Waker::noop()));
        match self {
            Answers::Asking { .. } => Err(ErrorCode::WouldBlock),
            Answers::Here(answers) => Ok(answers.next()),
            Answers::Failed(code) => Err(*code),
        }
    }
}

#[async_trait]
impl Pollable for Answers {
    async fn ready(&mut self) {
        std::future::poll_fn(|task| self.poll_here(task)).await;
    }
}
