//! `read_to_end` and `read_to_string`.

use crate::io_support;

use std::io::ErrorKind;

use io_support::Step::{Data, Fail, Pending};
use io_support::{Script, cancel, now};
use wasio::io::{AsyncRead, AsyncReadExt, ReadBuf, repeat};

#[wasio::test]
async fn appends_everything() {
    let mut reader =
        Script::reads([Data(b"abc"), Pending, Fail(ErrorKind::Interrupted), Data(b"def")]);
    let mut all = b"-".to_vec();
    assert_eq!(reader.read_to_end(&mut all).await.unwrap(), 6);
    assert_eq!(all, b"-abcdef");
}

#[wasio::test]
async fn large_data() {
    let mut all = Vec::new();
    assert_eq!(repeat(7).take(1_000_003).read_to_end(&mut all).await.unwrap(), 1_000_003);
    assert!(all.len() == 1_000_003 && all.iter().all(|&b| b == 7));
}

#[wasio::test]
async fn a_vector_of_the_right_size_does_not_grow() {
    for len in [32, 33, 1000] {
        let mut all = Vec::with_capacity(len);
        let capacity = all.capacity();
        repeat(1).take(len as u64).read_to_end(&mut all).await.unwrap();
        assert_eq!((all.len(), all.capacity()), (len, capacity));
    }
}

/// A reader that clears its room before it fills it, as readers over std's do.
struct Clearing {
    left: usize,
    cleared: usize,
}

impl AsyncRead for Clearing {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let before = buf.initialized().len();
        buf.initialize_unfilled().fill(9);
        self.cleared += buf.initialized().len() - before;
        let n = self.left.min(1).min(buf.remaining());
        buf.advance(n);
        self.left -= n;
        std::task::Poll::Ready(Ok(()))
    }
}

#[wasio::test]
async fn spare_capacity_is_cleared_once() {
    let mut reader = Clearing { left: 1000, cleared: 0 };
    let mut all = Vec::with_capacity(4096);
    reader.read_to_end(&mut all).await.unwrap();
    assert_eq!((all.len(), reader.cleared), (1000, all.capacity()));
}

#[wasio::test]
async fn an_error_keeps_what_came_before() {
    let mut reader = Script::reads([Data(b"ab"), Fail(ErrorKind::ConnectionReset), Data(b"c")]);
    let mut all = Vec::new();
    let error = reader.read_to_end(&mut all).await.unwrap_err();
    assert_eq!((error.kind(), &all[..]), (ErrorKind::ConnectionReset, &b"ab"[..]));
    assert_eq!(reader.read_to_end(&mut all).await.unwrap(), 1);
    assert_eq!(all, b"abc");
}

#[test]
fn cancelling_keeps_what_came_before() {
    let mut reader = Script::reads([Data(b"ab"), Pending, Data(b"cd")]);
    let mut all = Vec::new();
    cancel(reader.read_to_end(&mut all));
    assert_eq!(all, b"ab");
    assert_eq!(now(reader.read_to_end(&mut all)).unwrap(), 2);
    assert_eq!(all, b"abcd");
}

#[wasio::test]
async fn a_string_is_appended_to() {
    // A character in two pieces.
    let mut reader = Script::reads([Data(b"h\xc3"), Pending, Data(b"\xa9!")]);
    let mut text = String::from("-");
    assert_eq!(reader.read_to_string(&mut text).await.unwrap(), 4);
    assert_eq!(text, "-hé!");
}

#[wasio::test]
async fn a_string_is_left_alone_by_what_fails() {
    let mut text = String::from("kept");
    let error = (&b"ab\xff"[..]).read_to_string(&mut text).await.unwrap_err();
    assert_eq!((error.kind(), &text[..]), (ErrorKind::InvalidData, "kept"));
    let mut reader = Script::reads([Data(b"ab"), Fail(ErrorKind::ConnectionReset)]);
    let error = reader.read_to_string(&mut text).await.unwrap_err();
    assert_eq!((error.kind(), &text[..]), (ErrorKind::ConnectionReset, "kept"));
    cancel(Script::reads([Data(b"ab"), Pending]).read_to_string(&mut text));
    assert_eq!(text, "kept");
}
