//! The imports of WASI 0.2 as the canonical ABI has them: handles are numbers, and nothing checks what is passed.

/// What an import takes, and what becomes of it in the canonical ABI.
#[derive(Clone, Copy, Debug)]
#[allow(non_camel_case_types, reason = "stands in the table of imports")]
pub enum Arg {
    // Handles.
    net,
    tcp,
    udp,
    gin,
    gout,
    names,
    input,
    output,
    poll,
    error,
    dir,
    entries,
    // Of an enum, or flags: so many values.
    of2,
    of3,
    of6,
    of16,
    of64,
    u8,
    u32,
    u64,
    time,
    text,
    bytes,
    polls,
    messages,
    address,
    maybe_address,
    /// Where the results go.
    ret,
}

/// What an import returns.
#[derive(Clone, Copy, Debug)]
pub enum Ret {
    /// Nothing of interest.
    Plain,
    /// A handle.
    Own(Arg),
    /// A result without handles.
    Result,
    /// The same with a list in it, that is freed.
    List,
    /// A result with handles.
    Owns(&'static [Arg]),
    /// A result that may be an error's handle, behind so many bytes.
    Stream(usize),
    /// The same with a list in it.
    StreamList,
    /// A list, that is freed.
    Plainlist,
    /// Folders and their names.
    Folders,
    /// It drops the handle.
    Drop,
}

pub struct Import {
    pub name: &'static str,
    pub args: &'static [Arg],
    pub ret: Ret,
    pub call: fn(&[i64]) -> i64,
}

pub trait Flat {
    fn of(value: i64) -> Self;
}

impl Flat for i32 {
    fn of(value: i64) -> i32 {
        value as i32
    }
}

impl Flat for i64 {
    fn of(value: i64) -> i64 {
        value
    }
}

/// Turns the kinds of parameters into the parameters of the import, one after the other.
macro_rules! flat {
    ($m:literal $n:literal $r:ty; [$($t:ty)*]) => {{
        #[link(wasm_import_module = $m)]
        unsafe extern "C" {
            #[link_name = $n]
            fn import($(_: $t),*) -> $r;
        }
        fn call(args: &[i64]) -> i64 {
            #[allow(unused)]
            let mut args = args.iter();
            // SAFETY: whatever is passed, the host writes to results and to what `cabi_realloc` gives it.
            unsafe { import($(<$t as Flat>::of(*args.next().unwrap())),*).into_i64() }
        }
        call
    }};
    ($m:literal $n:literal $r:ty; [$($t:ty)*] u64 $($rest:ident)*) => { flat!($m $n $r; [$($t)* i64] $($rest)*) };
    ($m:literal $n:literal $r:ty; [$($t:ty)*] time $($rest:ident)*) => { flat!($m $n $r; [$($t)* i32 i64 i32] $($rest)*) };
    ($m:literal $n:literal $r:ty; [$($t:ty)*] text $($rest:ident)*) => { flat!($m $n $r; [$($t)* i32 i32] $($rest)*) };
    ($m:literal $n:literal $r:ty; [$($t:ty)*] bytes $($rest:ident)*) => { flat!($m $n $r; [$($t)* i32 i32] $($rest)*) };
    ($m:literal $n:literal $r:ty; [$($t:ty)*] polls $($rest:ident)*) => { flat!($m $n $r; [$($t)* i32 i32] $($rest)*) };
    ($m:literal $n:literal $r:ty; [$($t:ty)*] messages $($rest:ident)*) => { flat!($m $n $r; [$($t)* i32 i32] $($rest)*) };
    ($m:literal $n:literal $r:ty; [$($t:ty)*] address $($rest:ident)*) => {
        flat!($m $n $r; [$($t)* i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32] $($rest)*)
    };
    ($m:literal $n:literal $r:ty; [$($t:ty)*] maybe_address $($rest:ident)*) => {
        flat!($m $n $r; [$($t)* i32] address $($rest)*)
    };
    ($m:literal $n:literal $r:ty; [$($t:ty)*] $one:ident $($rest:ident)*) => { flat!($m $n $r; [$($t)* i32] $($rest)*) };
}

pub trait Returned {
    fn into_i64(self) -> i64;
}

impl Returned for () {
    fn into_i64(self) -> i64 {
        0
    }
}

impl Returned for i32 {
    fn into_i64(self) -> i64 {
        self.into()
    }
}

impl Returned for i64 {
    fn into_i64(self) -> i64 {
        self
    }
}

macro_rules! imports {
    ($($m:literal { $($n:literal ($($arg:ident)*) $r:ty, $ret:expr;)* })*) => {
        pub const IMPORTS: &[Import] = &[$($(
            Import { name: $n, args: &[$(Arg::$arg),*], ret: $ret, call: flat!($m $n $r; [] $($arg)*) },
        )*)*];
    };
}

use Ret::*;

imports! {
    "wasi:sockets/instance-network@0.2.0" {
        "instance-network" () i32, Own(Arg::net);
    }
    "wasi:sockets/network@0.2.0" {
        "[resource-drop]network" (net) (), Drop;
    }
    "wasi:sockets/tcp-create-socket@0.2.0" {
        "create-tcp-socket" (of2 ret) (), Owns(&[Arg::tcp]);
    }
    "wasi:sockets/tcp@0.2.0" {
        "[method]tcp-socket.start-bind" (tcp net address ret) (), Result;
        "[method]tcp-socket.finish-bind" (tcp ret) (), Result;
        "[method]tcp-socket.start-connect" (tcp net address ret) (), Result;
        "[method]tcp-socket.finish-connect" (tcp ret) (), Owns(&[Arg::input, Arg::output]);
        "[method]tcp-socket.start-listen" (tcp ret) (), Result;
        "[method]tcp-socket.finish-listen" (tcp ret) (), Result;
        "[method]tcp-socket.accept" (tcp ret) (), Owns(&[Arg::tcp, Arg::input, Arg::output]);
        "[method]tcp-socket.local-address" (tcp ret) (), Result;
        "[method]tcp-socket.remote-address" (tcp ret) (), Result;
        "[method]tcp-socket.is-listening" (tcp) i32, Plain;
        "[method]tcp-socket.address-family" (tcp) i32, Plain;
        "[method]tcp-socket.set-listen-backlog-size" (tcp u64 ret) (), Result;
        "[method]tcp-socket.keep-alive-enabled" (tcp ret) (), Result;
        "[method]tcp-socket.set-keep-alive-enabled" (tcp of2 ret) (), Result;
        "[method]tcp-socket.keep-alive-idle-time" (tcp ret) (), Result;
        "[method]tcp-socket.set-keep-alive-idle-time" (tcp u64 ret) (), Result;
        "[method]tcp-socket.keep-alive-interval" (tcp ret) (), Result;
        "[method]tcp-socket.set-keep-alive-interval" (tcp u64 ret) (), Result;
        "[method]tcp-socket.keep-alive-count" (tcp ret) (), Result;
        "[method]tcp-socket.set-keep-alive-count" (tcp u32 ret) (), Result;
        "[method]tcp-socket.hop-limit" (tcp ret) (), Result;
        "[method]tcp-socket.set-hop-limit" (tcp u8 ret) (), Result;
        "[method]tcp-socket.receive-buffer-size" (tcp ret) (), Result;
        "[method]tcp-socket.set-receive-buffer-size" (tcp u64 ret) (), Result;
        "[method]tcp-socket.send-buffer-size" (tcp ret) (), Result;
        "[method]tcp-socket.set-send-buffer-size" (tcp u64 ret) (), Result;
        "[method]tcp-socket.subscribe" (tcp) i32, Own(Arg::poll);
        "[method]tcp-socket.shutdown" (tcp of3 ret) (), Result;
        "[resource-drop]tcp-socket" (tcp) (), Drop;
    }
    "wasi:sockets/udp-create-socket@0.2.0" {
        "create-udp-socket" (of2 ret) (), Owns(&[Arg::udp]);
    }
    "wasi:sockets/udp@0.2.0" {
        "[method]udp-socket.start-bind" (udp net address ret) (), Result;
        "[method]udp-socket.finish-bind" (udp ret) (), Result;
        "[method]udp-socket.stream" (udp maybe_address ret) (), Owns(&[Arg::gin, Arg::gout]);
        "[method]udp-socket.local-address" (udp ret) (), Result;
        "[method]udp-socket.remote-address" (udp ret) (), Result;
        "[method]udp-socket.address-family" (udp) i32, Plain;
        "[method]udp-socket.unicast-hop-limit" (udp ret) (), Result;
        "[method]udp-socket.set-unicast-hop-limit" (udp u8 ret) (), Result;
        "[method]udp-socket.receive-buffer-size" (udp ret) (), Result;
        "[method]udp-socket.set-receive-buffer-size" (udp u64 ret) (), Result;
        "[method]udp-socket.send-buffer-size" (udp ret) (), Result;
        "[method]udp-socket.set-send-buffer-size" (udp u64 ret) (), Result;
        "[method]udp-socket.subscribe" (udp) i32, Own(Arg::poll);
        "[method]incoming-datagram-stream.receive" (gin u64 ret) (), List;
        "[method]incoming-datagram-stream.subscribe" (gin) i32, Own(Arg::poll);
        "[method]outgoing-datagram-stream.check-send" (gout ret) (), Result;
        "[method]outgoing-datagram-stream.send" (gout messages ret) (), Result;
        "[method]outgoing-datagram-stream.subscribe" (gout) i32, Own(Arg::poll);
        "[resource-drop]incoming-datagram-stream" (gin) (), Drop;
        "[resource-drop]outgoing-datagram-stream" (gout) (), Drop;
        "[resource-drop]udp-socket" (udp) (), Drop;
    }
    "wasi:sockets/ip-name-lookup@0.2.0" {
        "resolve-addresses" (net text ret) (), Owns(&[Arg::names]);
        "[method]resolve-address-stream.resolve-next-address" (names ret) (), Result;
        "[method]resolve-address-stream.subscribe" (names) i32, Own(Arg::poll);
        "[resource-drop]resolve-address-stream" (names) (), Drop;
    }
    "wasi:io/error@0.2.0" {
        "[method]error.to-debug-string" (error ret) (), Plainlist;
        "[resource-drop]error" (error) (), Drop;
    }
    "wasi:io/poll@0.2.0" {
        "[method]pollable.ready" (poll) i32, Plain;
        "[method]pollable.block" (poll) (), Plain;
        "poll" (polls ret) (), Plainlist;
        "[resource-drop]pollable" (poll) (), Drop;
    }
    "wasi:io/streams@0.2.0" {
        "[method]input-stream.read" (input u64 ret) (), StreamList;
        "[method]input-stream.blocking-read" (input u64 ret) (), StreamList;
        "[method]input-stream.skip" (input u64 ret) (), Stream(8);
        "[method]input-stream.blocking-skip" (input u64 ret) (), Stream(8);
        "[method]input-stream.subscribe" (input) i32, Own(Arg::poll);
        "[resource-drop]input-stream" (input) (), Drop;
        "[method]output-stream.check-write" (output ret) (), Stream(8);
        "[method]output-stream.write" (output bytes ret) (), Stream(4);
        "[method]output-stream.blocking-write-and-flush" (output bytes ret) (), Stream(4);
        "[method]output-stream.flush" (output ret) (), Stream(4);
        "[method]output-stream.blocking-flush" (output ret) (), Stream(4);
        "[method]output-stream.subscribe" (output) i32, Own(Arg::poll);
        "[method]output-stream.write-zeroes" (output u64 ret) (), Stream(4);
        "[method]output-stream.blocking-write-zeroes-and-flush" (output u64 ret) (), Stream(4);
        "[method]output-stream.splice" (output input u64 ret) (), Stream(8);
        "[method]output-stream.blocking-splice" (output input u64 ret) (), Stream(8);
        "[resource-drop]output-stream" (output) (), Drop;
    }
    "wasi:cli/stdin@0.2.0" {
        "get-stdin" () i32, Own(Arg::input);
    }
    "wasi:cli/stdout@0.2.0" {
        "get-stdout" () i32, Own(Arg::output);
    }
    "wasi:cli/environment@0.2.0" {
        "get-environment" (ret) (), Plainlist;
        "get-arguments" (ret) (), Plainlist;
        "initial-cwd" (ret) (), Plain;
    }
    "wasi:clocks/monotonic-clock@0.2.0" {
        "now" () i64, Plain;
        "resolution" () i64, Plain;
        "subscribe-instant" (u64) i32, Own(Arg::poll);
        "subscribe-duration" (u64) i32, Own(Arg::poll);
    }
    "wasi:clocks/wall-clock@0.2.0" {
        "now" (ret) (), Plain;
        "resolution" (ret) (), Plain;
    }
    "wasi:random/random@0.2.0" {
        "get-random-bytes" (u64 ret) (), Plainlist;
        "get-random-u64" () i64, Plain;
    }
    "wasi:random/insecure@0.2.0" {
        "get-insecure-random-bytes" (u64 ret) (), Plainlist;
        "get-insecure-random-u64" () i64, Plain;
    }
    "wasi:random/insecure-seed@0.2.0" {
        "insecure-seed" (ret) (), Plain;
    }
    "wasi:filesystem/preopens@0.2.0" {
        "get-directories" (ret) (), Folders;
    }
    "wasi:filesystem/types@0.2.0" {
        "[method]descriptor.read-via-stream" (dir u64 ret) (), Owns(&[Arg::input]);
        "[method]descriptor.write-via-stream" (dir u64 ret) (), Owns(&[Arg::output]);
        "[method]descriptor.append-via-stream" (dir ret) (), Owns(&[Arg::output]);
        "[method]descriptor.advise" (dir u64 u64 of6 ret) (), Result;
        "[method]descriptor.sync-data" (dir ret) (), Result;
        "[method]descriptor.get-flags" (dir ret) (), Result;
        "[method]descriptor.get-type" (dir ret) (), Result;
        "[method]descriptor.set-size" (dir u64 ret) (), Result;
        "[method]descriptor.set-times" (dir time time ret) (), Result;
        "[method]descriptor.read" (dir u64 u64 ret) (), List;
        "[method]descriptor.write" (dir bytes u64 ret) (), Result;
        "[method]descriptor.read-directory" (dir ret) (), Owns(&[Arg::entries]);
        "[method]descriptor.sync" (dir ret) (), Result;
        "[method]descriptor.create-directory-at" (dir text ret) (), Result;
        "[method]descriptor.stat" (dir ret) (), Result;
        "[method]descriptor.stat-at" (dir of2 text ret) (), Result;
        "[method]descriptor.set-times-at" (dir of2 text time time ret) (), Result;
        "[method]descriptor.link-at" (dir of2 text dir text ret) (), Result;
        "[method]descriptor.open-at" (dir of2 text of16 of64 ret) (), Owns(&[Arg::dir]);
        "[method]descriptor.readlink-at" (dir text ret) (), List;
        "[method]descriptor.remove-directory-at" (dir text ret) (), Result;
        "[method]descriptor.rename-at" (dir text dir text ret) (), Result;
        "[method]descriptor.symlink-at" (dir text text ret) (), Result;
        "[method]descriptor.unlink-file-at" (dir text ret) (), Result;
        "[method]descriptor.is-same-object" (dir dir) i32, Plain;
        "[method]descriptor.metadata-hash" (dir ret) (), Result;
        "[method]descriptor.metadata-hash-at" (dir of2 text ret) (), Result;
        "[method]directory-entry-stream.read-directory-entry" (entries ret) (), Result;
        "filesystem-error-code" (error ret) (), Plain;
        "[resource-drop]directory-entry-stream" (entries) (), Drop;
        "[resource-drop]descriptor" (dir) (), Drop;
    }
}
