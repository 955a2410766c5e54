//! Name lookup through `wasi:sockets/ip-name-lookup`, which suspends only the task that asks.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use wasio_runtime::io::Interest;
use wasio_runtime::once::Once;
use wasio_runtime::reactor::{Direction, Source, Subscribe};
use wasio_runtime::text_error::text_error;
use wasip2::io::poll::Pollable;
use wasip2::sockets::ip_name_lookup::{ResolveAddressStream, resolve_addresses};

use super::convert::{ip, unresolved};
use super::host::network;

/// Asks the host without blocking the guest.
pub(crate) async fn lookup(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let mut lookup = Lookup::new(name, port)?;
    poll_fn(|cx| lookup.poll(cx)).await
}

/// A question, and the answers so far.
struct Lookup {
    // Declared before the question, so that it is deregistered before the pollable is dropped.
    source: Source,
    question: Arc<Question>,
    port: u16,
    found: Vec<SocketAddr>,
}

struct Question {
    // A child of the answers, dropped before them.
    pollable: Once<Pollable>,
    answers: ResolveAddressStream,
}

impl Subscribe for Question {
    fn pollable(&self, _: Direction) -> Option<u32> {
        Some(self.pollable.get_or_init(|| self.answers.subscribe()).handle())
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup").finish_non_exhaustive()
    }
}

impl Lookup {
    fn new(name: &str, port: u16) -> io::Result<Lookup> {
        let answers = resolve_addresses(network(), name).map_err(unresolved)?;
        let question = Arc::new(Question { pollable: Once::new(), answers });
        let source = Source::with_interest(question.clone(), Interest::READABLE)?;
        Ok(Lookup { source, question, port, found: Vec::new() })
    }

    /// Returns the addresses once all have arrived.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<SocketAddr>>> {
        let Lookup { source, question, port, found } = self;
        let next = || question.answers.resolve_next_address().map_err(unresolved);
        while let Some(address) = ready!(source.poll_io(cx, Direction::Read, next))? {
            found.push(SocketAddr::new(ip(address), *port));
        }
        if found.is_empty() {
            let text = "the name has no address";
            return Poll::Ready(Err(text_error(io::ErrorKind::NotFound, text)));
        }
        Poll::Ready(Ok(std::mem::take(found)))
    }
}
