//! Dropping a source never waits on this target, so no source is kept.

use crate::reactor::io_state::IoState;
use crate::reactor::{Core, Source};

pub(crate) struct Lingering;

impl Lingering {
    pub(crate) const fn new() -> Lingering {
        Lingering
    }
}

#[inline(always)]
pub(crate) fn linger(_: &Source) -> bool {
    false
}

#[inline(always)]
pub(crate) fn drop_if_done(_: &Core, state: &IoState) -> bool {
    let Lingering = state.lingering;
    false
}

#[inline(always)]
pub(crate) fn end_lingering(_: &Core, _: &IoState) -> bool {
    false
}
