//! A malicious component: it calls every import of WASI 0.2 with arguments that are right, nearly right or absurd, among
//! them handles that it has dropped. `main SEED CALLS PORT...`; it says on standard error how far it came.

mod choices;
mod imports;

use choices::{ABSURD, PAUSE, SEQUENCES, TEXTS};
use imports::{Arg, IMPORTS, Import, Ret};

const KINDS: usize = Arg::entries as usize + 1;
/// How many handles of a kind there are before some are dropped.
const MOST: usize = 12;
/// After so many calls it is said how many there were.
const STEP: u64 = 64;

unsafe extern "C" {
    fn free(at: *mut u8);
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn any_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

struct Guest {
    random: Random,
    known: [Vec<i32>; KINDS],
    dropped: [Vec<i32>; KINDS],
    /// What may be written to a stream: handle and number.
    permits: Vec<(i32, i64)>,
    ports: Vec<u16>,
    results: Box<[u64; 16]>,
    buffer: Vec<u8>,
    calls: u64,
    good: u64,
}

impl Guest {
    fn handle(&mut self, kind: Arg) -> i64 {
        let kind = kind as usize;
        let from = match self.random.below(20_000) {
            0 => return self.random.any_of(&ABSURD),
            1 => &self.known[self.random.below(KINDS)],
            2 | 3 => &self.dropped[kind],
            _ => &self.known[kind],
        };
        match from.len() {
            // Asked for before: see `can`.
            0 => self.known[kind].first().copied().unwrap_or(-1).into(),
            // What came last has not got far yet.
            n if !self.random.one_in(3) => from[n - 1].into(),
            n => from[self.random.below(n)].into(),
        }
    }

    fn address(&mut self, args: &mut Vec<i64>) {
        let port = match self.random.below(10) {
            0 => 0,
            1 => self.random.below(65536) as i64,
            2..6 => self.random.any_of(&self.ports).into(),
            // Those of the first ones are others' that are there.
            _ => self.random.any_of(&self.ports[..self.ports.len().min(3)]).into(),
        };
        let six = self.random.one_in(6);
        args.extend([six.into(), port]);
        let any = self.random.one_in(12);
        match six {
            true => {
                args.extend([0; 8]);
                args.extend([(!any).into(), 0]);
            }
            false if any => args.extend([0; 10]),
            false => args.extend([127, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        }
        if self.random.one_in(60) {
            let at = args.len() - 1 - self.random.below(10);
            args[at] = self.random.below(256) as i64;
        }
    }

    fn text(&mut self) -> (i64, i64) {
        match self.random.below(3000) {
            0 => (self.random.any_of(&ABSURD), self.random.any_of(&ABSURD)),
            1..10 => (self.buffer.as_ptr() as i64, 5000),
            _ => {
                let text = self.random.any_of(&TEXTS);
                (text.as_ptr() as i64, text.len() as i64)
            }
        }
    }

    fn number(&mut self) -> i64 {
        match self.random.below(200) {
            0 => self.random.any_of(&ABSURD),
            1 => self.random.next() as i64,
            2..40 => self.random.below(70_000) as i64,
            _ => self.random.below(5000) as i64,
        }
    }

    /// A list of what is made by `one`, of so many words each.
    fn list(&mut self, words: usize, mut one: impl FnMut(&mut Guest, &mut [u32])) -> (i64, i64) {
        let count = if self.random.one_in(30) {
            1 + self.random.below(100)
        } else {
            1 + self.random.below(4)
        };
        let mut list = vec![0u32; count * words];
        list.chunks_mut(words).for_each(|place| one(self, place));
        // Lives until the guest ends.
        let list = list.leak();
        (list.as_ptr() as i64, count as i64)
    }

    fn push(&mut self, arg: Arg, args: &mut Vec<i64>) {
        let below = |guest: &mut Guest, n: usize| guest.random.below(n) as i64;
        match arg {
            Arg::of2 => args.push(below(self, 2)),
            Arg::of3 => args.push(below(self, 3)),
            Arg::of6 => args.push(below(self, 6)),
            Arg::of16 => args.push(below(self, 16)),
            // Reading and writing, mostly.
            Arg::of64 => args.push(if self.random.one_in(4) { below(self, 64) } else { 3 }),
            Arg::u8 | Arg::u32 | Arg::u64 => {
                let number = self.number();
                args.push(number);
            }
            Arg::time => {
                let kind = below(self, 3);
                let seconds = self.number();
                args.extend([kind, seconds, below(self, 1_100_000_000)]);
            }
            Arg::text => {
                let (at, len) = self.text();
                args.extend([at, len]);
            }
            Arg::bytes => {
                let len = match self.random.below(12) {
                    0 => 4097,
                    1 => self.buffer.len() as i64,
                    _ => self.random.below(2000) as i64,
                };
                args.extend([self.buffer.as_ptr() as i64, len]);
            }
            Arg::polls => {
                // One that is ready soon, so that few polls wait in vain.
                let soon = self.soon();
                let mut first = true;
                let (at, n) = self.list(1, |guest, place| {
                    let other = guest.handle(Arg::poll) as u32;
                    place[0] = if std::mem::take(&mut first) { soon } else { other };
                });
                args.extend([at, n]);
            }
            Arg::messages => {
                let (at, n) = self.list(11, |guest, place| {
                    let mut to = Vec::new();
                    guest.address(&mut to);
                    place[0] = guest.buffer.as_ptr() as u32;
                    place[1] = guest.random.below(3000) as u32;
                    place[2] = guest.random.one_in(2).into();
                    place[3] = to[0] as u32;
                    place[4] = to[1] as u32;
                    match to[0] {
                        0 => place[4] |= (to[2] as u32) << 16 | 0x7f_0000,
                        _ => place[9] = (to[10] as u32) << 16,
                    }
                });
                args.extend([at, n]);
            }
            Arg::address => self.address(args),
            Arg::maybe_address => {
                args.push(below(self, 2));
                self.address(args);
            }
            Arg::ret => args.push(self.results.as_ptr() as i64),
            handle => {
                let handle = self.handle(handle);
                args.push(handle);
            }
        }
    }

    fn soon(&mut self) -> u32 {
        let soon = IMPORTS.iter().find(|import| import.name == "subscribe-duration").unwrap();
        let nanos = self.random.below(200_000) as i64;
        let poll = (soon.call)(&[nanos]) as i32;
        self.known[Arg::poll as usize].push(poll);
        poll as u32
    }

    fn pause(&mut self) {
        let block = IMPORTS.iter().find(|import| import.name == "[method]pollable.block").unwrap();
        let soon = self.soon();
        (block.call)(&[soon.into()]);
    }

    /// Whether there are handles for it.
    fn can(&self, import: &Import) -> bool {
        import
            .args
            .iter()
            .all(|arg| self.known.get(*arg as usize).is_none_or(|known| !known.is_empty()))
    }

    fn call(&mut self, import: &'static Import) {
        let blocks = import.name.contains("block");
        if !self.can(import) || (blocks && !self.random.one_in(100)) {
            return;
        }
        // What has children can be dropped when they are.
        let leaf = matches!(import.args.first(), Some(Arg::poll | Arg::error | Arg::entries));
        if matches!(import.ret, Ret::Drop) && !leaf && !self.random.one_in(2000) {
            return;
        }
        // A socket has one pair of streams.
        if import.name == "[method]udp-socket.stream" && !self.random.one_in(2000) {
            for kind in [Arg::poll, Arg::gin, Arg::gout] {
                self.drop_all(kind, 0);
            }
        }
        let mut args = Vec::with_capacity(16);
        for arg in import.args {
            self.push(*arg, &mut args);
        }
        if import.name.ends_with("start-bind") && !self.random.one_in(3) {
            args[3] = 0;
        }
        if import.name.starts_with("create-") && import.name.ends_with("-socket") {
            args[0] = self.random.one_in(6).into();
        }
        if !self.is_permitted(import, &mut args) {
            return;
        }
        self.results.fill(0);
        let returned = (import.call)(&args);
        self.calls += 1;
        self.learn(import, &args, returned);
    }

    /// Writing more than a stream permits is a trap, and few of those are enough.
    fn is_permitted(&mut self, import: &Import, args: &mut [i64]) -> bool {
        let amount = match import.name {
            "[method]output-stream.write" | "[method]outgoing-datagram-stream.send" => 2,
            "[method]output-stream.write-zeroes" => 1,
            _ => return true,
        };
        if self.random.one_in(5000) {
            return true;
        }
        let kind = &self.known[import.args[0] as usize];
        let Some(at) = self.permits.iter().position(|(handle, _)| kind.contains(handle)) else {
            return false;
        };
        let (handle, permit) = self.permits.swap_remove(at);
        args[0] = handle.into();
        args[amount] = args[amount].clamp(0, permit);
        true
    }

    fn learn(&mut self, import: &Import, args: &[i64], returned: i64) {
        let results = *self.results;
        let byte = |at: usize| (results[at / 8] >> (at % 8 * 8)) as u8;
        let word = |at: usize| (results[at / 8] >> (at % 8 * 8)) as u32;
        let release = |at: usize| {
            if word(at + 4) > 0 {
                // SAFETY: the host got it from `cabi_realloc`, for the list.
                unsafe { free(word(at) as *mut u8) };
            }
        };
        let good = byte(0) == 0;
        if good && import.name.ends_with("local-address") && self.ports.len() < 16 {
            self.ports.push(word(8) as u16);
        }
        if matches!(import.args.first(), Some(Arg::output | Arg::gout)) {
            // Whatever else is done to a stream takes its permit back.
            self.permits.retain(|(handle, _)| i64::from(*handle) != args[0]);
            if good && import.name.contains("check-") && results[1] > 0 {
                self.permits.push((args[0] as i32, results[1] as i64));
            }
        }
        match import.ret {
            Ret::Plain => {}
            Ret::Own(kind) => self.known[kind as usize].push(returned as i32),
            Ret::Result => {}
            Ret::List if good => release(4),
            Ret::List => {}
            Ret::Owns(kinds) if good => {
                for (i, kind) in kinds.iter().enumerate() {
                    self.known[*kind as usize].push(word(4 + 4 * i) as i32);
                }
            }
            Ret::Owns(_) => {}
            Ret::StreamList if good => release(4),
            Ret::Stream(at) if !good && byte(at) == 0 => self.failed(word(at + 4)),
            Ret::StreamList if byte(4) == 0 => self.failed(word(8)),
            Ret::Stream(_) | Ret::StreamList => {}
            Ret::Plainlist => release(0),
            Ret::Folders => {
                for i in 0..word(4) as usize {
                    // SAFETY: a list of handles, pointers and lengths.
                    let folder = unsafe { *(word(0) as *const i32).add(3 * i) };
                    self.known[Arg::dir as usize].push(folder);
                }
            }
            Ret::Drop => self.forget(import.args[0], args[0] as i32),
        }
        self.good += u64::from(good);
    }

    fn failed(&mut self, error: u32) {
        self.known[Arg::error as usize].push(error as i32);
    }

    fn forget(&mut self, kind: Arg, handle: i32) {
        let kind = kind as usize;
        self.known[kind].retain(|known| *known != handle);
        self.permits.retain(|(permitted, _)| *permitted != handle);
        self.dropped[kind].push(handle);
        if self.dropped[kind].len() > 4 {
            self.dropped[kind].remove(0);
        }
    }

    /// Drops handles where there are many: those that have no children alone, else all of them, children first.
    fn clean(&mut self) {
        use Arg::*;
        let leaves = [poll, error, entries, names];
        let others = [input, output, gin, gout, tcp, udp, dir, net];
        let crowded = |guest: &Guest, kind: Arg| guest.known[kind as usize].len() > MOST;
        let all = self.random.one_in(500) || others.iter().any(|kind| crowded(self, *kind));
        for kind in leaves {
            if all || crowded(self, kind) {
                self.drop_all(kind, 0);
            }
        }
        for kind in others.into_iter().filter(|_| all) {
            self.drop_all(kind, usize::from(matches!(kind, net)));
        }
    }

    fn drop_all(&mut self, kind: Arg, but: usize) {
        let is_it = |import: &&Import| {
            matches!(import.ret, Ret::Drop) && import.args[0] as usize == kind as usize
        };
        let drop = IMPORTS.iter().find(is_it).unwrap();
        for handle in self.known[kind as usize].split_off(but) {
            (drop.call)(&[handle.into()]);
            self.forget(kind, handle);
        }
    }

    fn run(&mut self, calls: u64) {
        let begin = |name: &str| IMPORTS.iter().find(|import| import.name == name).unwrap();
        let mut steps: &[&str] = &[];
        while self.calls < calls {
            if self.calls % STEP == 0 {
                eprintln!("{} {}", self.calls, self.good);
            }
            self.clean();
            if self.known[Arg::net as usize].is_empty() {
                self.call(begin("instance-network"));
            }
            if self.known[Arg::dir as usize].is_empty() {
                self.call(begin("get-directories"));
            }
            if steps.is_empty() {
                steps = self.random.any_of(&SEQUENCES);
            }
            // Something else may come in between.
            let name = match self.random.one_in(4) {
                true => self.random.any_of(IMPORTS_REF).name,
                false => {
                    let (first, rest) = steps.split_first().unwrap();
                    steps = rest;
                    first
                }
            };
            match name {
                PAUSE => self.pause(),
                name => self.call(begin(name)),
            }
        }
        eprintln!("{} {}", self.calls, self.good);
    }
}

const IMPORTS_REF: &[&Import] = &{
    let mut all = [&IMPORTS[0]; IMPORTS.len()];
    let mut i = 0;
    while i < all.len() {
        all[i] = &IMPORTS[i];
        i += 1;
    }
    all
};

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().expect("a number"));
    let seed = args.next().expect("a seed");
    let calls = args.next().expect("how many calls");
    let ports = args.map(|port| port as u16).collect();
    let mut guest = Guest {
        random: Random(seed | 1),
        known: Default::default(),
        dropped: Default::default(),
        permits: Vec::new(),
        ports,
        results: Box::new([0; 16]),
        buffer: vec![b'x'; 70_000],
        calls: 0,
        good: 0,
    };
    guest.run(calls);
}
