//! Asynchronous reading and writing: traits, combinators, buffers, standard streams.
//!
//! The traits are always here; the feature `io-util` brings what is built on them, `io-std` the standard
//! streams, `net` readiness.

pub use wasio_runtime::io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};

#[doc(no_inline)]
pub use std::io::{Error, ErrorKind, Result, SeekFrom};

#[cfg(feature = "net")]
pub use wasio_runtime::io::{Interest, Ready};

#[cfg(feature = "net")]
#[allow(unused_imports, unreachable_pub)] // Not every target has any.
pub use wasio_runtime::additions::io::*;

#[cfg(feature = "io-std")]
pub use wasio_runtime::io::{Stderr, Stdin, Stdout, stderr, stdin, stdout};

#[cfg(feature = "io-util")]
pub use wasio_runtime::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufStream, BufWriter,
    Chain, DuplexStream, Empty, Join, Lines, ReadHalf, Repeat, SimplexStream, Sink, Split, Take,
    WriteHalf, copy, copy_bidirectional, copy_bidirectional_with_sizes, copy_buf, duplex, empty,
    join, repeat, simplex, sink, split,
};
