//! The parts of the public types that only the operating systems have. Nothing below depends on them.

#[path = "../../descriptors.rs"]
mod descriptors;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
mod process;
mod tcp;
mod udp;
mod unix;
