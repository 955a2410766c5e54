//! quinn-udp over wasio's sockets.
//!
//! This package replaces quinn-udp through `[patch.crates-io]`, together with the drop-in `tokio`. Published quinn-udp
//! does not compile for WASI, because it creates a [`UdpSockRef`] from a socket on Unix and Windows only. QUIC needs
//! only messages with addresses, and every WASI host has those.
//!
//! One message is sent or received at a time, natively and on WASI. Congestion marks, the address that a message was
//! sent to, and segmentation are not supported.

mod socket;
mod sys;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

pub use socket::{UdpSockRef, UdpSocketState};

/// The number of messages that one call receives.
pub const BATCH_SIZE: usize = 1;

/// The metadata of a received message.
#[derive(Clone, Copy, Debug)]
pub struct RecvMeta {
    /// The sender.
    pub addr: SocketAddr,
    /// The number of bytes in the buffer.
    pub len: usize,
    /// The number of bytes in a message. It is [`len`](Self::len) here.
    pub stride: usize,
    /// The congestion mark. It is `None` here.
    pub ecn: Option<EcnCodepoint>,
    /// The address that the message was sent to. It is `None` here.
    pub dst_ip: Option<IpAddr>,
}

impl Default for RecvMeta {
    /// Returns metadata to be overwritten.
    fn default() -> Self {
        let addr = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0);
        RecvMeta { addr, len: 0, stride: 0, ecn: None, dst_ip: None }
    }
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Transmit<'a> {
    /// The receiver.
    pub destination: SocketAddr,
    /// The congestion mark. It is ignored here.
    pub ecn: Option<EcnCodepoint>,
    /// The message.
    pub contents: &'a [u8],
    /// The size of each message if there are several in [`contents`](Self::contents). It is `None`, because
    /// [`UdpSocketState::max_gso_segments`] is 1.
    pub segment_size: Option<usize>,
    /// The address to send from. It is ignored here.
    pub src_ip: Option<IpAddr>,
}

/// A mark of Explicit Congestion Notification.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EcnCodepoint {
    /// ECT(0): the sender understands the marks.
    Ect0 = 0b10,
    /// ECT(1): the sender understands the marks.
    Ect1 = 0b01,
    /// CE: there was congestion on the path.
    Ce = 0b11,
}

impl EcnCodepoint {
    /// Returns the mark for the two lowest bits of `bits`, or `None` if they are 0.
    pub fn from_bits(bits: u8) -> Option<Self> {
        match bits & 0b11 {
            0b10 => Some(Self::Ect0),
            0b01 => Some(Self::Ect1),
            0b11 => Some(Self::Ce),
            _ => None,
        }
    }
}
