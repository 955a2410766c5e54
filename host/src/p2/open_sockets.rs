//! The open sockets of a component.

use wasmtime_wasi::p2::bindings::sockets::network::ErrorCode;

use crate::p2::lingering::Lingering;
use crate::permits::{MAX_REFUSED, Permit};
use crate::policy::Grants;

/// The open sockets of a component.
pub(crate) struct OpenSockets {
    pub(super) limit: usize,
    /// How many sockets all guests together may have.
    most: usize,
    pub(super) permits: Vec<Permit>,
    pub(crate) lingering: Lingering,
}

impl OpenSockets {
    pub(crate) fn new(limit: usize, most: usize) -> OpenSockets {
        OpenSockets { limit, most, permits: Vec::new(), lingering: Lingering::new(most) }
    }

    pub(crate) fn count(&self) -> usize {
        self.permits.len()
    }

    /// Takes a permit for one more socket.
    pub(super) fn permit(&self, grants: &Grants) -> Result<Permit, ErrorCode> {
        // A guest without grants gets a few sockets, so that connecting and binding can report the refusal.
        if grants.is_none() && self.permits.len() >= MAX_REFUSED {
            return Err(ErrorCode::AccessDenied);
        }
        if self.permits.len() >= self.limit {
            return Err(ErrorCode::NewSocketLimit);
        }
        Permit::take(self.most).ok_or(ErrorCode::NewSocketLimit)
    }
}
