//! Options of the feature `all`, apart from those that versions 0.5 and 0.6 name differently.

use std::io;
use std::num::{NonZeroU32, NonZeroUsize};
use std::os::fd::AsRawFd;
use std::time::Duration;

use crate::options::options;
use crate::sys::{number, opt};
use crate::{Domain, Protocol, Socket};

options! {
    /// Returns whether messages of all groups that the machine has joined are received (`IP_MULTICAST_ALL`).
    multicast_all_v4, set_multicast_all_v4: bool = IP_MULTICAST_ALL;
    /// Returns the same for IPv6 (`IPV6_MULTICAST_ALL`).
    multicast_all_v6, set_multicast_all_v6: bool = IPV6_MULTICAST_ALL;
    /// Returns whether messages are received with their hop limit (`IPV6_RECVHOPLIMIT`).
    recv_hoplimit_v6, set_recv_hoplimit_v6: bool = IPV6_RECVHOPLIMIT;
    /// Returns the traffic class of packets (`IPV6_TCLASS`).
    tclass_v6, set_tclass_v6: u32 = IPV6_TCLASS;
    /// Returns whether several sockets may have the same address (`SO_REUSEPORT`).
    reuse_port, set_reuse_port: bool = SO_REUSEPORT;
    /// Returns the mark of packets, for routing and filters (`SO_MARK`). Setting it takes a privilege.
    mark, set_mark: u32 = SO_MARK;
    /// Returns the processor that handles the socket's packets (`SO_INCOMING_CPU`).
    cpu_affinity, set_cpu_affinity: usize = SO_INCOMING_CPU;
    /// Returns how long sent data may stay unacknowledged before the connection is dropped (`TCP_USER_TIMEOUT`).
    tcp_user_timeout, set_tcp_user_timeout: Option<Duration> = TCP_USER_TIMEOUT;
    /// Returns the index of the interface that the socket is bound to (`SO_BINDTOIFINDEX`).
    device_index_v4, bind_device_by_index_v4: Option<NonZeroU32> = DEVICE_INDEX_V4;
    /// Returns the same for IPv6.
    device_index_v6, bind_device_by_index_v6: Option<NonZeroU32> = DEVICE_INDEX_V6;
    /// Returns whether `listen` was called (`SO_ACCEPTCONN`).
    is_listener: bool = SO_ACCEPTCONN;
    /// Returns the service of a socket of DCCP (`DCCP_SOCKOPT_SERVICE`).
    dccp_service, set_dccp_service: u32 = DCCP_SERVICE;
    /// Returns whether the server keeps the time-wait state (`DCCP_SOCKOPT_SERVER_TIMEWAIT`).
    dccp_server_timewait, set_dccp_server_timewait: bool = DCCP_SERVER_TIMEWAIT;
    /// Returns the part of a sent packet that the checksum covers (`DCCP_SOCKOPT_SEND_CSCOV`).
    dccp_send_cscov, set_dccp_send_cscov: u32 = DCCP_SEND_CSCOV;
    /// Returns the part of a received packet that the checksum must cover (`DCCP_SOCKOPT_RECV_CSCOV`).
    dccp_recv_cscov, set_dccp_recv_cscov: u32 = DCCP_RECV_CSCOV;
    /// Returns the maximum number of packets in the send queue (`DCCP_SOCKOPT_QPOLICY_TXQLEN`).
    dccp_qpolicy_txqlen, set_dccp_qpolicy_txqlen: u32 = DCCP_QPOLICY_TXQLEN;
    /// Returns the congestion control for sending (`DCCP_SOCKOPT_TX_CCID`).
    dccp_tx_ccid: u32 = DCCP_TX_CCID;
    /// Returns the congestion control for receiving (`DCCP_SOCKOPT_RX_CCID`). The name is upstream's.
    dccp_xx_ccid: u32 = DCCP_RX_CCID;
    /// Returns the largest packet that can be sent, in bytes (`DCCP_SOCKOPT_GET_CUR_MPS`).
    dccp_cur_mps: u32 = DCCP_CUR_MPS;
}

