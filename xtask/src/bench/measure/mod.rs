//! Measuring: programs are built and started on engines, in alternation, and their figures are collected.
//!
//! This module knows neither the groups nor the report.

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
