//! The tests of the public API, a module for each subject. They are one program, so that they are linked and compiled
//! for an engine once. Tests that need a process of their own are beside this folder. The shell has no sockets, no
//! processes, and no items of Unix.

mod fs_file;
mod fs_open_options;
#[cfg(not(wasio_shell))]
mod fs_paths;
#[cfg(not(wasio_shell))]
mod fs_read_dir;
mod fs_support;
mod io_budget;
mod io_buffered;
mod io_cancel;
mod io_copy;
mod io_duplex;
mod io_lines;
mod io_numbers;
mod io_read;
mod io_read_buf;
mod io_read_to_end;
mod io_support;
mod io_traits;
mod io_write;
mod macros_entry;
mod macros_join;
mod macros_select;
#[cfg(not(wasio_shell))]
mod net_cancel;
#[cfg(not(wasio_shell))]
mod net_churn;
#[cfg(not(wasio_shell))]
mod net_connect;
#[cfg(not(wasio_shell))]
mod net_idle;
#[cfg(not(wasio_shell))]
mod net_lookup;
#[cfg(not(wasio_shell))]
mod net_std;
#[cfg(not(wasio_shell))]
mod net_tcp;
#[cfg(not(wasio_shell))]
mod net_udp;
#[cfg(not(wasio_shell))]
mod net_unix;
#[cfg(not(wasio_shell))]
mod process;
mod runtime_block_on;
mod runtime_metrics;
#[cfg(not(wasio_shell))]
mod runtime_second;
mod sync_blocking;
mod sync_cancel;
mod sync_channels;
mod sync_fairness;
mod sync_locks;
mod sync_reentrancy;
mod sync_support;
mod sync_threads;
mod task_cancel;
mod task_local;
mod task_set;
mod task_spawn;
mod time_cancel;
mod time_clock;
mod time_far_future;
mod time_interval;
mod time_order;
mod time_panic;
mod time_reset;
mod time_timeout;
