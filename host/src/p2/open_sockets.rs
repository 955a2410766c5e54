//! The sockets that a component has open.

use wasmtime_wasi::p2::bindings::sockets::network::ErrorCode;

use crate::p2::lingering::Lingering;
use crate::permits::{MAX_REFUSED, Permit};
use crate::policy::Grants;

/// The sockets that a component has.
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

    /// What one more socket takes.
    pub(super) fn permit(&self, grants: &Grants) -> Result<Permit, ErrorCode> {
        // A few, so that connecting and binding can say what is refused.
        if grants.is_none() && self.permits.len() >= MAX_REFUSED {
            return Err(ErrorCode::AccessDenied);
        }
        if self.permits.len() >= self.limit {
            return Err(ErrorCode::NewSocketLimit);
        }
        Permit::take(self.most).ok_or(ErrorCode::NewSocketLimit)
    }
}
