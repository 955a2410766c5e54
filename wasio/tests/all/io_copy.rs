//! `copy`, `copy_buf`, `copy_bidirectional`.

use crate::io_support;

use std::io::ErrorKind;

use io_support::Step::{Accept, Data, Fail, Pending};
use io_support::{Script, cancel, now};
use wasio::io::{
    AsyncReadExt, AsyncWriteExt, BufReader, copy, copy_bidirectional,
    copy_bidirectional_with_sizes, copy_buf, duplex, repeat, sink,
};

#[wasio::test]
async fn copies_everything_and_flushes() {
    let mut reader = Script::reads([Data(b"ab"), Fail(ErrorKind::Interrupted), Data(b"cd")]);
    let mut writer = Script::writes([Accept(1), Fail(ErrorKind::Interrupted)]);
    assert_eq!(copy(&mut reader, &mut writer).await.unwrap(), 4);
    assert_eq!((&writer.written[..], writer.flushes), (&b"abcd"[..], 1));

    let n = copy(&mut repeat(1).take(100_000), &mut sink()).await.unwrap();
    assert_eq!(n, 100_000);
}

#[wasio::test]
async fn flushes_when_the_reader_has_to_wait() {
    let mut reader = Script::reads([Data(b"ab"), Pending, Pending, Data(b"c")]);
    let mut writer = Script::default();
    assert_eq!(copy(&mut reader, &mut writer).await.unwrap(), 3);
    // Once for the first wait, not again at the second, and once at the end.
    assert_eq!(writer.flushes, 2);

    let mut reader = BufReader::new(Script::reads([Data(b"ab"), Pending, Pending, Data(b"c")]));
    let mut writer = Script::default();
    assert_eq!(copy_buf(&mut reader, &mut writer).await.unwrap(), 3);
    assert_eq!((&writer.written[..], writer.flushes), (&b"abc"[..], 2));
}

#[wasio::test]
async fn reads_ahead_while_the_writer_waits() {
    let mut reader = Script::reads([Data(b"ab"), Data(b"cd"), Data(b"ef")]);
    let mut writer = Script::writes([Pending]);
    assert_eq!(copy(&mut reader, &mut writer).await.unwrap(), 6);
    assert_eq!(writer.written, b"abcdef");
}

#[wasio::test]
async fn errors_end_it() {
    let mut reader = Script::reads([Data(b"ab"), Fail(ErrorKind::ConnectionReset)]);
    let mut writer = Script::default();
    let error = copy(&mut reader, &mut writer).await.unwrap_err();
    assert_eq!((error.kind(), &writer.written[..]), (ErrorKind::ConnectionReset, &b"ab"[..]));

    let mut writer = Script::writes([Accept(0)]);
    let error = copy(&mut &b"ab"[..], &mut writer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WriteZero);
    let mut writer = Script::writes([Accept(0)]);
    let error = copy_buf(&mut &b"ab"[..], &mut writer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WriteZero);
}

#[test]
fn a_cancelled_copy_buf_loses_nothing() {
    let mut reader = BufReader::new(Script::reads([Data(b"abcd")]));
    let mut writer = Script::writes([Accept(1), Pending]);
    cancel(copy_buf(&mut reader, &mut writer));
    assert_eq!(now(copy_buf(&mut reader, &mut writer)).unwrap(), 3);
    assert_eq!(writer.written, b"abcd");
}

#[wasio::test]
async fn both_directions_until_both_end() {
    let (mut client, mut a) = duplex(16);
    let (mut b, mut server) = duplex(16);
    let proxy = wasio::spawn(async move { copy_bidirectional(&mut a, &mut b).await });

    client.write_all(b"request").await.unwrap();
    client.shutdown().await.unwrap();
    let mut request = String::new();
    // The end is passed on, and the other direction stays open.
    server.read_to_string(&mut request).await.unwrap();
    assert_eq!(request, "request");
    server.write_all(b"the answer").await.unwrap();
    drop(server);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "the answer");
    assert_eq!(proxy.await.unwrap().unwrap(), (7, 10));
}

#[wasio::test]
async fn an_error_of_one_direction_ends_both() {
    let (_open, mut a) = duplex(16);
    let mut b = Script::reads([Fail(ErrorKind::ConnectionReset)]);
    let error = copy_bidirectional_with_sizes(&mut a, &mut b, 1, 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}
