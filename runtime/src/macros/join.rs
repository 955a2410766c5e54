//! Polls several futures of different types as one: the part of `join!` that is not a macro.
//!
//! It is compiled once, not once per `join!`. The futures are passed as trait objects that live for one poll.

use std::pin::Pin;
use std::task::{Context, Poll};

/// Stands for `join!`: every future is waited for.
#[derive(Debug)]
pub enum All {}

/// Stands for `try_join!`: the first error ends it.
#[derive(Debug)]
pub enum UntilError {}

/// A future ended with an error.
#[derive(Debug)]
pub struct Failed;

/// A future that is joined in the manner of `Kind`.
pub trait Part<Kind> {
    /// Polls the future. Ready as soon as its output is stored.
    fn poll_part(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Failed>>;
}

/// Which future a poll begins with.
pub trait Order {
    /// Returns the index to begin with, of `count`.
    fn first(&mut self, count: usize) -> usize;
}

/// Always the first one.
#[derive(Debug, Default)]
pub struct Biased;

impl Order for Biased {
    #[inline]
    fn first(&mut self, _count: usize) -> usize {
        0
    }
}

/// Each time the next one: a future that uses up the task's budget is not first again.
#[derive(Debug, Default)]
pub struct Rotating {
    next: u32,
}

impl Order for Rotating {
    #[inline]
    fn first(&mut self, count: usize) -> usize {
        let first = self.next as usize;
        self.next = if first + 1 == count { 0 } else { self.next + 1 };
        first
    }
}

/// Polls every future once: ready when all are done.
pub fn poll_all(
    order: &mut impl Order,
    parts: &mut [Pin<&mut dyn Part<All>>],
    cx: &mut Context<'_>,
) -> Poll<()> {
    poll_from(order.first(parts.len()), parts, cx).map(|_| ())
}

/// Polls every future once: ready when all are done, or one failed.
pub fn try_poll_all(
    order: &mut impl Order,
    parts: &mut [Pin<&mut dyn Part<UntilError>>],
    cx: &mut Context<'_>,
) -> Poll<Result<(), Failed>> {
    poll_from(order.first(parts.len()), parts, cx)
}

fn poll_from<Kind>(
    first: usize,
    parts: &mut [Pin<&mut dyn Part<Kind>>],
    cx: &mut Context<'_>,
) -> Poll<Result<(), Failed>> {
    let (before, after) = parts.split_at_mut(first);
    let mut pending = false;
    for part in after.iter_mut().chain(before) {
        match part.as_mut().poll_part(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(failed)) => return Poll::Ready(Err(failed)),
            Poll::Pending => pending = true,
        }
    }
    if pending { Poll::Pending } else { Poll::Ready(Ok(())) }
}
