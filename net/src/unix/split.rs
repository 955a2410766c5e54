//! The halves of a Unix stream.

use super::SocketAddr;
use super::stream::UnixStream;

crate::halves::halves!(UnixStream, SocketAddr);
