//! `ReadBuf`: which bytes are filled, which are initialised, and which calls panic.

use crate::io_support;

use std::mem::MaybeUninit;

use bytes::BufMut;
use io_support::now;
use wasio::io::{AsyncReadExt, ReadBuf};

#[test]
fn over_uninitialised_memory() {
    let mut memory = [MaybeUninit::<u8>::uninit(); 8];
    let mut buf = ReadBuf::uninit(&mut memory);
    assert_eq!((buf.capacity(), buf.remaining(), buf.filled().len()), (8, 8, 0));
    buf.put_slice(b"ab");
    assert_eq!((buf.filled(), buf.initialized().len(), buf.remaining()), (&b"ab"[..], 2, 6));

    // Clears as much as is needed, and only bytes that were not initialised.
    buf.initialize_unfilled_to(2).copy_from_slice(b"cd");
    assert_eq!(buf.initialized(), b"abcd");
    assert_eq!(buf.initialize_unfilled_to(3), b"cd\0");
    buf.advance(3);
    assert_eq!(buf.filled(), b"abcd\0");
    assert_eq!(buf.initialize_unfilled().len(), 3);
    assert_eq!(buf.initialized().len(), 8);

    buf.filled_mut()[0] = b'x';
    buf.initialized_mut()[7] = b'y';
    buf.set_filled(8);
    assert_eq!(buf.filled(), b"xbcd\0\0\0y");
    buf.clear();
    assert_eq!((buf.filled().len(), buf.initialized().len(), buf.remaining()), (0, 8, 8));
    assert_eq!(format!("{buf:?}"), "ReadBuf { filled: 0, initialized: 8, capacity: 8 }");
}

#[test]
fn over_initialised_memory() {
    let mut memory = *b"12345";
    let mut buf = ReadBuf::new(&mut memory);
    assert_eq!(buf.initialized(), b"12345");
    buf.advance(2);
    assert_eq!(buf.initialize_unfilled(), b"345");
    buf.put_slice(b"x");
    assert_eq!(buf.filled(), b"12x");
}

#[test]
fn a_part_of_it() {
    let mut memory = [0; 6];
    let mut buf = ReadBuf::new(&mut memory);
    buf.put_slice(b"a");
    let mut part = buf.take(2);
    assert_eq!((part.capacity(), part.initialized().len()), (2, 0));
    part.put_slice(b"bc");
    assert_eq!(buf.filled(), b"a");
    buf.advance(2);
    assert_eq!(buf.filled(), b"abc");
    assert_eq!(buf.take(100).capacity(), 3);
}

#[test]
fn as_a_buf_mut() {
    let mut memory = [MaybeUninit::uninit(); 5];
    let mut buf = ReadBuf::uninit(&mut memory);
    buf.put_u16(0x6162);
    buf.put_bytes(b'-', 2);
    assert_eq!((buf.filled(), buf.remaining_mut()), (&b"ab--"[..], 1));

    let mut data: &[u8] = b"12";
    assert_eq!(now(data.read_buf(&mut buf)).unwrap(), 1);
    assert_eq!(buf.filled(), b"ab--1");
    assert_eq!(now(data.read_buf(&mut buf)).unwrap(), 0);
}

#[cfg(not(target_family = "wasm"))] // A panic ends the guest.
#[test]
fn misuse_panics() {
    fn panics(f: impl FnOnce(&mut ReadBuf<'_>)) -> bool {
        let mut memory = [MaybeUninit::uninit(); 4];
        let mut buf = ReadBuf::uninit(&mut memory);
        buf.put_slice(b"ab");
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(&mut buf))).is_err()
    }
    assert!(panics(|buf| buf.put_slice(b"abc")));
    assert!(panics(|buf| buf.advance(1)));
    assert!(panics(|buf| buf.advance(usize::MAX)));
    assert!(panics(|buf| buf.set_filled(3)));
    assert!(panics(|buf| buf.initialize_unfilled_to(3).fill(0)));
    assert!(!panics(|buf| buf.initialize_unfilled_to(2).fill(0)));
}
