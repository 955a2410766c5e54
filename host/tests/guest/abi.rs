//! The imports as the guest sees them, thinly wrapped.

#![allow(dead_code)]

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn sock_open(family: i32, kind: i32, fd: *mut i32) -> i32;
    fn sock_bind(fd: i32, addr: *const Address, port: i32) -> i32;
    fn sock_listen(fd: i32, backlog: i32) -> i32;
    fn sock_accept(fd: i32, flags: i32, out: *mut i32) -> i32;
    fn sock_connect(fd: i32, addr: *const Address, port: i32) -> i32;
    fn sock_recv(
        fd: i32,
        iov: *const Iovec,
        n: i32,
        flags: i32,
        len: *mut u32,
        of: *mut u16,
    ) -> i32;
    fn sock_recv_from(
        fd: i32,
        iov: *const Iovec,
        n: i32,
        addr: *const Address,
        flags: i32,
        port: *mut u16,
        len: *mut u32,
        of: *mut u16,
    ) -> i32;
    fn sock_send(fd: i32, iov: *const Iovec, n: i32, flags: i32, len: *mut u32) -> i32;
    fn sock_send_to(
        fd: i32,
        iov: *const Iovec,
        n: i32,
        addr: *const Address,
        port: i32,
        flags: i32,
        len: *mut u32,
    ) -> i32;
    fn sock_shutdown(fd: i32, how: i32) -> i32;
    fn sock_getlocaladdr(fd: i32, addr: *const Address, ty: *mut u32, port: *mut u32) -> i32;
    fn sock_getpeeraddr(fd: i32, addr: *const Address, port: *mut u32) -> i32;
    fn sock_getsockopt(fd: i32, level: i32, name: i32, value: *mut u8, len: *mut u32) -> i32;
    fn sock_setsockopt(fd: i32, level: i32, name: i32, value: *const u8, len: u32) -> i32;
    fn sock_getaddrinfo(
        node: *const u8,
        node_len: u32,
        service: *const u8,
        service_len: u32,
        hints: *const Addrinfo,
        res: *mut *mut Addrinfo,
        max: u32,
        count: *mut u32,
    ) -> i32;
    fn poll_oneoff(subs: *const Subscription, events: *mut Event, n: u32, out: *mut u32) -> i32;
    fn fd_read(fd: i32, iov: *const Iovec, n: i32, len: *mut u32) -> i32;
    fn fd_write(fd: i32, iov: *const Iovec, n: i32, len: *mut u32) -> i32;
    fn fd_close(fd: i32) -> i32;
    fn fd_renumber(from: i32, to: i32) -> i32;
    fn fd_fdstat_get(fd: i32, out: *mut [u64; 3]) -> i32;
    fn fd_fdstat_set_flags(fd: i32, flags: i32) -> i32;
    fn clock_time_get(id: i32, precision: i64, out: *mut u64) -> i32;
}

pub const AFNOSUPPORT: i32 = 5;
pub const AGAIN: i32 = 6;
pub const ACCES: i32 = 2;
pub const BADF: i32 = 8;
pub const CONNREFUSED: i32 = 14;
pub const CONNRESET: i32 = 15;
pub const FAULT: i32 = 21;
pub const INPROGRESS: i32 = 26;
pub const INVAL: i32 = 28;
pub const MFILE: i32 = 33;
pub const NOTSOCK: i32 = 57;
pub const NOTSUP: i32 = 58;
pub const PIPE: i32 = 64;

pub const DGRAM: i32 = 1;
pub const STREAM: i32 = 2;

#[repr(C)]
pub struct Address {
    buf: *mut u8,
    len: u32,
}

#[repr(C)]
pub struct Iovec {
    buf: *mut u8,
    len: usize,
}

#[repr(C)]
pub struct Addrinfo {
    flags: u16,
    family: u8,
    socktype: u8,
    protocol: u32,
    addrlen: u32,
    addr: *mut Sockaddr,
    canonname: *mut u8,
    canonname_len: u32,
    next: *mut Addrinfo,
}

