//! Counts the bytes that a component transfers through its sockets.
//!
//! wasmtime-wasi's streams do not count. The streams of a TCP connection are wrapped in counting ones when they are
//! created: when the connection is accepted or established. Datagrams are counted when they are sent or received.

use std::future::poll_fn;
use std::task::Poll;

use tokio::task::yield_now;
use wasmtime::component::{ComponentType, Lift, Linker, Resource, ResourceTable, WasmList};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, Host as _, IpSocketAddress};
use wasmtime_wasi::p2::bindings::sockets::tcp::{HostTcpSocket as _, TcpSocket};
use wasmtime_wasi::p2::bindings::sockets::udp::{
    HostIncomingDatagramStream as _, HostOutgoingDatagramStream as _, HostUdpSocket as _,
    IncomingDatagram, IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, SocketError, StreamError, pipe};
use wasmtime_wasi::sockets::{WasiSocketsCtxView, WasiSocketsView as _};
use wasmtime_wasi_io::bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{InputStream, OutputStream, StreamResult};

use crate::p2::lingering::Lingering;
use crate::p2::state::{State, Store};
use crate::stats::Stats;

/// The names of the interfaces in wasmtime-wasi.
pub(crate) const TCP: &str = "wasi:sockets/tcp@0.2.12";
pub(crate) const UDP: &str = "wasi:sockets/udp@0.2.12";

/// The number of datagrams that wasmtime-wasi permits to send at once.
const MAX_MESSAGES: usize = 16;
/// The maximum length of a datagram.
const MAX_MESSAGE: usize = 65_535;

/// How many times to yield to the runtime until a socket is released.
const MAX_YIELDS: u32 = 1000;

type Streams = (Resource<IncomingDatagramStream>, Resource<OutgoingDatagramStream>);
type Connected = (Resource<DynInputStream>, Resource<DynOutputStream>);
pub(crate) type Accepted =
    (Resource<TcpSocket>, Resource<DynInputStream>, Resource<DynOutputStream>);

/// Replaces the functions of `linker` with the counting ones.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut tcp = linker.instance(TCP)?;
    tcp.func_wrap(
        "[method]tcp-socket.finish-connect",
        |mut store: Store<'_>, (socket,): (Resource<TcpSocket>,)| {
            let lingering = store.data().sockets.lingering.clone();
            answer(
                &mut store,
                |sockets| sockets.finish_connect(socket),
                |connected: &Connected, table, stats| {
                    count(table, stats, lingering, &connected.0, &connected.1)
                },
            )
        },
    )?;
    let mut udp = linker.instance(UDP)?;
    udp.func_wrap_async(
        "[method]udp-socket.stream",
        |store: Store<'_>, (socket, remote): (Resource<UdpSocket>, Option<IpSocketAddress>)| {
            Box::new(streams(store, socket, remote))
        },
    )?;
    udp.func_wrap(
        "[method]incoming-datagram-stream.receive",
        |mut store: Store<'_>, (stream, most): (Resource<IncomingDatagramStream>, u64)| {
            answer(
                &mut store,
                |sockets| sockets.receive(stream, most),
                |messages: &Vec<IncomingDatagram>, _, stats| {
                    stats.received(messages.iter().map(|message| message.data.len()).sum());
                    Ok(())
                },
            )
        },
    )?;
    udp.func_wrap(
        "[method]outgoing-datagram-stream.send",
        |store: Store<'_>,
         (stream, messages): (Resource<OutgoingDatagramStream>, WasmList<Message>)| {
            send(store, stream, messages)
        },
    )
}

/// A datagram to send, still in the component's memory.
#[derive(ComponentType, Lift)]
#[component(record)]
struct Message {
    data: WasmList<u8>,
    #[component(name = "remote-address")]
    remote_address: Option<IpSocketAddress>,
}

/// Sends datagrams. Those that cannot be sent are not copied: more of them than a call permits, or ones that are too
/// long.
fn send(
    mut store: Store<'_>,
    stream: Resource<OutgoingDatagramStream>,
    list: WasmList<Message>,
) -> wasmtime::Result<(Result<u64, ErrorCode>,)> {
    let len = list.len();
    if len > MAX_MESSAGES {
        let why = format!("{len} messages to send at once: check-send permits {MAX_MESSAGES}");
        return Err(wasmtime::Error::msg(why));
    }
    let mut messages = Vec::with_capacity(len);
    let listed = list.iter(&mut store)?.collect::<wasmtime::Result<Vec<_>>>()?;
    for message in listed {
        if message.data.len() > MAX_MESSAGE {
            if messages.is_empty() {
                return Ok((Err(ErrorCode::DatagramTooLarge),));
            }
            break;
        }
        let data = message.data.as_le_slice(&store).to_vec();
        messages.push(OutgoingDatagram { data, remote_address: message.remote_address });
    }
    let lengths: Vec<usize> = messages.iter().map(|message| message.data.len()).collect();
    answer(
        &mut store,
        |sockets| sockets.send(stream, messages),
        |sent: &u64, _, stats| {
            stats.sent(lengths.iter().take(*sent as usize).sum());
            Ok(())
        },
    )
}