impl Socket {
    /// Returns the family of the socket's addresses (`SO_DOMAIN`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn domain(&self) -> io::Result<Domain> {
        self.0.domain().map(Domain)
    }

    /// Returns the protocol of the socket (`SO_PROTOCOL`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn protocol(&self) -> io::Result<Option<Protocol>> {
        self.0.protocol().map(|number| (number != 0).then_some(Protocol(number)))
    }

    /// Returns the name of the interface that the socket is bound to (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        // The length includes the terminating zero.
        let mut name = self.0.bytes(opt::SO_BINDTODEVICE, number::IFNAMSIZ)?;
        Ok(name.pop().map(|_| name))
    }

    /// Binds the socket to the interface of a name, or to none.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`: `ENODEV` if there is no such interface, or
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the process may not bind to it.
    /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.0.set_bytes(opt::SO_BINDTODEVICE, interface.unwrap_or_default())
    }

    /// Returns the name of the congestion control (`TCP_CONGESTION`), which may end with zeros.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn tcp_congestion(&self) -> io::Result<Vec<u8>> {
        self.0.bytes(opt::TCP_CONGESTION, number::TCP_CA_NAME_MAX)
    }

    /// Sets what [`tcp_congestion`](Self::tcp_congestion) returns.
    ///
    /// # Errors
    ///
    /// The same as for [`tcp_congestion`](Self::tcp_congestion).
    pub fn set_tcp_congestion(&self, tcp_ca_name: &[u8]) -> io::Result<()> {
        self.0.set_bytes(opt::TCP_CONGESTION, tcp_ca_name)
    }

    /// Returns the number by which the system knows the socket (`SO_COOKIE`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn cookie(&self) -> io::Result<u64> {
        self.0
            .bytes(opt::SO_COOKIE, size_of::<u64>())
            .map(|bytes| u64::from_ne_bytes(bytes.try_into().unwrap_or_default()))
    }

    /// Sends from a file, at most `length` bytes from `offset` on; without a length as much as the system takes.
    ///
    /// # Errors
    ///
    /// An error of `sendfile`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn sendfile<F>(
        &self,
        file: &F,
        offset: usize,
        length: Option<NonZeroUsize>,
    ) -> io::Result<usize>
    where
        F: AsRawFd,
    {
        self.0.sendfile(file.as_raw_fd(), offset, length)
    }

    /// Undoes [`attach_filter`](Self::attach_filter) (`SO_DETACH_FILTER`).
    ///
    /// # Errors
    ///
    /// The same as for [`attach_filter`](Self::attach_filter).
    pub fn detach_filter(&self) -> io::Result<()> {
        self.0.set_int(opt::SO_DETACH_FILTER, 0)
    }

    /// Sets the congestion control of a socket of DCCP (`DCCP_SOCKOPT_CCID`).
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn set_dccp_ccid(&self, ccid: u8) -> io::Result<()> {
        self.0.set_bytes(opt::DCCP_CCID, &[ccid])
    }

    /// Returns the congestion controls that the system has for DCCP, `N` at most (`DCCP_SOCKOPT_AVAILABLE_CCIDS`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn dccp_available_ccids<const N: usize>(&self) -> io::Result<CcidEndpoints<N>> {
        let bytes = self.0.bytes(opt::DCCP_AVAILABLE_CCIDS, N)?;
        let mut endpoints = [0; N];
        endpoints[..bytes.len()].copy_from_slice(&bytes);
        Ok(CcidEndpoints { endpoints, length: bytes.len() })
    }
}

/// The congestion controls that the system has for DCCP.
#[derive(Debug)]
pub struct CcidEndpoints<const N: usize> {
    endpoints: [u8; N],
    length: usize,
}

impl<const N: usize> std::ops::Deref for CcidEndpoints<N> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.endpoints[..self.length]
    }
}
