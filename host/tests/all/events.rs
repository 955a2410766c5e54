//! What subscribers of `tracing` are told of guests.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use wasio_host::{Error, Guest, Policy};

use crate::support::*;

/// Keeps every event of the host's as a line: its level, its message, its fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wasio_host")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

impl Log {
    fn during(f: impl FnOnce()) -> Vec<String> {
        // Whoever subscribes at the very moment in which another thread comes to an event's place for the first time may
        // never be told of that event. So all places have been come to before.
        static BEFORE: Once = Once::new();
        BEFORE.call_once(|| {
            passes(&["clocks"]);
            succeeds(guest(&["denied", &peer(|_| {})]).network(Policy::none()));
        });
        let log = Log::default();
        tracing::subscriber::with_default(log.clone(), f);
        std::mem::take(&mut *log.0.lock().unwrap())
    }
}

#[test]
fn a_guest_starts_waits_and_ends() {
    let lines = Log::during(|| passes(&["clocks"]));
    assert_eq!(lines[0], "DEBUG guest started");
    let end = lines.last().unwrap();
    assert!(end.starts_with("INFO guest ended outcome=\"exited\" code=0 host_calls="), "{end}");
    for field in ["polls=", "bytes_in=0", "bytes_out=0", "running_ns=", "suspended_ns=", "fuel=0"] {
        assert!(end.contains(field), "{field} is not in {end}");
    }
    assert!(!end.contains("peak_memory=0"), "{end}");
    let waits = lines.iter().filter(|line| *line == "TRACE guest suspended").count();
    assert!(waits > 3, "{lines:?}");
    assert_eq!(lines.len(), waits + 2, "{lines:?}");
}

#[test]
fn refusals_are_told() {
    let port = peer(|_| {});
    let lines = Log::during(|| succeeds(guest(&["denied", &port]).network(Policy::none())));
    let action = format!("connect to 127.0.0.1:{port}");
    let refused = format!("{} guest refused action={action:?} rule=", Level::DEBUG);
    // Each time, connecting and sending: it is the function for denied accesses that is called once.
    assert_eq!(lines.iter().filter(|line| line.starts_with(&refused)).count(), 3, "{lines:?}");
}

#[test]
fn every_way_to_end_is_told() {
    let ends = |f: &dyn Fn()| Log::during(f).pop().unwrap();
    let trap = wat(r#"(module (func (export "_start") unreachable))"#);
    let spin = wat(r#"(module (func (export "_start") (loop br 0)))"#);
    let limited = || Guest::builder(&spin).timeout(Duration::from_millis(20));
    assert!(ends(&|| drop(run(Guest::builder(&trap)))).contains("outcome=\"trapped\" host_calls"));
    let timed_out = ends(&|| assert!(matches!(run(limited()), Err(Error::TimedOut(_)))));
    assert!(timed_out.contains("outcome=\"timed out\""), "{timed_out}");
    let dropped = ends(&|| {
        runtime().block_on(async {
            let guest = Guest::builder(&spin).build().unwrap().run();
            let _ = tokio::time::timeout(Duration::from_millis(20), guest).await;
        });
    });
    assert!(dropped.contains("outcome=\"dropped\""), "{dropped}");
    // One that never ran has neither begun nor ended.
    assert!(Log::during(|| drop(limited().build().unwrap())).is_empty());
}
