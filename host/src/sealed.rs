//! Memory with a descriptor: it can be mapped like a file, and cannot be changed once it is sealed.

#[cfg(target_os = "linux")]
mod imp {
    use std::fs::File;
    use std::io;

    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

    pub(crate) fn create() -> io::Result<File> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        Ok(memfd_create("wasio-code", flags)?.into())
    }

    pub(crate) fn seal(memory: &File) -> io::Result<()> {
        let all = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        Ok(fcntl_add_seals(memory, all)?)
    }

    /// Returns a path to the memory, for libraries that accept only paths.
    pub(crate) fn path(memory: &File) -> String {
        use std::os::fd::AsRawFd as _;
        format!("/proc/self/fd/{}", memory.as_raw_fd())
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::fs::File;
    use std::io;

    pub(crate) fn create() -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn seal(_memory: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn path(_memory: &File) -> String {
        String::new()
    }
}

pub(crate) use imp::{create, path, seal};
