//! The shell registers no sources, and its waits end through other threads and deadlines.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Raw, Unparker};
use crate::reactor::Source;
use crate::runtime::Builder;

#[test]
fn registration_is_unsupported() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("it needs no host");
    let error = runtime.block_on(async { Source::new(Raw).map(drop) }).expect_err("no sources");
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    let error = runtime.block_on(crate::signal::ctrl_c()).expect_err("no signals");
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
}

#[test]
fn an_unpark_before_the_wait_begins_ends_it() {
    let unparker = Unparker::default();
    unparker.park(None, &|| {
        unparker.unpark();
        false
    });
    unparker.park(None, &|| true);
}

#[test]
fn another_thread_ends_a_wait() {
    let unparker = Arc::new(Unparker::default());
    let other = thread::spawn({
        let unparker = unparker.clone();
        move || {
            thread::sleep(Duration::from_millis(10));
            unparker.unpark();
        }
    });
    unparker.park(None, &|| false);
    other.join().expect("it only unparks");
}
