//! Sockets for wasio.
