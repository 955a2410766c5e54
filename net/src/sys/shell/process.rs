//! Processes on a target without them. The types exist all the same.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use wasio_runtime::io::{AsyncRead, AsyncWrite, ReadBuf};

fn unsupported<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Cannot be created.
#[derive(Debug)]
pub(crate) enum ChildReader {}

/// Cannot be created.
#[derive(Debug)]
pub(crate) enum ChildWriter {}

macro_rules! ends {
    ($($end:ident),*) => {$(
        impl $end {
            pub(crate) fn adopt<E>(_: E) -> io::Result<$end> {
                unsupported()
            }

            pub(crate) fn into_stdio(self) -> io::Result<Stdio> {
                match self {}
            }
        }
    )*};
}

ends!(ChildReader, ChildWriter);

impl AsyncRead for ChildReader {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match *self {}
    }
}

impl AsyncWrite for ChildWriter {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match *self {}
    }
}

/// No child ever exits.
pub(crate) struct Exits;

impl Exits {
    pub(crate) fn new() -> io::Result<Exits> {
        unsupported()
    }

    /// The standard library's error text.
    pub(crate) fn prepare() -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "operation not supported on this platform"))
    }

    pub(crate) async fn next(&mut self) {}
}
