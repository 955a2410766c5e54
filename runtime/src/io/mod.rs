//! Reading and writing without blocking: the traits, their methods, and what combines them.
//!
//! [`AsyncRead`] and [`AsyncWrite`] are what [`std::io::Read`] and [`std::io::Write`] are for code that
//! blocks: instead of blocking the thread, they return `Pending` and wake the task later. Their methods are
//! in [`AsyncReadExt`], [`AsyncBufReadExt`], [`AsyncWriteExt`] and [`AsyncSeekExt`].
//!
//! # Cancel safety
//!
//! An operation whose future is dropped before it is ready (in `select!`, or by a timeout) leaves the reader
//! or writer usable. Whether bytes that it already moved are lost is said at each method.
//!
//! # On WASI
//!
//! Everything here behaves as it does elsewhere. Only [`stdin`], [`stdout`] and [`stderr`] differ: see there.

mod async_buf_read;
mod async_read;
mod async_seek;
mod async_write;
mod blocking;
mod buf_read_ext;
mod buf_reader;
mod buf_stream;
mod buf_writer;
mod chain;
mod copy;
mod copy_bidirectional;
mod copy_buf;
mod duplex;
mod empty;
mod fill;
mod interest;
mod join;
mod lines;
mod numbers;
mod read_buf;
mod read_ext;
mod read_ops;
mod read_to_end;
mod read_until;
mod ready;
mod repeat;
mod seek_ext;
mod segments;
mod simplex;
mod sink;
mod split;
mod stdin;
mod stdout;
mod take;
mod write_ext;
mod write_ops;

#[allow(unused_imports, unreachable_pub)] // Some targets have nothing of their own here.
pub use crate::sys::public::io::*;

pub use async_buf_read::AsyncBufRead;
pub use async_read::AsyncRead;
pub use async_seek::AsyncSeek;
pub use async_write::AsyncWrite;
pub use buf_read_ext::AsyncBufReadExt;
pub use buf_reader::BufReader;
pub use buf_stream::BufStream;
pub use buf_writer::BufWriter;
pub use chain::Chain;
pub use copy::copy;
pub use copy_bidirectional::{copy_bidirectional, copy_bidirectional_with_sizes};
pub use copy_buf::copy_buf;
pub use duplex::{DuplexStream, duplex};
pub use empty::{Empty, empty};
pub use interest::Interest;
pub use join::{Join, join};
pub use lines::Lines;
pub use read_buf::ReadBuf;
pub use read_ext::AsyncReadExt;
pub use ready::Ready;
pub use repeat::{Repeat, repeat};
pub use seek_ext::AsyncSeekExt;
pub use segments::Split;
pub use simplex::{SimplexStream, simplex};
pub use sink::{Sink, sink};
pub use split::{ReadHalf, WriteHalf, split};
pub use stdin::{Stdin, stdin};
pub use stdout::{Stderr, Stdout, stderr, stdout};
pub use take::Take;
pub use write_ext::AsyncWriteExt;

pub(crate) use blocking::{Buf, Job, MAX_BUF_SIZE, run, run_to_end};

#[doc(no_inline)]
pub use std::io::{Error, ErrorKind, Result, SeekFrom};

use std::task::{Context, Poll, ready};

use crate::task::coop;

/// The default capacity of buffers, in bytes.
pub(crate) const DEFAULT_BUF_SIZE: usize = 8 * 1024;

/// Returns the kind of an error.
// SIZE: each copy is 80 bytes of a guest.
#[doc(hidden)]
#[cfg_attr(small_code, inline(never))]
#[cfg_attr(not(small_code), inline)]
pub fn kind(error: &Error) -> ErrorKind {
    error.kind()
}

/// Drops an error. Most errors have nothing to drop.
// SIZE: the drop of the others is a hundred bytes, and in one place.
#[doc(hidden)]
#[inline]
pub fn forget(error: Error) {
    if error.get_ref().is_some() {
        drop_custom(error);
    } else {
        // There is nothing to drop.
        std::mem::forget(error);
    }
}

#[cold]
#[inline(never)]
fn drop_custom(_: Error) {}

/// Repeats an operation while it returns `Interrupted`.
fn retry<T>(mut operation: impl FnMut() -> Poll<Result<T>>) -> Poll<Result<T>> {
    loop {
        match operation() {
            Poll::Ready(Err(e)) => {
                if let Some(error) = unless_interrupted(e) {
                    return Poll::Ready(Err(error));
                }
            }
            done => return done,
        }
    }
}

/// Returns the error, unless it is `Interrupted`.
// SIZE: each copy of the drop takes a hundred bytes of a guest.
#[cfg_attr(small_code, cold, inline(never))]
#[cfg_attr(not(small_code), inline)]
fn unless_interrupted(error: Error) -> Option<Error> {
    if kind(&error) != ErrorKind::Interrupted {
        return Some(error);
    }
    forget(error);
    None
}

/// Spends a unit of the task's budget, for operations that never have to wait.
pub(crate) fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    ready!(coop::poll_proceed(cx)).made_progress();
    Poll::Ready(())
}

/// Takes the memory of `string` if it is empty. Read into it and return it with [`append_utf8`].
fn take_bytes(string: &mut String) -> Vec<u8> {
    if string.is_empty() { std::mem::take(string).into_bytes() } else { Vec::new() }
}

/// Appends `bytes`, or leaves `string` unchanged if they are not UTF-8.
fn append_utf8(string: &mut String, bytes: Vec<u8>) -> Result<()> {
    match String::from_utf8(bytes) {
        Ok(more) if string.is_empty() => *string = more,
        Ok(more) => string.push_str(&more),
        Err(e) => {
            // The error counts from the start of the string, as if the whole string had been checked.
            let whole = [string.as_bytes(), e.as_bytes()].concat();
            let error = std::str::from_utf8(&whole).expect_err("a part of it is not UTF-8");
            return Err(Error::new(ErrorKind::InvalidData, error));
        }
    }
    Ok(())
}
