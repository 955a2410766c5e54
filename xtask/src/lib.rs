//! What the project's commands share: where things are, how guests are built and started on an
//! engine, and how progress is shown. The engine tests in `tests/engines` use it too, so that a
//! guest is started in one way everywhere.

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
