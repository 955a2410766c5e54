//! socket2 0.5 over wasio's sockets, for `[patch.crates-io]`, for trees that still use that version.
//!
//! It is built from the source of the drop-in for 0.6, except for the items that upstream renamed.

// Some options exist only in 0.6.
#![allow(dead_code)]
#![allow(unreachable_pub, unused_imports)]

#[path = "../../socket2/src/address.rs"]
mod address;
#[path = "../../socket2/src/kinds.rs"]
mod kinds;
#[path = "../../socket2/src/message.rs"]
mod message;
#[path = "../../socket2/src/options.rs"]
mod options;
#[cfg(feature = "all")]
#[path = "../../socket2/src/options_all.rs"]
mod options_all;
#[path = "../../socket2/src/socket.rs"]
mod socket;
#[path = "../../socket2/src/sockref.rs"]
mod sockref;
#[path = "../../socket2/src/sys/mod.rs"]
mod sys;
mod v0_5;

pub use address::SockAddr;
pub use kinds::{Domain, Protocol, RecvFlags, TcpKeepalive, Type};
pub use message::{MsgHdr, MsgHdrMut};
pub use options::InterfaceIndexOrAddress;
pub use socket::Socket;
pub use sockref::SockRef;
pub use sys::MaybeUninitSlice;
