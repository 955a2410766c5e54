//! `wasi:io/poll`: counted, and with a run of tokio's driver before a poll that most likely will not wait.

use std::future::poll_fn;
use std::pin::pin;

use tokio::task::yield_now;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable, WasmList};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi_io::bindings::wasi::io::poll;

use crate::fuel::burn;
use crate::p2::state::{State, Store};
use crate::stats::Stats;

/// Replaces the functions of `linker` with these.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    poll::add_to_linker::<State, Polls>(linker, polls)?;
    linker.instance("wasi:io/poll@0.2.12")?.func_wrap_async(
        "poll",
        |store: Store<'_>, (pollables,): (WasmList<Resource<DynPollable>>,)| {
            Box::new(poll_list(store, pollables))
        },
    )
}

/// How many pollables one call may have, in addition to some for each of the component's sockets. wasmtime-wasi
/// examines them all at once, some 5 a microsecond.
const MAX_POLLABLES: usize = 1 << 15;
const POLLABLES_PER_SOCKET: usize = 4;
/// Longer lists burn fuel. A short one has cost the component, which wrote it, more than the host.
const FREE: usize = 1024;
/// The fuel burnt for each pollable.
const FUEL_PER_POLLABLE: usize = 48;

fn polls(state: &mut State) -> PollsView<'_> {
    let State { wasi, stats, polls_without_waiting, .. } = state;
    PollsView { table: wasi.ctx().table, stats, busy: polls_without_waiting }
}

/// `poll` with a bound on the length of the list.
async fn poll_list(
    mut store: Store<'_>,
    pollables: WasmList<Resource<DynPollable>>,
) -> wasmtime::Result<(Vec<u32>,)> {
    let len = pollables.len();
    let most = MAX_POLLABLES + POLLABLES_PER_SOCKET * store.data().sockets.count();
    if len > most {
        let why = format!("a poll of {len} pollables at once: at most {most} are possible here");
        return Err(wasmtime::Error::msg(why));
    }
    if len > FREE {
        burn(&mut store, len * FUEL_PER_POLLABLE)?;
    }
    let pollables = pollables.iter(&mut store)?.collect::<wasmtime::Result<Vec<_>>>()?;
    Ok((poll::Host::poll(&mut polls(store.data_mut()), pollables).await?,))
}

struct Polls;

impl HasData for Polls {
    type Data<'a> = PollsView<'a>;
}

/// As for modules (`p1/poll`), tokio's driver runs before a poll that most likely will not wait. Otherwise a component
/// that never waits would not see events since its last wait.
struct PollsView<'a> {
    table: &'a mut ResourceTable,
    stats: &'a Stats,
    /// Whether the last poll did not wait.
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
