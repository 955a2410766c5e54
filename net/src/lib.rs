//! Sockets for wasio: TCP, UDP, Unix sockets and name lookup, with tokio's API; and processes, with their pipes.
//!
//! Every type is a thin layer over two things: a non-blocking socket of the target (`sys`), and a registration with the
//! reactor of `wasio-runtime`. An operation is attempted first. If it would block, the task sleeps until the reactor
//! reports that another attempt is worthwhile.
//!
//! Programs use this crate through `wasio::net`, or `tokio::net` of the drop-in.
//!
//! # On WASI
//!
//! On `wasm32-wasip1` the sockets are those of WasmEdge's imports, which `wasio run` offers as well, and on
//! `wasm32-wasip2` those of `wasi:sockets`. The host grants or denies access to the network. A denied call fails with
//! [`PermissionDenied`](std::io::ErrorKind::PermissionDenied). A feature that a host lacks fails with
//! [`Unsupported`](std::io::ErrorKind::Unsupported).

mod addr;
// The condition is that of the package `domain` in Cargo.toml. On WASI 0.2 the host's lookup suspends only the task,
// and the resolver would add 100 KB to a guest.
#[cfg_attr(not(any(unix, all(target_os = "wasi", target_env = "p1"))), path = "dns/none.rs")]
mod dns;
mod error;
mod halves;
mod lookup;
mod ops;
mod registered;
mod sys;
mod udp;

pub mod process;
pub mod tcp;
pub mod unix;

pub use addr::ToSocketAddrs;
pub use lookup::lookup_host;
#[doc(hidden)]
#[allow(unused_imports, unreachable_pub)] // Not every target has any.
pub use sys::public::root::*;
pub use tcp::listener::TcpListener;
pub use tcp::socket::TcpSocket;
pub use tcp::stream::TcpStream;
pub use udp::UdpSocket;
pub use unix::datagram::UnixDatagram;
pub use unix::listener::UnixListener;
pub use unix::socket::UnixSocket;
pub use unix::stream::UnixStream;
