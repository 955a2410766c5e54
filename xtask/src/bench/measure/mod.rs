//! How things are measured: programs are built and started on engines, interleaved, and their figures are collected.
//!
//! Knows neither what a group measures nor how figures are shown.

pub(crate) mod client;
pub(crate) mod host;
pub(crate) mod machine;
pub(crate) mod network;
pub(crate) mod programs;
pub(crate) mod results;
pub(crate) mod rounds;
pub(crate) mod row;
pub(crate) mod scale;
pub(crate) mod servers;
pub(crate) mod session;
pub(crate) mod tools;
