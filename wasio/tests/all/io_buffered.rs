//! `BufReader`, `BufWriter` and `BufStream`.

use crate::io_support;

use std::io::{Cursor, ErrorKind, IoSlice, SeekFrom};

use io_support::Step::{Accept, Data, Fail, Pending};
use io_support::{Script, cancel, now};
use wasio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt, BufReader, BufStream,
    BufWriter,
};

#[wasio::test]
async fn a_reader_reads_ahead() {
    let mut reader = BufReader::with_capacity(4, Script::reads([Data(b"abcdef"), Data(b"ghijkl")]));
    assert!(reader.buffer().is_empty());
    assert_eq!(reader.read_u8().await.unwrap(), b'a');
    assert_eq!(reader.buffer(), b"bcd");
    let mut buf = [0; 8];
    // A read returns the buffered bytes first, even if more is wanted. A large read then bypasses the buffer.
    assert_eq!(reader.read(&mut buf).await.unwrap(), 3);
    assert_eq!(reader.read(&mut buf).await.unwrap(), 2);
    assert_eq!(&buf[..2], b"ef");
    assert!(reader.buffer().is_empty());
    let debug = format!("{:?}", BufReader::new(&b"x"[..]));
    assert_eq!(debug, "BufReader { reader: [120], buffer: 0/8192 }");
}

#[test]
fn a_cancelled_fill_loses_nothing() {
    let mut reader = BufReader::new(Script::reads([Pending, Data(b"ab")]));
    cancel(reader.read(&mut [0; 1]));
    assert_eq!(now(reader.read_u16()).unwrap(), 0x6162);
}

#[wasio::test]
async fn a_seek_counts_from_where_the_reader_is() {
    let mut reader = BufReader::with_capacity(4, Cursor::new(b"0123456789".to_vec()));
    assert_eq!(reader.read_u8().await.unwrap(), b'0');
    assert_eq!(reader.stream_position().await.unwrap(), 1);
    assert!(reader.buffer().is_empty());
    assert_eq!(reader.read_u8().await.unwrap(), b'1');
    assert_eq!(reader.seek(SeekFrom::Current(3)).await.unwrap(), 5);
    assert_eq!(reader.read_u8().await.unwrap(), b'5');
    assert_eq!(
        reader.seek(SeekFrom::Current(i64::MIN)).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    assert_eq!(reader.seek(SeekFrom::End(-1)).await.unwrap(), 9);
    assert_eq!(reader.fill_buf().await.unwrap(), b"9");
}

#[wasio::test]
async fn a_writer_gathers() {
    let mut writer = BufWriter::with_capacity(4, Script::default());
    writer.write_all(b"ab").await.unwrap();
    writer.write_all(b"cd").await.unwrap();
    assert!(writer.get_ref().written.is_empty());
    writer.write_all(b"e").await.unwrap();
    assert_eq!((writer.buffer(), &writer.get_ref().written[..]), (&b"e"[..], &b"abcd"[..]));
    // A write as large as the buffer bypasses it, after the buffered bytes.
    writer.write_all(b"fghij").await.unwrap();
    assert_eq!((writer.buffer(), &writer.get_ref().written[..]), (&b""[..], &b"abcdefghij"[..]));
    writer.write_all(b"k").await.unwrap();
    writer.shutdown().await.unwrap();
    assert!(writer.get_ref().shut_down);
    assert_eq!(writer.into_inner().written, b"abcdefghijk");
}

#[test]
fn a_cancelled_flush_goes_on() {
    let script = Script::writes([Accept(2), Pending, Accept(1)]);
    let mut writer = BufWriter::new(script);
    now(writer.write_all(b"abcd")).unwrap();
    cancel(writer.flush());
    assert_eq!(writer.get_ref().written, b"ab");
    now(writer.flush()).unwrap();
    assert_eq!((&writer.get_ref().written[..], writer.get_ref().flushes), (&b"abcd"[..], 1));
}

#[wasio::test]
async fn a_failed_flush_keeps_what_was_not_written() {
    let mut writer = BufWriter::new(Script::writes([Accept(2), Fail(ErrorKind::Other), Accept(0)]));
    writer.write_all(b"abcd").await.unwrap();
    assert_eq!(writer.flush().await.unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(writer.buffer(), b"cd");
    assert_eq!(writer.flush().await.unwrap_err().kind(), ErrorKind::WriteZero);
    writer.flush().await.unwrap();
    assert_eq!(writer.get_ref().written, b"abcd");
}

#[wasio::test]
async fn vectored_writes_gather() {
    let parts = [b"", &b"ab"[..], b"c", b"defgh"].map(IoSlice::new);
    // The inner writer takes one part at a time, so as many parts as fit are buffered.
    let mut writer = BufWriter::with_capacity(4, Script::default());
    assert!(writer.is_write_vectored());
    assert_eq!(writer.write_vectored(&parts).await.unwrap(), 3);
    assert_eq!(writer.write_vectored(&parts[3..]).await.unwrap(), 5);
    assert_eq!(writer.get_ref().written, b"abcdefgh");
    assert_eq!(writer.write_vectored(&parts[..1]).await.unwrap(), 0);
    // The inner writer takes all parts, so they are passed on when they do not fit.
    let mut writer = BufWriter::with_capacity(4, Vec::new());
    writer.write_all(b"-").await.unwrap();
    assert_eq!(writer.write_vectored(&parts[..3]).await.unwrap(), 3);
    assert_eq!((writer.buffer(), writer.get_ref().len()), (&b"-abc"[..], 0));
    assert_eq!(writer.write_vectored(&parts).await.unwrap(), 8);
    assert_eq!(writer.get_ref(), b"-abcabcdefgh");
}

#[wasio::test]
async fn a_seek_writes_out_first() {
    let mut writer = BufWriter::new(Cursor::new(vec![0; 4]));
    writer.write_all(b"ab").await.unwrap();
    assert_eq!(writer.seek(SeekFrom::Current(1)).await.unwrap(), 3);
    writer.write_all(b"c").await.unwrap();
    writer.flush().await.unwrap();
    assert_eq!(writer.into_inner().into_inner(), b"ab\0c");
}

#[wasio::test]
async fn a_stream_buffers_both_ways() {
    let mut stream = BufStream::with_capacity(8, 8, Script::reads([Data(b"abcd")]));
    stream.write_all(b"xy").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'a');
    assert_eq!(stream.fill_buf().await.unwrap(), b"bcd");
    assert!(stream.get_ref().written.is_empty());
    stream.flush().await.unwrap();
    assert_eq!(stream.into_inner().written, b"xy");
}

#[wasio::test]
async fn a_stream_of_buffers_keeps_what_they_hold() {
    let mut reader = BufReader::new(Script::reads([Data(b"abcd")]));
    reader.read_u8().await.unwrap();
    let mut writer = BufWriter::new(reader);
    writer.write_all(b"xy").await.unwrap();
    let mut stream = BufStream::from(writer);
    assert_eq!(stream.read_u8().await.unwrap(), b'b');
    stream.shutdown().await.unwrap();
    assert_eq!(stream.get_ref().written, b"xy");
}
