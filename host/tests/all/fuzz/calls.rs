//! What the fuzzed guests call: every import, and arguments that are right, nearly right or absurd.
//!
//! A call comes with what it writes into memory before, and with the places that the host may write to.

use super::call::{Call, Output};

/// The imports: a name, and for each parameter whether it has 32 bits or 64.
pub(super) const IMPORTS: &[(&str, &[u8])] = &[
    ("sock_open", &[32, 32, 32]),
    ("sock_bind", &[32, 32, 32]),
    ("sock_connect", &[32, 32, 32]),
    ("sock_listen", &[32, 32]),
    ("sock_accept", &[32, 32]),
    ("sock_accept", &[32, 32, 32]),
    ("sock_recv", &[32, 32, 32, 32, 32, 32]),
    ("sock_recv_from", &[32, 32, 32, 32, 32, 32, 32]),
    ("sock_recv_from", &[32, 32, 32, 32, 32, 32, 32, 32]),
    ("sock_send", &[32, 32, 32, 32, 32]),
    ("sock_send_to", &[32, 32, 32, 32, 32, 32, 32]),
    ("sock_shutdown", &[32, 32]),
    ("sock_getlocaladdr", &[32, 32, 32, 32]),
    ("sock_getlocaladdr", &[32, 32, 32]),
    ("sock_getpeeraddr", &[32, 32, 32, 32]),
    ("sock_getpeeraddr", &[32, 32, 32]),
    ("sock_getsockopt", &[32, 32, 32, 32, 32]),
    ("sock_setsockopt", &[32, 32, 32, 32, 32]),
    ("sock_getaddrinfo", &[32, 32, 32, 32, 32, 32, 32, 32]),
    ("poll_oneoff", &[32, 32, 32, 32]),
    ("fd_read", &[32, 32, 32, 32]),
    ("fd_write", &[32, 32, 32, 32]),
    ("fd_close", &[32]),
    ("fd_fdstat_get", &[32, 32]),
    ("fd_fdstat_set_flags", &[32, 32]),
    ("fd_filestat_get", &[32, 32]),
    ("fd_renumber", &[32, 32]),
    ("sched_yield", &[]),
    ("args_get", &[32, 32]),
    ("args_sizes_get", &[32, 32]),
    ("environ_get", &[32, 32]),
    ("environ_sizes_get", &[32, 32]),
    ("clock_res_get", &[32, 32]),
    ("clock_time_get", &[32, 64, 32]),
    ("random_get", &[32, 32]),
    ("fd_advise", &[32, 64, 64, 32]),
    ("fd_allocate", &[32, 64, 64]),
    ("fd_datasync", &[32]),
    ("fd_fdstat_set_rights", &[32, 64, 64]),
    ("fd_filestat_set_size", &[32, 64]),
    ("fd_filestat_set_times", &[32, 64, 64, 32]),
    ("fd_pread", &[32, 32, 32, 64, 32]),
    ("fd_prestat_get", &[32, 32]),
    ("fd_prestat_dir_name", &[32, 32, 32]),
    ("fd_pwrite", &[32, 32, 32, 64, 32]),
    ("fd_readdir", &[32, 32, 32, 64, 32]),
    ("fd_seek", &[32, 64, 32, 32]),
    ("fd_sync", &[32]),
    ("fd_tell", &[32, 32]),
    ("path_create_directory", &[32, 32, 32]),
    ("path_filestat_get", &[32, 32, 32, 32, 32]),
    ("path_filestat_set_times", &[32, 32, 32, 32, 64, 64, 32]),
    ("path_link", &[32, 32, 32, 32, 32, 32, 32]),
    ("path_open", &[32, 32, 32, 32, 32, 64, 64, 32, 32]),
    ("path_readlink", &[32, 32, 32, 32, 32, 32]),
    ("path_remove_directory", &[32, 32, 32]),
    ("path_rename", &[32, 32, 32, 32, 32, 32]),
    ("path_symlink", &[32, 32, 32, 32, 32]),
    ("path_unlink_file", &[32, 32, 32]),
];

