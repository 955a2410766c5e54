//! `read_until`, `read_line`, `fill_buf`, `lines` and `split`.

use crate::io_support;

use std::io::ErrorKind;

use io_support::Step::{self, Data, Fail, Pending};
use io_support::{Script, cancel, now};
use wasio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

fn buffered(steps: impl IntoIterator<Item = Step>) -> BufReader<Script> {
    BufReader::new(Script::reads(steps))
}

#[wasio::test]
async fn read_until_stops_behind_the_delimiter() {
    let mut reader = buffered([Data(b"ab"), Pending, Data(b"c,d,"), Data(b"e")]);
    let mut buf = Vec::new();
    assert_eq!(reader.read_until(b',', &mut buf).await.unwrap(), 4);
    assert_eq!(reader.read_until(b',', &mut buf).await.unwrap(), 2);
    assert_eq!(buf, b"abc,d,");
    // The end without a delimiter. Data that happens to end with one is not affected.
    assert_eq!(reader.read_until(b',', &mut buf).await.unwrap(), 1);
    assert_eq!(reader.read_until(b',', &mut buf).await.unwrap(), 0);
    assert_eq!(buf, b"abc,d,e");
}

#[test]
fn a_cancelled_read_until_goes_on() {
    let mut reader = buffered([Data(b"ab"), Pending, Data(b"c,d")]);
    let mut buf = Vec::new();
    cancel(reader.read_until(b',', &mut buf));
    assert_eq!(buf, b"ab");
    assert_eq!(now(reader.read_until(b',', &mut buf)).unwrap(), 2);
    assert_eq!(buf, b"abc,");
}

#[wasio::test]
async fn read_line_keeps_the_line_feed() {
    let mut reader = buffered([Data(b"h\xc3"), Pending, Data(b"\xa9\r\nlast")]);
    let mut line = String::from("> ");
    assert_eq!(reader.read_line(&mut line).await.unwrap(), 5);
    assert_eq!(line, "> hé\r\n");
    line.clear();
    assert_eq!(reader.read_line(&mut line).await.unwrap(), 4);
    assert_eq!(reader.read_line(&mut line).await.unwrap(), 0);
    assert_eq!(line, "last");
}

#[wasio::test]
async fn read_line_leaves_the_string_alone_when_it_fails() {
    let mut reader = buffered([Data(b"\xff\nok\n"), Fail(ErrorKind::ConnectionReset)]);
    let mut line = String::from("kept");
    let error = reader.read_line(&mut line).await.unwrap_err();
    assert_eq!((error.kind(), &line[..]), (ErrorKind::InvalidData, "kept"));
    assert_eq!(reader.read_line(&mut line).await.unwrap(), 3);
    let error = reader.read_line(&mut line).await.unwrap_err();
    assert_eq!((error.kind(), &line[..]), (ErrorKind::ConnectionReset, "keptok\n"));
    cancel(buffered([Data(b"x"), Pending]).read_line(&mut line));
    assert_eq!(line, "keptok\n");
}

#[wasio::test]
async fn lines_have_no_line_feeds() {
    let reader = buffered([Data(b"one\n\ntw"), Pending, Data(b"o\r\n\xff\nthr\ree")]);
    let mut lines = reader.lines();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "one");
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "");
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "two");
    assert_eq!(lines.next_line().await.unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "thr\ree");
    assert!(lines.next_line().await.unwrap().is_none());
}

#[test]
fn a_cancelled_line_is_not_lost() {
    let mut lines = buffered([Data(b"on"), Pending, Data(b"e"), Pending, Data(b"\n")]).lines();
    cancel(lines.next_line());
    cancel(lines.next_line());
    assert_eq!(now(lines.next_line()).unwrap().unwrap(), "one");

    let mut parts = buffered([Data(b"on"), Pending, Data(b"e,two")]).split(b',');
    cancel(parts.next_segment());
    assert_eq!(now(parts.next_segment()).unwrap().unwrap(), b"one");
    assert_eq!(now(parts.next_segment()).unwrap().unwrap(), b"two");
}

#[wasio::test]
async fn split_gives_what_is_between() {
    let mut parts = buffered([Data(b",a,,b\xff"), Pending, Data(b",")]).split(b',');
    let mut all = Vec::new();
    while let Some(part) = parts.next_segment().await.unwrap() {
        all.push(part);
    }
    assert_eq!(all, [&b""[..], b"a", b"", b"b\xff"]);
}

#[wasio::test]
async fn fill_buf_shows_without_taking() {
    let mut reader = buffered([Pending, Data(b"ab"), Fail(ErrorKind::ConnectionReset)]);
    cancel(reader.fill_buf());
    assert_eq!(reader.fill_buf().await.unwrap(), b"ab");
    reader.consume(1);
    assert_eq!(reader.fill_buf().await.unwrap(), b"b");
    assert_eq!(reader.read_u8().await.unwrap(), b'b');
    assert_eq!(reader.fill_buf().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(reader.fill_buf().await.unwrap().is_empty());
}
