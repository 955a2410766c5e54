//! Name lookup through WasmEdge's `sock_getaddrinfo`.
//!
//! The import fills a list that the guest has laid out: as many entries as there is room for, each with room for an
//! address. It blocks the guest.
#![allow(unsafe_code)] // An import.

use std::io;
use std::net::SocketAddr;
use std::ptr;

use super::address::ip;
use super::imports::check;

/// The maximum number of answers. A host drops the others.
const ANSWERS: usize = 16;
/// The kernel's largest address without its family.
const DATA: usize = 26;

const TYPE_STREAM: u8 = 2;
const INET4: u8 = 1;
const INET6: u8 = 2;
const EAI_ADDRFAMILY: u32 = 77;
const EAI_AGAIN: u32 = 78;
const EAI_NODATA: u32 = 83;
const EAI_NONAME: u32 = 84;
/// The first and last of WasmEdge's numbers for the errors of `getaddrinfo`.
const EAI: std::ops::RangeInclusive<u32> = 77..=87;

#[repr(C)]
struct Sockaddr {
    family: u8,
    len: u32,
    data: *mut u8,
}

#[repr(C)]
struct Addrinfo {
    flags: u16,
    family: u8,
    kind: u8,
    protocol: u32,
    addr_len: u32,
    addr: *mut Sockaddr,
    canonical: *mut u8,
    canonical_len: u32,
    next: *mut Addrinfo,
}

const _: () = assert!(size_of::<Sockaddr>() == 12 && size_of::<Addrinfo>() == 28);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn sock_getaddrinfo(
        node: *const u8,
        node_len: usize,
        service: *const u8,
        service_len: usize,
        hints: *const Addrinfo,
        results: *const *mut Addrinfo,
        max: usize,
        count: *mut usize,
    ) -> u32;
}

fn addrinfo(addr: *mut Sockaddr, next: *mut Addrinfo) -> Addrinfo {
    Addrinfo {
        flags: 0,
        family: 0,
        // One answer per address, instead of one for each type of socket.
        kind: TYPE_STREAM,
        protocol: 0,
        addr_len: 0,
        addr,
        canonical: ptr::null_mut(),
        canonical_len: 0,
        next,
    }
}

/// Asks the host, which blocks the guest until it answers.
pub(crate) async fn lookup(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    ask(name, port)
}

fn ask(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if name.contains('\0') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a name with a zero byte"));
    }
    // SIZE: not `CString`, which links the formatting of its error.
    let node = [name.as_bytes(), &[0]].concat();
    let service = [port.to_string().as_bytes(), &[0]].concat();

    let mut data = [[0u8; DATA]; ANSWERS];
    let mut addrs: Vec<Sockaddr> = data
        .iter_mut()
        .map(|data| Sockaddr { family: 0, len: DATA as u32, data: data.as_mut_ptr() })
        .collect();
    let mut list: Vec<Addrinfo> =
        addrs.iter_mut().map(|addr| addrinfo(addr, ptr::null_mut())).collect();
    let first = list.as_mut_ptr();
    for i in 0..ANSWERS - 1 {
        // SAFETY: both elements are in the list, which does not move any more. All links come from one pointer, which
        // stays the only access to the list during the call.
        unsafe { (*first.add(i)).next = first.add(i + 1) };
    }
    let hints = addrinfo(ptr::null_mut(), ptr::null_mut());
    let mut count = 0;
    // SAFETY: the list has `ANSWERS` elements, each with an address that has room for `DATA` bytes. The texts end with
    // a zero that their lengths count. All of it lives until the end of this function.
    let errno = unsafe {
        sock_getaddrinfo(
            node.as_ptr(),
            node.len(),
            service.as_ptr(),
            service.len(),
            &hints,
            &first,
            ANSWERS,
            &mut count,
        )
    };
    if EAI.contains(&errno) {
        return Err(unknown(errno));
    }
    check(errno)?;
    drop(list);
    let found = addrs.iter().zip(&data).take(count);
    let found: Vec<_> = found
        .filter_map(|(addr, data)| match addr.family {
            INET4 => Some(SocketAddr::new(ip(&data[2..6]), port)),
            INET6 => Some(SocketAddr::new(ip(&data[6..22]), port)),
            _ => None,
        })
        .collect();
    if found.is_empty() { Err(unknown(EAI_NODATA)) } else { Ok(found) }
}

fn unknown(errno: u32) -> io::Error {
    let (kind, text) = match errno {
        EAI_AGAIN => (io::ErrorKind::Other, "the name server does not answer; try again later"),
        EAI_ADDRFAMILY | EAI_NODATA => (io::ErrorKind::NotFound, "the name has no address"),
        EAI_NONAME => (io::ErrorKind::NotFound, "the name is not known"),
        _ => (io::ErrorKind::Other, "the name cannot be looked up"),
    };
    io::Error::new(kind, text)
}