/// Sockets and files are opened, sockets polled, read and written more often than their place in the table says.
const USUAL: &[usize] = &[0, 0, 1, 2, 2, 3, 5, 6, 8, 9, 10, 19, 19, 20, 21, 22, 24, 24, 53, 53];

pub(super) const PAGE: usize = 1 << 16;
pub(super) const PARAMS: usize = 9;
pub(super) type Args = [i64; PARAMS];

/// What a guest has, so that calls are not all in vain.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) open: Vec<i32>,
    pub(super) closed: Vec<i32>,
    /// What else is open than sockets.
    pub(super) files: Vec<i32>,
    pub(super) ports: Vec<u16>,
}

/// Makes up calls.
pub(super) struct Maker<'a> {
    pub(super) random: &'a mut fastrand::Rng,
    pub(super) known: &'a Known,
    pub(super) call: Call,
    /// Where the next structure goes.
    next: usize,
}

const ABSURD: &[u32] = &[
    0,
    1,
    2,
    3,
    7,
    0xfff7,
    0xfff8,
    0xfffc,
    0xffff,
    0x1_0000,
    0x1_0004,
    0x3_0000,
    0x0555_5556,
    0x2000_0000,
    0x2000_0001,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff0,
    0xffff_fff8,
    0xffff_fffc,
    0xffff_ffff,
];