#[repr(C)]
pub struct Sockaddr {
    family: u32,
    len: u32,
    data: *mut u8,
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct Subscription([u8; 48]);

#[repr(C, align(8))]
#[derive(Clone, Copy, Debug)]
pub struct Event([u8; 32]);

pub type Result<T> = std::result::Result<T, i32>;

fn check(errno: i32) -> Result<()> {
    if errno == 0 { Ok(()) } else { Err(errno) }
}

pub fn open(family: i32, kind: i32) -> Result<i32> {
    let mut fd = -1;
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_open(family, kind, &mut fd) })?;
    Ok(fd)
}

fn octets(ip: &str) -> Vec<u8> {
    match ip.parse().unwrap() {
        std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// The 128 byte form.
fn storage(ip: &str) -> Vec<u8> {
    let octets = octets(ip);
    let mut bytes = vec![if octets.len() == 4 { 1 } else { 2 }, 0];
    bytes.extend(octets);
    bytes.resize(128, 0);
    bytes
}

fn address(bytes: &mut [u8]) -> Address {
    Address { buf: bytes.as_mut_ptr(), len: bytes.len() as u32 }
}

pub fn bind(fd: i32, ip: &str) -> Result<()> {
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_bind(fd, &address(&mut octets(ip)), 0) })
}

pub fn listen(fd: i32) -> Result<()> {
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_listen(fd, 128) })
}

pub fn accept(fd: i32, flags: i32) -> Result<i32> {
    let mut out = -1;
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_accept(fd, flags, &mut out) })?;
    Ok(out)
}

pub fn connect(fd: i32, ip: &str, port: u16) -> Result<()> {
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_connect(fd, &address(&mut storage(ip)), i32::from(port)) })
}

pub fn recv(fd: i32, buf: &mut [u8], flags: i32) -> Result<usize> {
    recv_with_flags(fd, buf, flags).map(|(len, _)| len)
}

/// Bytes, and the flags of the result.
pub fn recv_with_flags(fd: i32, buf: &mut [u8], flags: i32) -> Result<(usize, u16)> {
    let (mut len, mut of) = (0, 0);
    let iov = Iovec { buf: buf.as_mut_ptr(), len: buf.len() };
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_recv(fd, &iov, 1, flags, &mut len, &mut of) })?;
    Ok((len as usize, of))
}

/// Receives into two halves of `buf`, the second first.
pub fn recv_scattered(fd: i32, buf: &mut [u8]) -> Result<usize> {
    let (a, b) = buf.split_at_mut(buf.len() / 2);
    let iov =
        [Iovec { buf: b.as_mut_ptr(), len: b.len() }, Iovec { buf: a.as_mut_ptr(), len: a.len() }];
    let (mut len, mut of) = (0, 0);
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_recv(fd, iov.as_ptr(), 2, 0, &mut len, &mut of) })?;
    Ok(len as usize)
}

/// Bytes, sender's octets, port as the host wrote it, whether truncated.
pub fn recv_from(fd: i32, buf: &mut [u8]) -> Result<(usize, Vec<u8>, u16, bool)> {
    let (mut len, mut of, mut port) = (0, 0, 0);
    let iov = Iovec { buf: buf.as_mut_ptr(), len: buf.len() };
    let mut from = vec![0; 128];
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe {
        sock_recv_from(fd, &iov, 1, &address(&mut from), 0, &mut port, &mut len, &mut of)
    })?;
    Ok((len as usize, from, port, of & 1 != 0))
}

pub fn send(fd: i32, buf: &[u8]) -> Result<usize> {
    let mut len = 0;
    let iov = Iovec { buf: buf.as_ptr().cast_mut(), len: buf.len() };
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_send(fd, &iov, 1, 0, &mut len) })?;
    Ok(len as usize)
}

pub fn send_to(fd: i32, buf: &[u8], ip: &str, port: u16) -> Result<usize> {
    let mut len = 0;
    let iov = Iovec { buf: buf.as_ptr().cast_mut(), len: buf.len() };
    let to = &mut octets(ip);
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_send_to(fd, &iov, 1, &address(to), i32::from(port), 0, &mut len) })?;
    Ok(len as usize)
}

pub fn shutdown(fd: i32, how: i32) -> Result<()> {
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_shutdown(fd, how) })
}

/// Octets (16 bytes), 4 or 6, port.
pub fn local_addr(fd: i32) -> Result<(Vec<u8>, u32, u16)> {
    let mut bytes = vec![0; 16];
    let (mut ty, mut port) = (0, 0);
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_getlocaladdr(fd, &address(&mut bytes), &mut ty, &mut port) })?;
    Ok((bytes, ty, port as u16))
}

