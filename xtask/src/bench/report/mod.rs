//! How figures are shown and judged.

pub(crate) mod chart;
pub(crate) mod page;
pub(crate) mod rules;
pub(crate) mod text;
