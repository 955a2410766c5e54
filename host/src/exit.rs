//! How guests exit.

/// How a guest exited. The default is success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    code: i32,
}

impl Exit {
    pub(crate) fn new(code: i32) -> Exit {
        Exit { code }
    }

    /// Returns the exit code. It is 0 if the guest returned from `main`.
    pub fn code(self) -> i32 {
        self.code
    }

    /// Returns whether the code is 0.
    pub fn success(self) -> bool {
        self.code == 0
    }
}

/// The error that unwinds the stack of a guest that exits.
#[derive(Debug, thiserror::Error)]
#[error("the guest exited with code {0}")]
pub(crate) struct Exited(pub(crate) i32);
