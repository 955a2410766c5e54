//! `read`, `read_buf`, `read_exact`, `take` and `chain`.

use crate::io_support;

use std::io::ErrorKind;

use bytes::{BufMut, BytesMut};
use io_support::Step::{Data, Fail, Pending};
use io_support::{Script, cancel, now};
use wasio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

#[wasio::test]
async fn read_gives_what_is_there() {
    let mut reader = Script::reads([Data(b"abc"), Pending, Data(b"d")]);
    let mut buf = [0; 2];
    assert_eq!(reader.read(&mut buf).await.unwrap(), 2);
    assert_eq!(reader.read(&mut buf).await.unwrap(), 1);
    assert_eq!(&buf, b"cb");
    assert_eq!(reader.read(&mut buf).await.unwrap(), 1);
    assert_eq!(reader.read(&mut buf).await.unwrap(), 0);
}

#[test]
fn a_cancelled_read_has_read_nothing() {
    let mut reader = Script::reads([Pending, Data(b"ab"), Pending, Data(b"cd")]);
    let mut buf = [0; 4];
    cancel(reader.read(&mut buf));
    assert_eq!(now(reader.read(&mut buf)).unwrap(), 2);
    let mut bytes = BytesMut::new();
    cancel(reader.read_buf(&mut bytes));
    assert!(bytes.is_empty());
    assert_eq!(now(reader.read_buf(&mut bytes)).unwrap(), 2);
    assert_eq!((&buf[..2], &bytes[..]), (&b"ab"[..], &b"cd"[..]));
}

#[wasio::test]
async fn read_buf_appends() {
    let mut reader = Script::reads([Data(b"abc"), Data(b"defg")]);
    let mut vec = b"-".to_vec();
    assert_eq!(reader.read_buf(&mut vec).await.unwrap(), 3);
    // A limited buffer receives no more than fits.
    assert_eq!(reader.read_buf(&mut (&mut vec).limit(2)).await.unwrap(), 2);
    assert_eq!(vec, b"-abcde");
    assert_eq!(reader.read_buf(&mut (&mut vec).limit(0)).await.unwrap(), 0);
    assert_eq!(reader.read_buf(&mut vec).await.unwrap(), 2);
}

#[wasio::test]
async fn read_exact_goes_on_until_full() {
    let mut reader =
        Script::reads([Data(b"ab"), Pending, Fail(ErrorKind::Interrupted), Data(b"cde")]);
    let mut buf = [0; 4];
    assert_eq!(reader.read_exact(&mut buf).await.unwrap(), 4);
    assert_eq!(&buf, b"abcd");
    assert_eq!(reader.read_exact(&mut []).await.unwrap(), 0);
    let error = reader.read_exact(&mut buf).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[wasio::test]
async fn errors_come_through() {
    let mut reader = Script::reads([Fail(ErrorKind::ConnectionReset), Data(b"x")]);
    let error = reader.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(reader.read_u8().await.unwrap(), b'x');
}

#[wasio::test]
async fn take_ends_at_its_limit() {
    let mut taken = Script::reads([Data(b"abcdef"), Data(b"gh")]).take(7);
    assert_eq!(taken.limit(), 7);
    assert_eq!(taken.read(&mut [0; 2]).await.unwrap(), 2);
    assert_eq!(taken.limit(), 5);
    let mut rest = Vec::new();
    assert_eq!(taken.read_to_end(&mut rest).await.unwrap(), 5);
    assert_eq!(rest, b"cdefg");
    taken.set_limit(10);
    assert_eq!(taken.read_u8().await.unwrap(), b'h');
    assert!(taken.into_inner().reads.is_empty());

    let mut taken = BufReader::new(&b"abcdef"[..]).take(4);
    assert_eq!(taken.fill_buf().await.unwrap(), b"abcd");
    taken.consume(3);
    assert_eq!(taken.fill_buf().await.unwrap(), b"d");
    taken.consume(3);
    assert_eq!(taken.limit(), 0);
    assert!(taken.fill_buf().await.unwrap().is_empty());
    assert_eq!(taken.get_mut().read_u8().await.unwrap(), b'e');
}

#[test]
fn a_cancelled_take_keeps_its_limit() {
    let mut taken = Script::reads([Pending, Data(b"abc")]).take(2);
    cancel(taken.read(&mut [0; 9]));
    assert_eq!(taken.limit(), 2);
    assert_eq!(now(taken.read(&mut [0; 9])).unwrap(), 2);
}

#[wasio::test]
async fn chain_reads_one_after_the_other() {
    let first = Script::reads([Data(b"ab"), Pending, Data(b"c")]);
    let mut chain = first.chain(&b"de"[..]);
    // A read of 0 bytes into a full buffer is not the end of the first reader.
    assert_eq!(chain.read(&mut []).await.unwrap(), 0);
    let mut all = String::new();
    assert_eq!(chain.read_to_string(&mut all).await.unwrap(), 5);
    assert_eq!(all, "abcde");

    let mut chain = b"one\ntw".chain(&b"o\nthree"[..]).lines();
    let mut lines = Vec::new();
    while let Some(line) = chain.next_line().await.unwrap() {
        lines.push(line);
    }
    assert_eq!(lines, ["one", "two", "three"]);
    let (first, second) = chain.into_inner().into_inner();
    assert!(first.is_empty() && second.is_empty());
}
