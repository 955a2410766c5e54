//! For checks of this program on other targets: there is nothing that it could be the floor of.

use std::net::SocketAddrV4;
use std::time::Duration;

use crate::Found;

pub(crate) struct Listener;

impl Listener {
    pub(crate) fn bind(_: SocketAddrV4) -> Listener {
        panic!("the bare loop is for WASI")
    }

    pub(crate) fn subscription(&self) -> u32 {
        0
    }

    pub(crate) fn accept(&self) -> Option<Stream> {
        None
    }
}

pub(crate) struct Stream(Found);

impl Stream {
    pub(crate) fn subscription(&self) -> u32 {
        0
    }

    pub(crate) fn echo(&mut self) -> Found {
        std::mem::replace(&mut self.0, Found::Nothing)
    }
}

#[derive(Default)]
pub(crate) struct Set(());

impl Set {
    pub(crate) fn push(&mut self, _: u32) {}
    pub(crate) fn swap_remove(&mut self, _: usize) {}
    pub(crate) fn clear(&mut self) {}
    pub(crate) fn poll(&mut self, _: Option<Duration>, _: &mut Vec<usize>) {}
}

/// There is none here.
pub(crate) enum Queue {}

impl Queue {
    pub(crate) fn open() -> Option<Queue> {
        None
    }

    pub(crate) fn arm(&mut self, _: u32, _: usize) {
        match *self {}
    }

    pub(crate) fn wait(&mut self, _: &mut Vec<usize>) {
        match *self {}
    }
}
