//! The report: pages, charts, and the bounds on figures.

pub(crate) mod chart;
pub(crate) mod page;
pub(crate) mod rules;
pub(crate) mod text;
