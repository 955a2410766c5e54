//! The table of imports: their names, types and implementations. No implementation is imported here, so that counters
//! and trampolines depend on the table alone.
//!
//! A guest may import one name with two types (`sock_accept` has two parameters on WasmEdge and three in WASI), so
//! definitions are identified by name *and* parameters. wasmtime's `Linker` holds one definition per name. The name it
//! is given is therefore a [`key`], and each import of a module is matched against the keys one by one.
//!
//! Kinds of line:
//!
//! - `wasi`: wasmtime-wasi's own implementation;
//! - `file`: the same, on a thread for files (`wasi.rs`);
//! - `plain`: implemented here, returns at once;
//! - `suspend`: implemented here, may suspend the guest's stack;
//! - `fast`: the same, with a fast path that is tried first and never suspends (`trampoline.rs`);
//! - `shared`: implemented here. Either the descriptor decides whether it is served here or by wasmtime-wasi, or the
//!   work is done in pieces (`files.rs`, `bulk.rs`, `folders.rs`, `random.rs`), or it is `poll_oneoff` (`poll/`);
//! - `exit`: ends the guest.
//!
//! Parameters of type `fd` are descriptors of wasmtime-wasi, which may have other numbers in the guest. The types of
//! the parameters of `file` imports say what is copied for the thread that makes the call (`frame.rs`).

use wasmtime::{FuncType, ValType};

/// The module that all imports are in.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// The result of a fast path that does not apply and has done nothing. It is not an error number.
pub(crate) const NOT_TAKEN: i32 = -1;