/// The 128 byte form and the port.
pub fn peer_addr(fd: i32) -> Result<(Vec<u8>, u16)> {
    let mut bytes = vec![0; 128];
    let mut port = 0;
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_getpeeraddr(fd, &address(&mut bytes), &mut port) })?;
    Ok((bytes, port as u16))
}

pub fn get_option(fd: i32, level: i32, name: i32) -> Result<i32> {
    let mut value = [0; 4];
    let mut len = 4;
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_getsockopt(fd, level, name, value.as_mut_ptr(), &mut len) })?;
    assert_eq!(len, 4);
    Ok(i32::from_le_bytes(value))
}

pub fn set_option(fd: i32, level: i32, name: i32, value: &[u8]) -> Result<()> {
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { sock_setsockopt(fd, level, name, value.as_ptr(), value.len() as u32) })
}

pub fn so_error(fd: i32) -> i32 {
    get_option(fd, 0, 2).unwrap()
}

pub fn read(fd: i32, buf: &mut [u8]) -> Result<usize> {
    let mut len = 0;
    let iov = Iovec { buf: buf.as_mut_ptr(), len: buf.len() };
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { fd_read(fd, &iov, 1, &mut len) })?;
    Ok(len as usize)
}

pub fn write(fd: i32, buf: &[u8]) -> Result<usize> {
    let mut len = 0;
    let iov = Iovec { buf: buf.as_ptr().cast_mut(), len: buf.len() };
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { fd_write(fd, &iov, 1, &mut len) })?;
    Ok(len as usize)
}

pub fn close(fd: i32) -> Result<()> {
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { fd_close(fd) })
}

pub fn renumber(from: i32, to: i32) -> Result<()> {
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { fd_renumber(from, to) })
}

pub fn set_nonblocking(fd: i32, on: bool) {
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { fd_fdstat_set_flags(fd, if on { 4 } else { 0 }) }).unwrap();
}

/// File type and flags.
pub fn fdstat(fd: i32) -> Result<(u8, u16)> {
    let mut stat = [0; 3];
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { fd_fdstat_get(fd, &mut stat) })?;
    Ok((stat[0] as u8, (stat[0] >> 16) as u16))
}

pub fn now(clock: i32) -> u64 {
    let mut out = 0;
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { clock_time_get(clock, 0, &mut out) }).unwrap();
    out
}

/// Looks `name` up: family and first data bytes (port, address) of each answer.
pub fn getaddrinfo(name: &str, service: &str, family: u8) -> Result<Vec<(u8, Vec<u8>)>> {
    const MAX: usize = 8;
    let zero = |addr, next| Addrinfo {
        flags: 0,
        family,
        socktype: 2,
        protocol: 1,
        addrlen: 0,
        addr,
        canonname: std::ptr::null_mut(),
        canonname_len: 0,
        next,
    };
    let mut data = vec![[0u8; 26]; MAX];
    let mut addrs: Vec<_> =
        data.iter_mut().map(|d| Sockaddr { family: 0, len: 26, data: d.as_mut_ptr() }).collect();
    let mut infos: Vec<Addrinfo> = Vec::with_capacity(MAX);
    for addr in &mut addrs {
        infos.push(zero(addr, std::ptr::null_mut()));
    }
    for i in 1..MAX {
        let next: *mut Addrinfo = &mut infos[i];
        infos[i - 1].next = next;
    }
    let hints = zero(std::ptr::null_mut(), std::ptr::null_mut());
    let (name, service) = (format!("{name}\0"), format!("{service}\0"));
    let mut res = infos.as_mut_ptr();
    let mut count = 0;
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe {
        sock_getaddrinfo(
            name.as_ptr(),
            name.len() as u32,
            service.as_ptr(),
            service.len() as u32,
            &hints,
            &mut res,
            MAX as u32,
            &mut count,
        )
    })?;
    // SAFETY: the host filled `count` of the entries, and each points at an address and its data.
    let answer = |i: usize| unsafe {
        let info = &*infos.as_ptr().add(i);
        let addr = &*info.addr;
        (info.family, std::slice::from_raw_parts(addr.data, addr.len as usize).to_vec())
    };
    Ok((0..count as usize).map(answer).collect())
}

