//! Numbers, in both byte orders and in pieces.

use crate::io_support;

use std::io::ErrorKind;

use io_support::Step::{Accept, Data, Fail, Pending};
use io_support::{Script, cancel, now};
use wasio::io::{AsyncReadExt, AsyncWriteExt};

macro_rules! round_trips {
    ($($read:ident $write:ident $to_bytes:ident $value:expr;)*) => {
        $({
            let value = $value;
            let mut bytes = Vec::new();
            now(bytes.$write(value)).unwrap();
            assert_eq!(bytes, value.$to_bytes(), stringify!($write));
            let mut reader = &bytes[..];
            assert_eq!(now(reader.$read()).unwrap(), value, stringify!($read));
            assert!(reader.is_empty());
            let error = now((&bytes[1..]).$read()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, stringify!($read));
        })*
    };
}

#[test]
fn every_type_round_trips() {
    round_trips! {
        read_u8 write_u8 to_be_bytes 0xfe_u8;
        read_i8 write_i8 to_be_bytes -2_i8;
        read_u16 write_u16 to_be_bytes 0xfedc_u16;
        read_i16 write_i16 to_be_bytes -300_i16;
        read_u32 write_u32 to_be_bytes 0xfedc_ba98_u32;
        read_i32 write_i32 to_be_bytes -70_000_i32;
        read_u64 write_u64 to_be_bytes 0xfedc_ba98_7654_3210_u64;
        read_i64 write_i64 to_be_bytes i64::MIN + 1;
        read_u128 write_u128 to_be_bytes u128::MAX - 7;
        read_i128 write_i128 to_be_bytes i128::MIN + 7;
        read_f32 write_f32 to_be_bytes -1.5_f32;
        read_f64 write_f64 to_be_bytes 1e300_f64;
        read_u16_le write_u16_le to_le_bytes 0xfedc_u16;
        read_i16_le write_i16_le to_le_bytes -300_i16;
        read_u32_le write_u32_le to_le_bytes 0xfedc_ba98_u32;
        read_i32_le write_i32_le to_le_bytes -70_000_i32;
        read_u64_le write_u64_le to_le_bytes 0xfedc_ba98_7654_3210_u64;
        read_i64_le write_i64_le to_le_bytes i64::MIN + 1;
        read_u128_le write_u128_le to_le_bytes u128::MAX - 7;
        read_i128_le write_i128_le to_le_bytes i128::MIN + 7;
        read_f32_le write_f32_le to_le_bytes -1.5_f32;
        read_f64_le write_f64_le to_le_bytes 1e300_f64;
    }
}

#[wasio::test]
async fn in_pieces() {
    let mut reader = Script::reads([
        Data(b"\x01"),
        Pending,
        Fail(ErrorKind::Interrupted),
        Data(b"\x02\x03\x04\x05"),
    ]);
    assert_eq!(reader.read_u32().await.unwrap(), 0x0102_0304);
    assert_eq!(reader.read_u8().await.unwrap(), 5);

    let mut writer =
        Script::writes([Accept(1), Pending, Fail(ErrorKind::Interrupted), Accept(2), Accept(1)]);
    writer.write_u32(0x0102_0304).await.unwrap();
    assert_eq!(writer.written, [1, 2, 3, 4]);
}

#[wasio::test]
async fn a_writer_that_takes_no_more() {
    let mut writer = Script::writes([Accept(1), Accept(0)]);
    assert_eq!(writer.write_u16(1).await.unwrap_err().kind(), ErrorKind::WriteZero);
}

#[test]
fn a_cancelled_byte_is_not_lost() {
    let mut reader = Script::reads([Pending, Data(b"x")]);
    cancel(reader.read_u8());
    assert_eq!(now(reader.read_u8()).unwrap(), b'x');
    let mut writer = Script::writes([Pending]);
    cancel(writer.write_i8(-1));
    assert!(writer.written.is_empty());
}
