//! `duplex`, `simplex`, `split` and `join`.

use crate::io_support;

use std::io::{ErrorKind, IoSlice};

use io_support::{cancel, now};
use wasio::io::{
    AsyncReadExt, AsyncWrite, AsyncWriteExt, SimplexStream, duplex, empty, join, simplex, sink,
    split,
};

#[wasio::test]
async fn writing_waits_for_reading() {
    let (mut a, mut b) = duplex(4);
    assert_eq!(a.write(b"abcdef").await.unwrap(), 4);
    cancel(a.write(b"ef"));
    let writer = wasio::spawn(async move {
        a.write_all(b"efgh").await.unwrap();
        a
    });
    let mut buf = [0; 8];
    b.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"abcdefgh");
    // The cancelled write left no bytes.
    let _a = writer.await.unwrap();
    cancel(b.read(&mut buf));
}

#[wasio::test]
async fn a_dropped_end() {
    let (mut a, mut b) = duplex(16);
    a.write_all(b"left").await.unwrap();
    drop(a);
    let mut left = String::new();
    b.read_to_string(&mut left).await.unwrap();
    assert_eq!(left, "left");
    assert_eq!(b.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[wasio::test]
async fn a_dropped_end_wakes_the_other() {
    let (a, mut b) = duplex(1);
    let reader = wasio::spawn(async move { b.read(&mut [0; 1]).await });
    wasio::task::yield_now().await;
    drop(a);
    assert_eq!(reader.await.unwrap().unwrap(), 0);

    let (mut a, b) = duplex(1);
    let writer = wasio::spawn(async move { a.write_all(b"abc").await });
    wasio::task::yield_now().await;
    drop(b);
    assert_eq!(writer.await.unwrap().unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[wasio::test]
async fn shutdown_ends_one_direction() {
    let (mut a, mut b) = duplex(16);
    a.shutdown().await.unwrap();
    assert_eq!(b.read(&mut [0; 1]).await.unwrap(), 0);
    assert_eq!(a.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    b.write_all(b"y").await.unwrap();
    assert_eq!(a.read_u8().await.unwrap(), b'y');
}

#[wasio::test]
async fn vectored_and_empty_writes() {
    let (mut a, mut b) = duplex(3);
    let parts = [&b"ab"[..], b"", b"cd"].map(IoSlice::new);
    assert!(a.is_write_vectored());
    assert_eq!(a.write_vectored(&parts).await.unwrap(), 3);
    assert_eq!(a.write(b"").await.unwrap(), 0);
    let mut buf = [0; 3];
    b.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"abc");
    assert_eq!(b.read(&mut []).await.unwrap(), 0);
}

#[wasio::test]
async fn simplex_goes_one_way() {
    let (mut reader, mut writer) = simplex(2);
    let writing = wasio::spawn(async move {
        writer.write_all(b"abcde").await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let mut all = Vec::new();
    reader.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"abcde");
    writing.await.unwrap();

    let mut whole = SimplexStream::new_unsplit(8);
    whole.write_all(b"xy").await.unwrap();
    assert_eq!(whole.read_u16().await.unwrap(), 0x7879);
    cancel(whole.read_u8());
}

#[wasio::test]
async fn halves_belong_together() {
    let (a, mut b) = duplex(16);
    let (mut reader, mut writer) = split(a);
    let (_, other) = split(empty());
    assert!(writer.is_write_vectored());
    assert!(reader.is_pair_of(&writer) && writer.is_pair_of(&reader));
    let (reader2, writer2) = split(empty());
    assert!(!reader2.is_pair_of(&other) && reader2.is_pair_of(&writer2));

    writer.write_all(b"out").await.unwrap();
    b.write_all(b"in").await.unwrap();
    assert_eq!(reader.read_u16().await.unwrap(), u16::from_be_bytes(*b"in"));
    // The stream lives as long as either half.
    drop(writer);
    let mut out = [0; 3];
    b.read_exact(&mut out).await.unwrap();
    cancel(b.read(&mut out));
    drop(reader);
    assert_eq!(b.read(&mut out).await.unwrap(), 0);
}

#[wasio::test]
async fn halves_become_one_again() {
    let (a, mut b) = duplex(16);
    let (reader, mut writer) = split(a);
    writer.write_all(b"x").await.unwrap();
    let mut a = reader.unsplit(writer);
    a.write_all(b"y").await.unwrap();
    assert_eq!(b.read_u16().await.unwrap(), 0x7879);
}

#[test]
fn join_reads_here_and_writes_there() {
    let mut stream = join(&b"abc"[..], Vec::new());
    assert_eq!(now(stream.read_u8()).unwrap(), b'a');
    now(stream.write_all(b"xyz")).unwrap();
    assert_eq!((*stream.reader(), &stream.writer()[..]), (&b"bc"[..], &b"xyz"[..]));
    stream.writer_mut().clear();
    *stream.reader_mut() = b"new";
    assert_eq!(stream.into_inner(), (&b"new"[..], vec![]));
    now(join(empty(), sink()).write_all(b"gone")).unwrap();
}