pub const REALTIME: u32 = 0;
pub const MONOTONIC: u32 = 1;

pub fn clock(userdata: u64, id: u32, nanos: u64, absolute: bool) -> Subscription {
    let mut s = [0; 48];
    s[..8].copy_from_slice(&userdata.to_le_bytes());
    s[16..20].copy_from_slice(&id.to_le_bytes());
    s[24..32].copy_from_slice(&nanos.to_le_bytes());
    s[40] = u8::from(absolute);
    Subscription(s)
}

pub fn timer(userdata: u64, millis: u64) -> Subscription {
    clock(userdata, MONOTONIC, millis * 1_000_000, false)
}

fn on_fd(userdata: u64, ty: u8, fd: i32) -> Subscription {
    let mut s = [0; 48];
    s[..8].copy_from_slice(&userdata.to_le_bytes());
    s[8] = ty;
    s[16..20].copy_from_slice(&fd.to_le_bytes());
    Subscription(s)
}

pub fn readable(userdata: u64, fd: i32) -> Subscription {
    on_fd(userdata, 1, fd)
}

pub fn writable(userdata: u64, fd: i32) -> Subscription {
    on_fd(userdata, 2, fd)
}

pub fn unknown(userdata: u64) -> Subscription {
    on_fd(userdata, 9, 0)
}

impl Event {
    pub fn userdata(&self) -> u64 {
        u64::from_le_bytes(self.0[..8].try_into().unwrap())
    }

    pub fn errno(&self) -> i32 {
        i32::from(u16::from_le_bytes([self.0[8], self.0[9]]))
    }

    pub fn ty(&self) -> u8 {
        self.0[10]
    }

    pub fn hung_up(&self) -> bool {
        self.0[24] & 1 != 0
    }
}

pub fn poll(subs: &[Subscription]) -> Result<Vec<Event>> {
    let mut events = vec![Event([0xee; 32]); subs.len()];
    let mut n = u32::MAX;
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { poll_oneoff(subs.as_ptr(), events.as_mut_ptr(), subs.len() as u32, &mut n) })?;
    events.truncate(n as usize);
    Ok(events)
}

/// The queue descriptor of `POLL_EXTENSION.md`.
pub const QUEUE: i32 = 0xd04f_4c01_u32 as i32;

/// An extended poll with room for so many events.
pub fn poll_extended(room: usize, subs: &[Subscription]) -> Result<Vec<Event>> {
    let queue = readable(room as u64, QUEUE);
    let subs = [&[queue], subs].concat();
    let mut events = vec![Event([0xee; 32]); room];
    let mut n = u32::MAX;
    // SAFETY: every pointer is to something that lives for the call, with the size the import expects.
    check(unsafe { poll_oneoff(subs.as_ptr(), events.as_mut_ptr(), subs.len() as u32, &mut n) })?;
    assert!(n as usize <= room);
    events.truncate(n as usize);
    Ok(events)
}

/// One that lies about its room, of which it has one.
pub fn poll_as_said(room: u64, subs: &[Subscription]) -> Result<Vec<Event>> {
    let subs = [&[readable(room, QUEUE)], subs].concat();
    let mut events = vec![Event([0xee; 32])];
    let mut n = u32::MAX;
    // SAFETY: the host refuses what is not in memory, and only those who expect that say more than one.
    check(unsafe { poll_oneoff(subs.as_ptr(), events.as_mut_ptr(), subs.len() as u32, &mut n) })?;
    Ok(events)
}

/// The change that takes back what this one arms.
pub fn disarm(sub: Subscription) -> Subscription {
    flagged(sub, 1)
}

pub fn flagged(mut sub: Subscription, flag: u32) -> Subscription {
    sub.0[20..24].copy_from_slice(&flag.to_le_bytes());
    sub
}

/// The userdata of what is ready now.
pub fn ready_now(subs: &[Subscription]) -> Vec<u64> {
    const TIMER: u64 = u64::MAX;
    let mut subs = subs.to_vec();
    subs.push(timer(TIMER, 0));
    let mut ready: Vec<_> = poll(&subs).unwrap().iter().map(Event::userdata).collect();
    ready.retain(|u| *u != TIMER);
    ready.sort_unstable();
    ready
}