/// Passes the table to a macro. The implementations must be in the scope of that macro.
macro_rules! table {
    ($then:ident) => {
        $then! {
            wasi ArgsGet "args_get" (argv: i32, buf: i32) wasi::args_get;
            wasi ArgsSizesGet "args_sizes_get" (n: i32, len: i32) wasi::args_sizes_get;
            wasi EnvironGet "environ_get" (env: i32, buf: i32) wasi::environ_get;
            wasi EnvironSizesGet "environ_sizes_get" (n: i32, len: i32) wasi::environ_sizes_get;
            wasi ClockResGet "clock_res_get" (id: i32, out: i32) wasi::clock_res_get;
            plain ClockTimeGet "clock_time_get" (id: i32, precision: i64, out: i32) clock::time_get;
            file FdAdvise "fd_advise" (fd: fd, at: i64, len: i64, advice: i32) wasi::fd_advise;
            wasi FdAllocate "fd_allocate" (fd: fd, at: i64, len: i64) wasi::fd_allocate;
            shared FdClose "fd_close" (fd: i32) files::close;
            file FdDatasync "fd_datasync" (fd: fd) wasi::fd_datasync;
            shared FdFdstatGet "fd_fdstat_get" (fd: i32, out: i32) files::fdstat_get;
            shared FdFdstatSetFlags "fd_fdstat_set_flags" (fd: i32, flags: i32) files::fdstat_set_flags;
            shared FdFdstatSetRights "fd_fdstat_set_rights" (fd: i32, base: i64, inheriting: i64) files::fdstat_set_rights;
            shared FdFilestatGet "fd_filestat_get" (fd: i32, out: i32) files::filestat_get;
            file FdFilestatSetSize "fd_filestat_set_size" (fd: fd, size: i64) wasi::fd_filestat_set_size;
            file FdFilestatSetTimes "fd_filestat_set_times" (fd: fd, atim: i64, mtim: i64, flags: i32) wasi::fd_filestat_set_times;
            shared FdPread "fd_pread" (fd: i32, iovs: i32, n: i32, at: i64, out: i32) bulk::pread;
            shared FdPrestatGet "fd_prestat_get" (fd: i32, out: i32) files::prestat_get;
            wasi FdPrestatDirName "fd_prestat_dir_name" (fd: fd, path: i32, len: i32) wasi::fd_prestat_dir_name;
            shared FdPwrite "fd_pwrite" (fd: i32, iovs: i32, n: i32, at: i64, out: i32) bulk::pwrite;
            shared FdRead "fd_read" (fd: i32, iovs: i32, n: i32, out: i32) bulk::read;
            shared FdReaddir "fd_readdir" (fd: i32, buf: i32, len: i32, cookie: i64, out: i32) folders::readdir;
            shared FdRenumber "fd_renumber" (from: i32, to: i32) files::renumber;
            shared FdSeek "fd_seek" (fd: i32, offset: i64, whence: i32, out: i32) files::seek;
            file FdSync "fd_sync" (fd: fd) wasi::fd_sync;
            wasi FdTell "fd_tell" (fd: fd, out: i32) wasi::fd_tell;
            shared FdWrite "fd_write" (fd: i32, iovs: i32, n: i32, out: i32) bulk::write;
            file PathCreateDirectory "path_create_directory" (fd: fd, path: text, len: size) wasi::path_create_directory;
            file PathFilestatGet "path_filestat_get" (fd: fd, flags: i32, path: text, len: size, out: out64) wasi::path_filestat_get;
            file PathFilestatSetTimes "path_filestat_set_times" (fd: fd, flags: i32, path: text, len: size, atim: i64, mtim: i64, fst: i32) wasi::path_filestat_set_times;
            file PathLink "path_link" (from: fd, flags: i32, path: text, len: size, to: fd, new: text, new_len: size) wasi::path_link;
            shared PathOpen "path_open" (fd: i32, dirflags: i32, path: i32, len: i32, oflags: i32, base: i64, inheriting: i64, fdflags: i32, out: i32) folders::open;
            shared PathReadlink "path_readlink" (fd: i32, path: i32, len: i32, buf: i32, buf_len: i32, out: i32) folders::readlink;
            file PathRemoveDirectory "path_remove_directory" (fd: fd, path: text, len: size) wasi::path_remove_directory;
            file PathRename "path_rename" (fd: fd, old: text, old_len: size, to: fd, new: text, new_len: size) wasi::path_rename;
            file PathSymlink "path_symlink" (old: text, old_len: size, fd: fd, new: text, new_len: size) wasi::path_symlink;
            file PathUnlinkFile "path_unlink_file" (fd: fd, path: text, len: size) wasi::path_unlink_file;
            shared PollOneoff "poll_oneoff" (subs: i32, events: i32, n: i32, out: i32) poll::poll_oneoff;
            exit ProcExit "proc_exit" (code: i32) exit;
            wasi ProcRaise "proc_raise" (signal: i32) wasi::proc_raise;
            suspend SchedYield "sched_yield" () poll::sched_yield;
            shared RandomGet "random_get" (buf: i32, len: i32) random::random_get;

            plain SockOpen "sock_open" (family: i32, kind: i32, out: i32) open::open;
            plain SockBind "sock_bind" (fd: i32, addr: i32, port: i32) open::bind;
            suspend SockConnect "sock_connect" (fd: i32, addr: i32, port: i32) connect::connect;
            plain SockListen "sock_listen" (fd: i32, backlog: i32) open::listen;
            suspend SockAccept "sock_accept" (fd: i32, out: i32) open::accept;
            suspend SockAcceptFlags "sock_accept" (fd: i32, flags: i32, out: i32) open::accept_with_flags;
            fast SockRecv "sock_recv" (fd: i32, iovs: i32, n: i32, flags: i32, len: i32, oflags: i32) transfer::recv, fast_path::recv;
            suspend SockRecvFrom "sock_recv_from" (fd: i32, iovs: i32, n: i32, addr: i32, flags: i32, len: i32, oflags: i32) transfer::recv_from_v1;
            suspend SockRecvFromPort "sock_recv_from" (fd: i32, iovs: i32, n: i32, addr: i32, flags: i32, port: i32, len: i32, oflags: i32) transfer::recv_from_v2;
            fast SockSend "sock_send" (fd: i32, iovs: i32, n: i32, flags: i32, len: i32) transfer::send, fast_path::send;
            suspend SockSendTo "sock_send_to" (fd: i32, iovs: i32, n: i32, addr: i32, port: i32, flags: i32, len: i32) transfer::send_to;
            plain SockShutdown "sock_shutdown" (fd: i32, how: i32) open::shutdown;
            plain SockGetlocaladdr "sock_getlocaladdr" (fd: i32, addr: i32, ty: i32, port: i32) open::local_addr_v1;
            plain SockGetlocaladdrStorage "sock_getlocaladdr" (fd: i32, addr: i32, port: i32) open::local_addr_v2;
            plain SockGetpeeraddr "sock_getpeeraddr" (fd: i32, addr: i32, ty: i32, port: i32) open::peer_addr_v1;
            plain SockGetpeeraddrStorage "sock_getpeeraddr" (fd: i32, addr: i32, port: i32) open::peer_addr_v2;
            plain SockGetsockopt "sock_getsockopt" (fd: i32, level: i32, name: i32, out: i32, len: i32) options::get;
            plain SockSetsockopt "sock_setsockopt" (fd: i32, level: i32, name: i32, value: i32, len: i32) options::set;
            suspend SockGetaddrinfo "sock_getaddrinfo" (node: i32, node_len: i32, service: i32, service_len: i32, hints: i32, res: i32, max: i32, len: i32) lookup::getaddrinfo;
        }
    };
}
pub(crate) use table;

