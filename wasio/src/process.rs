//! Starting programs: natively. On WASI every attempt is `Unsupported`.

pub use wasio_net::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
