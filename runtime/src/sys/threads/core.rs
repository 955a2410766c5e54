//! With threads, each runtime has a reactor of its own, which one of its threads parks in.

use std::io;
use std::ops::Deref;

use crate::reactor::Core;

/// What a runtime has of the reactor: all of it.
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
