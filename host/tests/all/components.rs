//! How many sockets and handles a component may have.

use wasio_host::Policy;

use crate::support::*;

#[test]
fn its_sockets_are_counted() {
    succeeds(component(&["sockets", "20"]).max_sockets(20));
}

#[test]
fn a_connection_beyond_the_limit_stays_in_the_queue() {
    succeeds(component(&["accepts"]).max_sockets(4));
}

/// It gets a few, so that connecting can say what was refused.
#[test]
fn without_a_grant_it_gets_few() {
    succeeds(component(&["denied", "16"]).network(Policy::none()));
}

/// The handles of its sockets come on top of others.
#[test]
fn handles_are_no_limit_before_sockets_are() {
    succeeds(component(&["handles"]).max_sockets(300));
}
