//! On one thread, all runtimes share one reactor, so that one call asks the host about the sources of all of them.

use std::io;
use std::ops::Deref;

use super::Once;
use crate::reactor::Core;

/// A runtime's reference to the shared reactor.
pub(crate) struct RuntimeCore(&'static Core);

impl RuntimeCore {
    pub(crate) fn new() -> io::Result<RuntimeCore> {
        static CORE: Once<Core> = Once::new();
        if CORE.get().is_none() {
            CORE.set(Core::new()?);
        }
        CORE.get().map(RuntimeCore).ok_or_else(|| io::ErrorKind::Other.into())
    }
}

impl Deref for RuntimeCore {
    type Target = Core;

    #[inline(always)]
    fn deref(&self) -> &Core {
        self.0
    }
}
