//! The traits' implementations for std's types and for wrappers.

use crate::io_support;

use std::io::{Cursor, IoSlice, SeekFrom};
use std::pin::Pin;

use io_support::{Script, now};
use wasio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite,
    AsyncWriteExt,
};

async fn all(reader: impl AsyncRead) -> Vec<u8> {
    let mut bytes = Vec::new();
    Box::pin(reader).read_to_end(&mut bytes).await.unwrap();
    bytes
}

#[test]
fn readers_of_memory() {
    let data: &[u8] = b"abc";
    assert_eq!(now(all(data)), b"abc");
    assert_eq!(now(all(&mut { data })), b"abc");
    assert_eq!(now(all(Box::new(data))), b"abc");
    assert_eq!(now(all(Pin::new(&mut { data }))), b"abc");
    assert_eq!(now(all(Cursor::new("abc"))), b"abc");
    assert_eq!(now(all(Box::new(data) as Box<dyn AsyncRead + Unpin>)), b"abc");
}

#[test]
fn a_cursor_behind_its_data_is_at_the_end() {
    let mut cursor = Cursor::new(b"abc");
    cursor.set_position(10);
    assert_eq!(now(cursor.read_to_end(&mut Vec::new())).unwrap(), 0);
    assert_eq!(cursor.position(), 10);
    assert!(now(cursor.fill_buf()).unwrap().is_empty());
}

#[test]
fn a_slice_is_read_in_parts() {
    let mut data: &[u8] = b"abcde";
    let mut two = [0; 2];
    assert_eq!(now(data.read(&mut two)).unwrap(), 2);
    assert_eq!((&two, data), (b"ab", &b"cde"[..]));
    Pin::new(&mut data).consume(1);
    assert_eq!(now(data.fill_buf()).unwrap(), b"de");
}

#[test]
fn writers_of_memory() {
    let mut vec = Vec::new();
    now(AsyncWriteExt::write_all(&mut &mut vec, b"ab")).unwrap();
    now(Box::new(&mut vec).write_all(b"cd")).unwrap();
    now(Pin::new(&mut vec).write_all(b"ef")).unwrap();
    assert_eq!(vec, b"abcdef");

    let mut cursor = Cursor::new(vec![0; 4]);
    now(cursor.seek(SeekFrom::End(-1))).unwrap();
    now(cursor.write_all(b"xyz")).unwrap();
    assert_eq!(cursor.into_inner(), b"\0\0\0xyz");

    let mut vec = b"12".to_vec();
    now(Cursor::new(&mut vec).write_all(b"3")).unwrap();
    assert_eq!(vec, b"32");
}

#[test]
fn a_slice_takes_no_more_than_fits() {
    let mut memory = [0; 3];
    assert_eq!(now(Cursor::new(&mut memory[..]).write(b"abcd")).unwrap(), 3);
    assert_eq!(&memory, b"abc");
    let mut cursor = Cursor::new(Box::<[u8]>::from([0; 1]));
    assert_eq!(now(cursor.write(b"x")).unwrap(), 1);
    assert_eq!(now(cursor.write(b"y")).unwrap(), 0);
}

#[test]
fn vectored_writes_reach_the_innermost_writer() {
    let parts = [IoSlice::new(b""), IoSlice::new(b"ab"), IoSlice::new(b"cd")];
    let mut vec = Vec::new();
    let mut outer = Box::new(&mut vec);
    assert!(outer.is_write_vectored());
    assert_eq!(now(outer.write_vectored(&parts)).unwrap(), 4);
    assert_eq!(vec, b"abcd");

    // The default writes the first part that is not empty.
    let mut plain = Script::default();
    assert!(!plain.is_write_vectored());
    assert_eq!(now(plain.write_vectored(&parts)).unwrap(), 2);
    assert_eq!(plain.written, b"ab");
}

#[test]
fn seeking_in_memory() {
    let mut cursor = Box::new(Cursor::new(b"abcde"));
    assert_eq!(now(cursor.seek(SeekFrom::Start(3))).unwrap(), 3);
    assert_eq!(now(cursor.seek(SeekFrom::Current(-1))).unwrap(), 2);
    assert_eq!(now(cursor.stream_position()).unwrap(), 2);
    assert_eq!(now(cursor.read_u8()).unwrap(), b'c');
    assert_eq!(now(cursor.rewind()).unwrap(), 0);
    assert!(now(cursor.seek(SeekFrom::Current(-1))).is_err());
    assert_eq!(now(cursor.stream_position()).unwrap(), 0);
    let dynamic: &mut (dyn AsyncSeek + Unpin) = &mut cursor;
    assert_eq!(now(dynamic.seek(SeekFrom::End(0))).unwrap(), 5);
}