macro_rules! type_name {
    (i64) => {
        "i64"
    };
    ($ty:ident) => {
        "i32"
    };
}
pub(crate) use type_name;

macro_rules! key_of {
    ($name:literal $($ty:ident)*) => { concat!($name, "(", $($crate::p1::abi::type_name!($ty), " ",)* ")") };
}
pub(crate) use key_of;

macro_rules! fast_key {
    ($key:expr) => {
        concat!("?", $key)
    };
}
pub(crate) use fast_key;

macro_rules! describe {
    ($($how:ident $id:ident $name:literal ($($arg:ident: $ty:ident),*) $handler:path $(, $fast:path)?;)*) => {
        /// Every import, for counting.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Import { $($id),* }

        /// The names of [`Import`]s in the guest. Versions of one name repeat it.
        pub(crate) const NAMES: [&str; [$($name),*].len()] = [$($name),*];

        /// The keys of all definitions, for finding the nearest match.
        const KEYS: [&str; NAMES.len()] = [$(key_of!($name $($ty)*)),*];

        /// For each definition: its kind, the key of its fast path, and the types of its parameters.
        const KINDS: [(&str, &str, &[&str]); NAMES.len()] = [
            $((stringify!($how), fast_key!(key_of!($name $($ty)*)), &[$(stringify!($ty)),*])),*
        ];
    };
}
table!(describe);

/// Returns the key of the definition that answers an import of `name` with type `ty`.
///
/// # Errors
///
/// A sentence that says why there is none, or names the definitions of that name.
pub(crate) fn key(module: &str, name: &str, ty: &FuncType) -> Result<&'static str, String> {
    if module != MODULE {
        return Err(format!("no module named `{module}` is provided, only `{MODULE}`"));
    }
    // WasmEdge also accepts the second versions under their own names.
    let name = match name.strip_suffix("_v2") {
        Some(first) if first.starts_with("sock_") => first,
        _ => name,
    };
    let wanted = format!("{name}({})", ty.params().map(|p| format!("{p} ")).collect::<String>());
    let results = if name == "proc_exit" { 0 } else { 1 };
    let right_results =
        ty.results().len() == results && ty.results().all(|r| matches!(r, ValType::I32));
    if let Some(key) = KEYS.iter().find(|key| **key == wanted && right_results) {
        return Ok(key);
    }
    let known: Vec<_> = NAMES
        .iter()
        .zip(KEYS)
        .filter(|(n, _)| **n == name)
        .map(|(_, key)| signature(key, results))
        .collect();
    match known.len() {
        0 => Err("it is not part of WASI preview 1 or of WasmEdge's socket interface".to_owned()),
        _ => Err(format!("it is provided as {}", known.join(" or as "))),
    }
}

/// The imports that have a fast path: key, key of the fast path, number of parameters.
pub(crate) fn fast() -> impl Iterator<Item = (&'static str, &'static str, usize)> {
    let all = KEYS.into_iter().zip(&KINDS).filter(|(_, (how, ..))| *how == "fast");
    all.map(|(key, (_, plain, params))| (key, *plain, params.len()))
}

/// Returns whether the import of this key has a fast path.
pub(crate) fn is_fast(key: &str) -> bool {
    fast().any(|line| line.0 == key)
}

fn signature(key: &str, results: usize) -> String {
    let params = key
        .split_once('(')
        .map_or("", |(_, params)| params.trim_end_matches(" )").trim_end_matches(')'));
    format!("({}) -> ({})", params.replace(' ', ", "), if results == 0 { "" } else { "i32" })
}
