//! wasio under the name tokio.
