//! With threads, each runtime has its own reactor, in which one of its threads parks.

use std::io;
use std::ops::Deref;

use crate::reactor::Core;

/// A runtime's reactor: its own.
pub(crate) struct RuntimeCore(Core);

impl RuntimeCore {
    pub(crate) fn new() -> io::Result<RuntimeCore> {
        Core::new().map(RuntimeCore)
    }
}

impl Deref for RuntimeCore {
    type Target = Core;

    #[inline(always)]
    fn deref(&self) -> &Core {
        &self.0
    }
}
