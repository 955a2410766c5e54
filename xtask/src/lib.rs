//! Functions that the project's commands share: locations, building and starting guests, and showing progress. The
//! engine tests in `tests/engines` use them too, so that guests are started in one way.

#[macro_use]
#[path = "../../cli/src/targets.rs"]
pub mod targets;

pub mod cargo;
pub mod clang;
pub mod engine;
pub mod guests;
pub mod harness;
pub mod platform;
#[cfg(unix)]
pub mod postgres;
pub mod process;
pub mod processor;
pub mod report;
pub mod workspace;
