//! `write`, `write_all`, `write_buf`, `write_all_buf`, `flush` and `shutdown`.

use crate::io_support;

use std::io::ErrorKind;

use bytes::{Buf, Bytes};
use io_support::Step::{Accept, Fail, Pending};
use io_support::{Script, cancel, now};
use wasio::io::AsyncWriteExt;

#[wasio::test]
async fn write_all_goes_on() {
    let mut writer = Script::writes([Accept(2), Pending, Fail(ErrorKind::Interrupted), Accept(1)]);
    writer.write_all(b"abcdef").await.unwrap();
    assert_eq!(writer.written, b"abcdef");
    writer.write_all(b"").await.unwrap();

    let mut writer = Script::writes([Accept(2), Accept(0)]);
    assert_eq!(writer.write_all(b"abc").await.unwrap_err().kind(), ErrorKind::WriteZero);
    assert_eq!(writer.write(b"c").await.unwrap(), 1);
}

#[test]
fn a_cancelled_write_has_written_nothing() {
    let mut writer = Script::writes([Pending, Pending]);
    let mut data = Bytes::from_static(b"abc");
    cancel(writer.write(b"abc"));
    cancel(writer.write_buf(&mut data));
    assert!(writer.written.is_empty());
    assert_eq!(now(writer.write_buf(&mut data)).unwrap(), 3);
    assert!(data.is_empty());
}

#[test]
fn a_cancelled_write_all_buf_goes_on() {
    let mut writer = Script::writes([Accept(2), Pending, Accept(1)]);
    let mut data = Bytes::from_static(b"abcdef");
    cancel(writer.write_all_buf(&mut data));
    assert_eq!(&data[..], b"cdef");
    now(writer.write_all_buf(&mut data)).unwrap();
    assert_eq!(writer.written, b"abcdef");
}

#[wasio::test]
async fn parts_of_a_buffer_are_written_together() {
    let mut chained = Bytes::from_static(b"ab").chain(Bytes::from_static(b"cd"));
    let mut vec = Vec::new();
    assert_eq!(vec.write_buf(&mut chained).await.unwrap(), 4);
    let mut chained = Bytes::from_static(b"ab").chain(Bytes::from_static(b"cd"));
    let mut plain = Script::default();
    assert_eq!(plain.write_buf(&mut chained).await.unwrap(), 2);
    plain.write_all_buf(&mut chained).await.unwrap();
    assert_eq!((&vec[..], &plain.written[..]), (&b"abcd"[..], &b"abcd"[..]));
    assert_eq!(plain.write_buf(&mut chained).await.unwrap(), 0);
    let mut writer = Script::writes([Accept(0)]);
    let error = writer.write_all_buf(&mut &b"x"[..]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WriteZero);
}

#[wasio::test]
async fn flush_and_shutdown_reach_the_writer() {
    let mut writer = Script::default();
    writer.flush().await.unwrap();
    writer.shutdown().await.unwrap();
    assert!(writer.flushes == 1 && writer.shut_down);
}