/// Creates the streams of a datagram socket. If its previous streams were dropped while they waited for a datagram, the
/// waiting task holds the socket until the runtime has run it. wasmtime-wasi traps then, so this function tries again.
async fn streams(
    mut store: Store<'_>,
    socket: Resource<UdpSocket>,
    remote: Option<IpSocketAddress>,
) -> wasmtime::Result<(Result<Streams, ErrorCode>,)> {
    let mut yields = 0..MAX_YIELDS;
    loop {
        let mut sockets = store.data_mut().wasi.sockets();
        let socket = Resource::new_borrow(socket.rep());
        match sockets.stream(socket, remote).await {
            Ok(streams) => return Ok((Ok(streams),)),
            Err(error) => match sockets.convert_error_code(error) {
                Ok(code) => return Ok((Err(code),)),
                Err(trap) if trap.to_string().contains("needs exclusive access") => {
                    yields.next().ok_or(trap)?;
                }
                Err(trap) => return Err(trap),
            },
        }
        yield_now().await;
    }
}

/// Accepts a connection, and wraps its streams in counting ones.
pub(crate) fn accept(
    store: &mut Store<'_>,
    socket: Resource<TcpSocket>,
) -> wasmtime::Result<(Result<Accepted, ErrorCode>,)> {
    let lingering = store.data().sockets.lingering.clone();
    answer(
        store,
        |sockets| sockets.accept(socket),
        |accepted: &Accepted, table, stats| {
            count(table, stats, lingering, &accepted.1, &accepted.2)
        },
    )
}

/// Calls wasmtime-wasi's function, and passes its result to `note`.
pub(crate) fn answer<R>(
    store: &mut Store<'_>,
    call: impl FnOnce(&mut WasiSocketsCtxView<'_>) -> Result<R, SocketError>,
    note: impl FnOnce(&R, &mut ResourceTable, &Stats) -> wasmtime::Result<()>,
) -> wasmtime::Result<(Result<R, ErrorCode>,)> {
    let State { wasi, stats, .. } = store.data_mut();
    let mut sockets = wasi.sockets();
    Ok((match call(&mut sockets) {
        Ok(result) => {
            note(&result, sockets.table, stats)?;
            Ok(result)
        }
        Err(error) => Err(sockets.convert_error_code(error)?),
    },))
}

/// Wraps the streams of a connection in counting ones.
fn count(
    table: &mut ResourceTable,
    stats: &Stats,
    lingering: Lingering,
    input: &Resource<DynInputStream>,
    output: &Resource<DynOutputStream>,
) -> wasmtime::Result<()> {
    let slot = table.get_mut(input)?;
    let inner = std::mem::replace(slot, Box::new(pipe::ClosedInputStream));
    *slot = Box::new(Input { inner, stats: stats.clone() });
    let slot = table.get_mut(output)?;
    let inner = std::mem::replace(slot, Box::new(pipe::ClosedOutputStream));
    *slot = Box::new(Output { inner, stats: stats.clone(), lingering });
    Ok(())
}

struct Input {
    inner: DynInputStream,
    stats: Stats,
}

struct Output {
    inner: DynOutputStream,
    stats: Stats,
    lingering: Lingering,
}

#[async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.inner.read(size)?;
        self.stats.received(bytes.len());
        Ok(bytes)
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        let length = bytes.len();
        self.inner.write(bytes)?;
        self.stats.sent(length);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    /// Dropping the stream must not wait for the peer.
    async fn cancel(&mut self) {
        let mut cancelled = self.inner.cancel();
        let is_over = poll_fn(|cx| Poll::Ready(cancelled.as_mut().poll(cx).is_ready())).await;
        drop(cancelled);
        if !is_over {
            let closed = Box::new(pipe::ClosedOutputStream);
            self.lingering.begin(std::mem::replace(&mut self.inner, closed));
        }
    }
}
