//! WASI error numbers, and the conversion of the host's errors.
//!
//! Only the numbers that this crate returns have names here. If the operating system's number has a meaning of its own,
//! it is mapped. Otherwise the [`io::ErrorKind`] is, so that Windows takes the same path.

use std::io;

/// A WASI preview 1 error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) u16);

macro_rules! errnos {
    ($($name:ident = $value:literal),* $(,)?) => {
        // Not every system has all of them.
        #[cfg_attr(not(all(target_os = "linux", target_pointer_width = "64")), allow(dead_code))]
        impl Errno {
            $(pub(crate) const $name: Errno = Errno($value);)*
        }
    };
}

errnos! {
    ACCES = 2, ADDRINUSE = 3, ADDRNOTAVAIL = 4, AFNOSUPPORT = 5, AGAIN = 6, ALREADY = 7,
    BADF = 8, BUSY = 10, CONNABORTED = 13, CONNREFUSED = 14, CONNRESET = 15, DESTADDRREQ = 17,
    FAULT = 21, HOSTUNREACH = 23, ILSEQ = 25, INPROGRESS = 26, INTR = 27, INVAL = 28, IO = 29, ISCONN = 30,
    MFILE = 33, MSGSIZE = 35, NAMETOOLONG = 37, NETDOWN = 38, NETRESET = 39, NETUNREACH = 40, NFILE = 41,
    NOBUFS = 42, NOENT = 44, NOMEM = 48, NOPROTOOPT = 50, NOTCONN = 53, NOTSOCK = 57,
    NOTSUP = 58, OVERFLOW = 61, PERM = 63, PIPE = 64, PROTONOSUPPORT = 66,
    SPIPE = 70, TIMEDOUT = 73,
    AIBADFLAG = 79, AIFAMILY = 81, AIMEMORY = 82, AINONAME = 84, AISERVICE = 85, AISOCKTYPE = 86,
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        Errno::from(&error)
    }
}

impl From<&io::Error> for Errno {
    fn from(error: &io::Error) -> Errno {
        if let Some(errno) = error.raw_os_error().and_then(from_os) {
            return errno;
        }
        use io::ErrorKind::*;
        match error.kind() {
            NotFound => Errno::NOENT,
            PermissionDenied => Errno::ACCES,
            ConnectionRefused => Errno::CONNREFUSED,
            ConnectionReset => Errno::CONNRESET,
            ConnectionAborted => Errno::CONNABORTED,
            HostUnreachable => Errno::HOSTUNREACH,
            NetworkUnreachable => Errno::NETUNREACH,
            NetworkDown => Errno::NETDOWN,
            NotConnected => Errno::NOTCONN,
            AddrInUse => Errno::ADDRINUSE,
            AddrNotAvailable => Errno::ADDRNOTAVAIL,
            BrokenPipe => Errno::PIPE,
            WouldBlock => Errno::AGAIN,
            InvalidInput => Errno::INVAL,
            TimedOut => Errno::TIMEDOUT,
            Interrupted => Errno::INTR,
            Unsupported => Errno::NOTSUP,
            OutOfMemory => Errno::NOMEM,
            ResourceBusy => Errno::BUSY,
            _ => Errno::IO,
        }
    }
}

#[cfg(unix)]
fn from_os(code: i32) -> Option<Errno> {
    Some(match code {
        libc::EACCES => Errno::ACCES,
        libc::EPERM => Errno::PERM,
        libc::EAFNOSUPPORT => Errno::AFNOSUPPORT,
        libc::EALREADY => Errno::ALREADY,
        libc::EBADF => Errno::BADF,
        libc::EDESTADDRREQ => Errno::DESTADDRREQ,
        libc::EFAULT => Errno::FAULT,
        libc::EINPROGRESS => Errno::INPROGRESS,
        libc::EISCONN => Errno::ISCONN,
        libc::EMFILE => Errno::MFILE,
        libc::EMSGSIZE => Errno::MSGSIZE,
        libc::ENETRESET => Errno::NETRESET,
        libc::ENFILE => Errno::NFILE,
        libc::ENOBUFS => Errno::NOBUFS,
        libc::ENOPROTOOPT => Errno::NOPROTOOPT,
        libc::ENOTSOCK => Errno::NOTSOCK,
        libc::EOPNOTSUPP => Errno::NOTSUP,
        libc::EPROTONOSUPPORT => Errno::PROTONOSUPPORT,
        _ => return None,
    })
}

/// Winsock's numbers. Those that are missing here have an `ErrorKind`.
#[cfg(windows)]
fn from_os(code: i32) -> Option<Errno> {
    Some(match code {
        10009 => Errno::BADF,
        10014 => Errno::FAULT,
        10024 => Errno::MFILE,
        10036 => Errno::INPROGRESS,
        10037 => Errno::ALREADY,
        10038 => Errno::NOTSOCK,
        10039 => Errno::DESTADDRREQ,
        10040 => Errno::MSGSIZE,
        10042 => Errno::NOPROTOOPT,
        10043 => Errno::PROTONOSUPPORT,
        10045 => Errno::NOTSUP,
        10047 => Errno::AFNOSUPPORT,
        10052 => Errno::NETRESET,
        10055 => Errno::NOBUFS,
        10056 => Errno::ISCONN,
        _ => return None,
    })
}

#[cfg(not(any(unix, windows)))]
fn from_os(_code: i32) -> Option<Errno> {
    None
}

/// The result of an import that may also end the guest: an error number, or 0.
pub(crate) type Returned = wasmtime::Result<i32>;

/// Returns the outcome to the guest.
pub(crate) fn returned(result: Result<(), Errno>) -> Returned {
    Ok(number(result))
}

/// The outcome as a number.
pub(crate) fn number(result: Result<(), Errno>) -> i32 {
    result.map_or_else(|errno| i32::from(errno.0), |()| 0)
}
