//! The descriptors of the standard streams.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use crate::io::{Stderr, Stdin, Stdout};

macro_rules! lend {
    ($($Stream:ident)*) => {$(
        impl AsRawFd for $Stream {
            fn as_raw_fd(&self) -> RawFd {
                self.std.as_raw_fd()
            }
        }

        impl AsFd for $Stream {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.std.as_fd()
            }
        }
    )*};
}

lend!(Stdin Stdout Stderr);