impl Maker<'_> {
    pub(super) fn make<'a>(random: &'a mut fastrand::Rng, known: &'a Known) -> Call {
        let next = random.usize(0..PAGE / 16) * 8;
        let mut maker = Maker { random, known, call: Call::default(), next };
        maker.fill();
        maker.call
    }

    pub(super) fn one_in(&mut self, n: u32) -> bool {
        self.random.u32(0..n) == 0
    }

    pub(super) fn absurd(&mut self) -> i32 {
        if self.one_in(4) {
            self.random.i32(..)
        } else {
            ABSURD[self.random.usize(..ABSURD.len())] as i32
        }
    }

    fn any_of(&mut self, numbers: &[i32]) -> i32 {
        if self.one_in(20) { self.absurd() } else { numbers[self.random.usize(..numbers.len())] }
    }

    pub(super) fn fd(&mut self) -> i32 {
        let known = self.known;
        match self.random.u32(0..20) {
            0 => self.absurd(),
            1 => self.random.i32(0..6),
            3..6 if !known.files.is_empty() => known.files[self.random.usize(..known.files.len())],
            2 if !known.closed.is_empty() => known.closed[self.random.usize(..known.closed.len())],
            _ if known.open.is_empty() => 3,
            _ => known.open[self.random.usize(..known.open.len())],
        }
    }

    fn port(&mut self) -> i32 {
        let ports = &self.known.ports;
        match self.random.u32(0..12) {
            0 => [0, 1, -1, 65535, 65536, i32::MIN][self.random.usize(..6)],
            1 | 2 => 0,
            _ => ports[self.random.usize(..ports.len())].into(),
        }
    }

    /// A place for `len` bytes: mostly one after the other, sometimes on top of others or half outside.
    pub(super) fn place(&mut self, len: usize, align: usize) -> i32 {
        match self.random.u32(0..40) {
            0 => self.absurd(),
            1 => self.random.i32(0..PAGE as i32),
            2 => (PAGE - len.min(PAGE)) as i32,
            _ => {
                let at = self.next.next_multiple_of(align);
                self.next = if at + len > PAGE - 64 { 64 } else { at + len };
                at as i32
            }
        }
    }

    pub(super) fn write(&mut self, at: i32, bytes: Vec<u8>) {
        self.call.written.push((at as u32 as usize, bytes));
    }

    pub(super) fn output(&mut self, len: usize, align: usize) -> i32 {
        let at = self.place(len, align);
        self.call.outputs.push(Output::Bytes(at, len));
        at
    }

    pub(super) fn len(&mut self) -> i32 {
        match self.random.u32(0..30) {
            0 => self.absurd(),
            1 => 0x8000,
            2 => 0,
            _ => self.random.i32(1..300),
        }
    }

    /// An array of buffers.
    pub(super) fn buffers(&mut self, written: bool) -> (i32, i32) {
        let count = if self.one_in(8) { self.random.usize(0..12) } else { 1 };
        let mut bytes = Vec::new();
        for _ in 0..count {
            let len = self.len();
            let at = self.place(len.clamp(0, 0x8000) as usize, 1);
            bytes.extend(at.to_le_bytes());
            bytes.extend(len.to_le_bytes());
        }
        let table = self.place(count * 8, 4);
        self.write(table, bytes);
        let count = if self.one_in(40) { self.any_of(&[1024, 1025, 64]) } else { count as i32 };
        if written {
            self.call.outputs.push(Output::Buffers(table, count));
        }
        (table, count)
    }

    /// A pointer and a length, and the octets that are there.
    fn address(&mut self, written: bool) -> i32 {
        let len = self.any_of(&[4, 4, 4, 16, 16, 128]);
        let octets = self.place(len.clamp(0, 128) as usize, 1);
        let (four, mut six) = ([127, 0, 0, 1], [0; 16]);
        six[15] = 1;
        let mut bytes = match len {
            4 => four.to_vec(),
            16 if self.random.bool() => six.to_vec(),
            16 => [&four[..], &[0; 12]].concat(),
            _ if self.random.bool() => [&[1, 0][..], &four].concat(),
            _ => [&[2, 0][..], &six].concat(),
        };
        if self.one_in(20) {
            let i = self.random.usize(..bytes.len());
            bytes[i] = self.random.u8(..);
        }
        self.write(octets, bytes);
        let at = self.place(8, 4);
        self.write(at, [octets.to_le_bytes(), len.to_le_bytes()].concat());
        if written {
            self.call.outputs.push(Output::Address(at));
        }
        at
    }

    /// Clocks that are due soon, sockets, and what is neither; half of them extended, with room for few events.
    fn subscriptions(&mut self) -> [i32; 4] {
        let count =
            if self.one_in(20) { self.random.usize(0..200) } else { self.random.usize(1..6) };
        let mut bytes = Vec::with_capacity(count * 48);
        let extended = self.random.bool();
        let room = match self.random.u32(0..60) {
            0 => self.random.u64(..),
            1 => 0,
            2 => [1 << 11, 1 << 12, 1 << 27, 1 << 32][self.random.usize(..4)],
            _ => self.random.u64(1..9),
        };
        if extended {
            let mut queue = [0; 48];
            queue[..8].copy_from_slice(&room.to_le_bytes());
            queue[8] = self.any_of(&[1]) as u8;
            let fd = self.any_of(&[0xd04f_4c01_u32 as i32]);
            queue[16..20].copy_from_slice(&fd.to_le_bytes());
            bytes.extend(queue);
        }
        for i in 0..count {
            let mut one = [0; 48];
            self.random.fill(&mut one[..8]);
            one[8] = self.any_of(&[0, 1, 1, 1, 2, 2]) as u8;
            if i == 0 && !self.one_in(30) {
                one[8] = 0;
            }
            let fd = if one[8] == 0 { self.any_of(&[0, 1, 1, 1]) } else { self.fd() };
            one[16..20].copy_from_slice(&fd.to_le_bytes());
            if extended {
                one[20] = self.any_of(&[0, 0, 0, 1]) as u8;
            }
            let nanos = match self.random.u32(0..40) {
                0 => u64::MAX,
                1 => self.random.u64(..),
                2 => 1_500_000,
                _ => self.random.u64(0..50_000),
            };
            one[24..32].copy_from_slice(&nanos.to_le_bytes());
            one[40] = self.any_of(&[0, 0, 0, 1]) as u8;
            bytes.extend(one);
        }
        let input = self.place(bytes.len(), 8);
        self.write(input, bytes);
        let (count, events) = if extended {
            (count + 1, self.place(room.min(64) as usize * 32, 8))
        } else {
            (count, self.place(count * 32, 8))
        };
        let count = if self.one_in(60) { self.any_of(&[0, 1365, 2048]) } else { count as i32 };
        self.call.outputs.push(Output::Events { input, events, count });
        [input, events, count, self.output(4, 4)]
    }

    /// Names that ask nobody, and names that nobody may ask for.
    fn look_up(&mut self) -> [i32; 8] {
        let names: &[&[u8]] = &[
            b"localhost",
            b"127.0.0.1",
            b"::1\0x",
            b"",
            b"example.com",
            b"\xff\xfe",
            b"a..b",
            &[b'x'; 1100],
        ];
        let services: &[&[u8]] = &[b"80", b"http", b"", b"70000", b"-1", b"\0"];
        let mut text = |all: &[&[u8]]| {
            let text = all[self.random.usize(..all.len())];
            let at = self.place(text.len(), 1);
            self.write(at, text.to_vec());
            (at, if self.one_in(30) { self.absurd() } else { text.len() as i32 })
        };
        let ((node, node_len), (service, service_len)) = (text(names), text(services));
        let mut hint = vec![0; 28];
        for (i, values) in [(0, &[0, 1, 4][..]), (2, &[0, 1, 2]), (3, &[0, 1, 2]), (4, &[0, 1, 2])]
        {
            hint[i] = self.any_of(values) as u8;
        }
        let hints = self.place(28, 4);
        self.write(hints, hint);
        // A list of answers with room in it.
        let mut next = if self.one_in(10) { self.absurd() } else { 0 };
        for _ in 0..self.random.usize(0..4) {
            let (data, addr, info) = (self.place(26, 1), self.place(12, 4), self.place(28, 4));
            let mut bytes = vec![0; 28];
            bytes[12..16].copy_from_slice(&addr.to_le_bytes());
            bytes[24..].copy_from_slice(&next.to_le_bytes());
            self.write(info, bytes);
            self.write(addr, [26, data].iter().flat_map(|n: &i32| n.to_le_bytes()).collect());
            let mut bytes = vec![0; 12];
            bytes[8..].copy_from_slice(&data.to_le_bytes());
            self.write(addr, bytes);
            next = info;
        }
        let results = self.place(4, 4);
        self.write(results, next.to_le_bytes().to_vec());
        self.call.outputs.push(Output::Anywhere);
        let (max, count) = (self.any_of(&[0, 1, 4, 10]), self.output(4, 4));
        [node, node_len, service, service_len, hints, results, max, count]
    }

    fn option(&mut self) -> (i32, i32) {
        (self.any_of(&[0, 0, 0, 6]), self.random.i32(-1..17))
    }

    fn fill(&mut self) {
        let crowded = self.known.files.len() > 8;
        let import = match self.one_in(3) {
            _ if crowded => IMPORTS.iter().position(|(name, _)| *name == "fd_close").unwrap(),
            true => self.random.usize(..IMPORTS.len()),
            false => USUAL[self.random.usize(..USUAL.len())],
        };
        self.call.import = import;
        let receive_flags = [0, 0, 0, 0, 1, 2, 3];
        let args: Vec<i32> = match IMPORTS[import] {
            ("sock_open", _) => {
                vec![self.any_of(&[1, 1, 2]), self.any_of(&[1, 2, 2]), self.output(4, 4)]
            }
            ("sock_bind", _) => {
                vec![self.fd(), self.address(false), if self.one_in(2) { 0 } else { self.port() }]
            }
            ("sock_connect", _) => vec![self.fd(), self.address(false), self.port()],
            ("sock_listen", _) => vec![self.fd(), self.any_of(&[1, 16, 128])],
            ("sock_accept", [_, _]) => vec![self.fd(), self.output(4, 4)],
            ("sock_accept", _) => vec![self.fd(), self.any_of(&[4, 4, 4, 0]), self.output(4, 4)],
            ("sock_recv", _) => {
                let (at, n) = self.buffers(true);
                vec![
                    self.fd(),
                    at,
                    n,
                    self.any_of(&receive_flags),
                    self.output(4, 4),
                    self.output(2, 2),
                ]
            }
            ("sock_recv_from", params) => {
                let (at, n) = self.buffers(true);
                let mut args =
                    vec![self.fd(), at, n, self.address(true), self.any_of(&receive_flags)];
                if params.len() == 8 {
                    args.push(self.output(2, 2));
                }
                args.extend([self.output(4, 4), self.output(2, 2)]);
                args
            }
            ("sock_send", _) => {
                let (at, n) = self.buffers(false);
                vec![self.fd(), at, n, self.any_of(&[0]), self.output(4, 4)]
            }
            ("sock_send_to", _) => {
                let (at, n) = self.buffers(false);
                vec![
                    self.fd(),
                    at,
                    n,
                    self.address(false),
                    self.port(),
                    self.any_of(&[0]),
                    self.output(4, 4),
                ]
            }
            ("sock_shutdown", _) => vec![self.fd(), self.any_of(&[1, 2, 3])],
            ("sock_getlocaladdr" | "sock_getpeeraddr", params) => {
                let mut args = vec![self.fd(), self.address(true), self.output(4, 4)];
                if params.len() == 4 {
                    args.push(self.output(4, 4));
                }
                args
            }
            ("sock_getsockopt", _) => {
                let (level, name) = self.option();
                let (room, len) = (self.any_of(&[4, 8, 16]), self.place(4, 4));
                self.write(len, room.to_le_bytes().to_vec());
                let value = self.place(room.clamp(0, 64) as usize, 1);
                self.call.outputs.extend([Output::Sized(value, len), Output::Bytes(len, 4)]);
                vec![self.fd(), level, name, value, len]
            }
            ("sock_setsockopt", _) => {
                let (level, name) = self.option();
                let len = self.any_of(&[4, 8, 16]);
                let value = self.place(16, 1);
                let bytes = (0..16).map(|_| if self.one_in(4) { self.random.u8(..) } else { 0 });
                let bytes = bytes.collect();
                self.write(value, bytes);
                vec![self.fd(), level, name, value, len]
            }
            ("sock_getaddrinfo", _) => self.look_up().to_vec(),
            ("poll_oneoff", _) => self.subscriptions().to_vec(),
            ("fd_read", _) => {
                let (at, n) = self.buffers(true);
                vec![self.fd(), at, n, self.output(4, 4)]
            }
            ("fd_write", _) => {
                let (at, n) = self.buffers(false);
                vec![self.fd(), at, n, self.output(4, 4)]
            }
            ("fd_fdstat_get", _) => vec![self.fd(), self.output(24, 8)],
            ("fd_fdstat_set_flags", _) => vec![self.fd(), self.any_of(&[4, 4, 4, 4, 0])],
            ("fd_filestat_get", _) => vec![self.fd(), self.output(64, 8)],
            ("fd_renumber", _) => vec![self.fd(), self.fd()],
            ("fd_close", _) => match self.known.files.len() {
                // Of files there is no limit of the guest's.
                9.. => vec![self.known.files[0]],
                _ => vec![self.fd()],
            },
            (name, _) => {
                let args = self.on_files(name);
                self.call.args[..args.len()].copy_from_slice(&args);
                return;
            }
        };
        for (place, arg) in self.call.args.iter_mut().zip(args) {
            *place = arg.into();
        }
    }
}
