//! Calls of the imports for files, clocks and the rest of preview 1.

use super::call::Output;
use super::calls::Maker;

/// In a folder that all guests share. What is outside of it is secret.
const PATHS: &[&str] = &[
    "a",
    "b",
    "c",
    "d",
    "e",
    "d/x",
    "d/y",
    "e/x",
    "l",
    "d/l",
    ".",
    "..",
    "../outside",
    "d/../../outside",
    "/etc/passwd",
    "",
    "a/",
    "a\0b",
    "./a",
    "l/x",
    "\u{1b}[31m\n",
];
const WIDE: &[i64] = &[
    -1,
    i64::MAX,
    i64::MIN,
    1 << 32,
    (1 << 32) - 1,
    1 << 40,
    i64::MAX - 1,
    -4096,
    1 << 62,
    0x7fff_ffff,
];

impl Maker<'_> {
    /// A number of 64 bits: an offset, a length, a time, rights.
    fn wide(&mut self) -> i64 {
        match self.random.u32(0..20) {
            0 => WIDE[self.random.usize(..WIDE.len())],
            1 => self.random.i64(..),
            _ => self.random.i64(0..100_000),
        }
    }

    /// The descriptor of the folder, mostly.
    fn folder(&mut self) -> i64 {
        if self.one_in(4) { self.file() } else { 3 }
    }

    /// The descriptor of something opened, mostly.
    fn file(&mut self) -> i64 {
        let known = self.known;
        let files = &known.files;
        if files.is_empty() || self.one_in(10) {
            return self.fd().into();
        }
        files[self.random.usize(..files.len())].into()
    }

    fn path(&mut self) -> [i64; 2] {
        if self.one_in(100) {
            return [self.place(4096, 1).into(), self.absurd().into()];
        }
        let path = PATHS[self.random.usize(..PATHS.len())].as_bytes();
        let at = self.place(path.len(), 1);
        self.write(at, path.to_vec());
        [at.into(), path.len() as i64]
    }

    /// A buffer that is written to.
    fn room(&mut self) -> [i64; 2] {
        let len = self.len();
        let at = self.place(len.clamp(0, 0x8000) as usize, 1);
        self.call.outputs.push(Output::Bytes(at, len as u32 as usize));
        [at.into(), len.into()]
    }

    fn out(&mut self, len: usize) -> i64 {
        self.output(len, 8).into()
    }

    fn below(&mut self, n: i32) -> i64 {
        if self.one_in(40) { self.absurd().into() } else { self.random.i32(0..n).into() }
    }

    /// Arguments of the imports that take no socket.
    pub(super) fn on_files(&mut self, name: &str) -> Vec<i64> {
        match name {
            "args_get" | "environ_get" => {
                // One argument `fuzz`, one variable `A=b`.
                let pointers = self.out(4);
                vec![pointers, self.out(5)]
            }
            "args_sizes_get" | "environ_sizes_get" => {
                let count = self.out(4);
                vec![count, self.out(4)]
            }
            "clock_res_get" => vec![self.below(5), self.out(8)],
            "clock_time_get" => vec![self.below(5), self.wide(), self.out(8)],
            "random_get" => self.room().to_vec(),
            "fd_advise" => vec![self.file(), self.wide(), self.wide(), self.below(7)],
            "fd_allocate" | "fd_fdstat_set_rights" => vec![self.file(), self.wide(), self.wide()],
            "fd_datasync" | "fd_sync" => vec![self.file()],
            "fd_filestat_set_size" => vec![self.file(), self.wide()],
            "fd_filestat_set_times" => vec![self.file(), self.wide(), self.wide(), self.below(17)],
            "fd_pread" | "fd_pwrite" => {
                let (at, n) = self.buffers(name == "fd_pread");
                vec![self.file(), at.into(), n.into(), self.wide(), self.out(4)]
            }
            "fd_prestat_get" => vec![self.folder(), self.out(8)],
            "fd_prestat_dir_name" => [vec![self.folder()], self.room().to_vec()].concat(),
            "fd_readdir" => {
                let [at, len] = self.room();
                let cookie = if self.one_in(3) { self.wide() } else { self.below(4) };
                vec![self.folder(), at, len, cookie, self.out(4)]
            }
            "fd_seek" => vec![self.file(), self.wide(), self.below(4), self.out(8)],
            "fd_tell" => vec![self.file(), self.out(8)],
            "path_create_directory" | "path_remove_directory" | "path_unlink_file" => {
                [vec![self.folder()], self.path().to_vec()].concat()
            }
            "path_filestat_get" => {
                let [path, len] = self.path();
                vec![self.folder(), self.below(2), path, len, self.out(64)]
            }
            "path_filestat_set_times" => {
                let [path, len] = self.path();
                let flags = self.below(2);
                vec![self.folder(), flags, path, len, self.wide(), self.wide(), self.below(17)]
            }
            "path_link" => {
                let ([old, old_len], [new, new_len]) = (self.path(), self.path());
                vec![self.folder(), self.below(2), old, old_len, self.folder(), new, new_len]
            }
            "path_open" => {
                let [path, len] = self.path();
                let rights = if self.one_in(10) { self.wide() } else { -1 };
                let (how, flags) = (self.below(16), self.below(32));
                vec![
                    self.folder(),
                    self.below(2),
                    path,
                    len,
                    how,
                    rights,
                    rights,
                    flags,
                    self.out(4),
                ]
            }
            "path_readlink" => {
                let ([path, len], [at, room]) = (self.path(), self.room());
                vec![self.folder(), path, len, at, room, self.out(4)]
            }
            "path_rename" => {
                let ([old, old_len], [new, new_len]) = (self.path(), self.path());
                vec![self.folder(), old, old_len, self.folder(), new, new_len]
            }
            "path_symlink" => {
                let ([old, old_len], [new, new_len]) = (self.path(), self.path());
                vec![old, old_len, self.folder(), new, new_len]
            }
            _ => Vec::new(),
        }
    }
}
