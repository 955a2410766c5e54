//! `block_on` inside tasks and blocking closures of both kinds of runtime: what it waits for goes on meanwhile.

use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join_all;
use wasio::io::{AsyncReadExt, AsyncWriteExt};
use wasio::net::{TcpListener, TcpStream};
use wasio::runtime::{Builder, Runtime};
use wasio::sync::{mpsc, oneshot};
use wasio::task::{spawn, spawn_blocking, yield_now};
use wasio::time::{sleep, timeout};

fn both() -> [Runtime; 2] {
    [
        Builder::new_current_thread().enable_all().build().unwrap(),
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
    ]
}

#[test]
fn a_blocking_closure_connects_to_a_task() {
    for runtime in both() {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let addr = listener.local_addr().unwrap();
            let client = spawn_blocking(move || {
                block_on(async {
                    let mut stream = TcpStream::connect(addr).await.unwrap();
                    let mut answer = String::new();
                    stream.read_to_string(&mut answer).await.unwrap();
                    answer
                })
            });
            // A task: what a `block_on` further up waits for goes on only when those inside it have ended.
            spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(b"hello").await.unwrap();
            });
            assert_eq!(client.await.unwrap(), "hello");
        });
    }
}

#[test]
fn a_task_blocks_on_a_channel_of_another_task() {
    for runtime in both() {
        runtime.block_on(async {
            let (sender, receiver) = oneshot::channel();
            let waiting = spawn(async { block_on(receiver).unwrap() });
            spawn(async {
                yield_now().await;
                sleep(Duration::from_millis(5)).await;
                sender.send(7).unwrap();
            });
            assert_eq!(waiting.await.unwrap(), 7);
        });
    }
}

#[test]
fn tasks_that_block_nest() {
    for runtime in both() {
        runtime.block_on(async {
            let waits = [30, 10, 20]
                .map(|time| spawn(async move { block_on(sleep(Duration::from_millis(time))) }));
            for result in join_all(waits).await {
                result.unwrap();
            }
        });
    }
}

#[test]
fn timers_sockets_and_channels_at_once() {
    for runtime in both() {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (sender, mut receiver) = mpsc::channel(1);
            spawn(async move {
                for n in 0..200 {
                    sender.send(n).await.unwrap();
                }
            });
            let total = spawn_blocking(move || {
                block_on(async {
                    assert!(timeout(Duration::from_millis(5), listener.accept()).await.is_err());
                    let mut total = 0;
                    while let Some(n) = receiver.recv().await {
                        total += n;
                    }
                    // Futures with wakers of their own.
                    join_all((0..50).map(|_| sleep(Duration::from_millis(1)))).await;
                    total
                })
            });
            assert_eq!(total.await.unwrap(), 19_900);
        });
    }
}
