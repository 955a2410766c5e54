//! `block_on`, inside tasks of both kinds of runtime and without a runtime.

use std::time::Duration;

use pollster::{FutureExt, block_on};
use wasio::runtime::{Builder, Runtime};
use wasio::sync::oneshot;
use wasio::time::sleep;

fn both() -> [Runtime; 2] {
    [
        Builder::new_current_thread().enable_all().build().unwrap(),
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
    ]
}

#[test]
fn a_task_blocks_on_another_task() {
    for runtime in both() {
        let answer = runtime.block_on(async {
            let (send, receive) = oneshot::channel();
            let waiting = wasio::spawn(async { receive.block_on().unwrap() });
            wasio::spawn(async move {
                sleep(Duration::from_millis(5)).await;
                send.send(42).unwrap();
            });
            waiting.await.unwrap()
        });
        assert_eq!(answer, 42);
    }
}

#[test]
fn without_a_runtime() {
    assert_eq!(block_on(async { 7 }), 7);
    assert_eq!(std::future::ready(8).block_on(), 8);
    let runtime = Runtime::new().unwrap();
    let (send, receive) = oneshot::channel();
    runtime.spawn(async move {
        sleep(Duration::from_millis(1)).await;
        send.send("came").unwrap();
    });
    assert_eq!(block_on(receive), Ok("came"));
}
