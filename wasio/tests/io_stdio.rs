//! The standard streams. A test with a host checks that input suspends only its reader.

#[path = "all/io_support.rs"]
mod io_support;

use std::os::fd::{AsFd, AsRawFd};

use wasio::io::{AsyncReadExt, AsyncWriteExt, stderr, stdin, stdout};

#[wasio::test]
async fn output_is_accepted_and_flushed() {
    let mut out = stdout();
    out.write_all(b"to the standard output\n").await.unwrap();
    out.flush().await.unwrap();
    out.flush().await.unwrap();
    let mut err = stderr();
    err.write_all(b"to the standard error stream\n").await.unwrap();
    err.shutdown().await.unwrap();
    // Larger than the maximum of one operation.
    let large = vec![b'\n'; 5];
    for _ in 0..3 {
        out.write_all(&large).await.unwrap();
    }
    out.flush().await.unwrap();
}

#[wasio::test]
async fn a_read_of_nothing_does_not_wait() {
    assert_eq!(stdin().read(&mut []).await.unwrap(), 0);
}

#[test]
fn descriptors() {
    assert_eq!((stdin().as_raw_fd(), stdout().as_raw_fd(), stderr().as_raw_fd()), (0, 1, 2));
    assert_eq!(stdout().as_fd().as_raw_fd(), 1);
}
