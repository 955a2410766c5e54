//! Cancel safety of `io`: each operation is polled once and dropped, and loses no more than it documents.

use crate::io_support;
use crate::sync_support;

use std::io::Cursor;

use io_support::{Script, Step};
use sync_support::probe;
use wasio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter, copy_buf, duplex, simplex,
};

#[wasio::test]
async fn read_and_read_buf() {
    let (mut near, mut far) = duplex(16);
    let mut buf = [0; 8];
    let mut read = probe(near.read(&mut buf));
    assert!(read.is_pending());
    far.write_all(b"one").await.unwrap();
    assert_eq!(read.wakes(), 1);
    drop(read);
    let mut bytes = Vec::with_capacity(8);
    assert_eq!(near.read_buf(&mut bytes).await.unwrap(), 3);
    assert_eq!(bytes, b"one");

    let mut read = probe(near.read_buf(&mut bytes));
    assert!(read.is_pending());
    drop(read);
    far.write_all(b"two").await.unwrap();
    assert_eq!(near.read(&mut buf).await.unwrap(), 3);
    assert_eq!((&buf[..3], &bytes[..]), (&b"two"[..], &b"one"[..]));
}

#[wasio::test]
async fn read_exact_has_taken_what_came() {
    // Not cancel safe, to this extent: the bytes are in the caller's buffer.
    let (mut near, mut far) = duplex(16);
    far.write_all(b"ab").await.unwrap();
    let mut buf = [0; 4];
    assert!(probe(near.read_exact(&mut buf)).is_pending());
    assert_eq!(&buf, b"ab\0\0");
    far.write_all(b"cd").await.unwrap();
    near.read_exact(&mut buf[2..]).await.unwrap();
    assert_eq!(&buf, b"abcd");
}

#[wasio::test]
async fn read_to_end_goes_on() {
    let (mut near, mut far) = duplex(16);
    far.write_all(b"begin").await.unwrap();
    let mut bytes = Vec::new();
    assert!(probe(near.read_to_end(&mut bytes)).is_pending());
    assert_eq!(bytes, b"begin");
    far.write_all(b" end").await.unwrap();
    drop(far);
    assert_eq!(near.read_to_end(&mut bytes).await.unwrap(), 4);
    assert_eq!(bytes, b"begin end");
}

#[wasio::test]
async fn write_and_write_vectored() {
    let (mut near, mut far) = duplex(2);
    near.write_all(b"ab").await.unwrap();
    let mut write = probe(near.write(b"cd"));
    assert!(write.is_pending());
    assert_eq!(far.read_u8().await.unwrap(), b'a');
    assert_eq!(write.wakes(), 1);
    drop(write);
    // Nothing was written.
    near.write_all(b"x").await.unwrap();
    assert!(probe(near.write_vectored(&[std::io::IoSlice::new(b"yz")])).is_pending());
    drop(near);
    let mut rest = Vec::new();
    far.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"bx");
}

#[wasio::test]
async fn write_all_buf_goes_on() {
    let (mut near, mut far) = duplex(2);
    let mut source = Cursor::new(b"abcd".to_vec());
    assert!(probe(near.write_all_buf(&mut source)).is_pending());
    assert_eq!(source.position(), 2);
    let reader = wasio::spawn(async move {
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.map(|_| all)
    });
    near.write_all_buf(&mut source).await.unwrap();
    drop(near);
    assert_eq!(reader.await.unwrap().unwrap(), b"abcd");
}

#[wasio::test]
async fn buffered_readers() {
    let (near, mut far) = duplex(64);
    let mut reader = BufReader::new(near);
    assert!(probe(reader.fill_buf()).is_pending());
    far.write_all(b"a line that").await.unwrap();
    let mut line = Vec::new();
    assert!(probe(reader.read_until(b'\n', &mut line)).is_pending());
    assert_eq!(line, b"a line that");
    far.write_all(b" ends\nlines").await.unwrap();
    reader.read_until(b'\n', &mut line).await.unwrap();
    assert_eq!(line, b"a line that ends\n");

    let mut lines = reader.lines();
    assert!(probe(lines.next_line()).is_pending());
    far.write_all(b" too\nof segments").await.unwrap();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("lines too"));

    let mut segments = lines.into_inner().split(b';');
    assert!(probe(segments.next_segment()).is_pending());
    far.write_all(b" too;").await.unwrap();
    assert_eq!(segments.next_segment().await.unwrap().as_deref(), Some(&b"of segments too"[..]));
}

#[wasio::test]
async fn flushing_goes_on() {
    let (near, mut far) = duplex(2);
    let mut writer = BufWriter::new(near);
    writer.write_all(b"abcd").await.unwrap();
    assert!(probe(writer.flush()).is_pending());
    let mut two = [0; 2];
    far.read_exact(&mut two).await.unwrap();
    writer.flush().await.unwrap();
    let mut rest = [0; 2];
    far.read_exact(&mut rest).await.unwrap();
    assert_eq!((&two, &rest), (b"ab", b"cd"));

    writer.write_all(b"ef").await.unwrap();
    let mut shutdown = probe(writer.shutdown());
    shutdown.ready().unwrap();
    let mut end = Vec::new();
    far.read_to_end(&mut end).await.unwrap();
    assert_eq!(end, b"ef");
}

#[wasio::test]
async fn copy_buf_goes_on() {
    let (mut near, mut far) = duplex(2);
    let mut reader = BufReader::new(&b"abcd"[..]);
    assert!(probe(copy_buf(&mut reader, &mut near)).is_pending());
    let mut two = [0; 2];
    far.read_exact(&mut two).await.unwrap();
    assert_eq!(copy_buf(&mut reader, &mut near).await.unwrap(), 2);
    drop(near);
    let mut rest = Vec::new();
    far.read_to_end(&mut rest).await.unwrap();
    assert_eq!((&two, &rest[..]), (b"ab", &b"cd"[..]));
}

#[wasio::test]
async fn a_simplex_pipe() {
    let (mut reader, mut writer) = simplex(4);
    let mut buf = [0; 4];
    assert!(probe(reader.read(&mut buf)).is_pending());
    writer.write_all(b"full").await.unwrap();
    assert!(probe(writer.write(b"more")).is_pending());
    reader.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"full");
    assert!(probe(reader.read(&mut buf)).is_pending());
}

#[wasio::test]
async fn numbers_and_strings_that_are_not_complete() {
    // Not cancel safe: the beginning is lost, and the target is unchanged.
    let mut script = Script::reads([Step::Data(b"\x01"), Step::Pending, Step::Data(b"\x02\x03")]);
    assert!(probe(script.read_u16()).is_pending());
    assert_eq!(script.read_u16().await.unwrap(), 0x0203);

    let mut text = String::from("kept");
    let mut script = Script::reads([Step::Data(b"lost"), Step::Pending]);
    assert!(probe(script.read_to_string(&mut text)).is_pending());
    assert_eq!(text, "kept");
}
