//! Programs that end badly, each in its own way: `panics CASE`.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Builder;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args[1].as_str() {
        "spawn-outside" => drop(tokio::spawn(async {})),
        "sleep-outside" => drop(tokio::time::sleep(Duration::from_millis(1))),
        "connect-outside" => {
            let mut connect = std::pin::pin!(TcpStream::connect("127.0.0.1:1"));
            let waker = std::task::Waker::noop();
            let _ = connect.as_mut().poll(&mut std::task::Context::from_waker(waker));
        }
        "nested" => in_runtime(async { in_runtime(async {}) }),
        "task" => in_runtime(async {
            let task = tokio::spawn(async { panic!("the task's own words") });
            let error = task.await.expect_err("it panicked");
            // Only where a panic unwinds is there anything after it.
            println!("the task panicked: {}", error.is_panic());
        }),
        "deadlock" => in_runtime(async {
            let (_sender, mut receiver) = tokio::sync::mpsc::channel::<()>(1);
            receiver.recv().await;
        }),
        "condvar" => in_runtime(async {
            // As executors' `block_on` wait (pollster, futures-lite).
            let (mutex, condvar) = (std::sync::Mutex::new(()), std::sync::Condvar::new());
            drop(condvar.wait(mutex.lock().unwrap()).unwrap());
        }),
        "ctrl-c" => in_runtime(async {
            println!("waiting");
            let _ = tokio::signal::ctrl_c().await;
        }),
        "ctrl-c-twice" => in_runtime(async {
            println!("waiting");
            // Those who wait at the same time are all told.
            let (first, second) = tokio::join!(tokio::signal::ctrl_c(), tokio::signal::ctrl_c());
            println!("told: {}", first.is_ok() && second.is_ok());
            let again = tokio::time::timeout(Duration::from_millis(100), tokio::signal::ctrl_c());
            println!("told of it again: {}", again.await.is_ok());
            tokio::time::sleep(Duration::from_secs(600)).await;
        }),
        "exit" => in_runtime(async { std::process::exit(7) }),
        other => panic!("no case {other}"),
    }
    println!("came to its end");
}

fn in_runtime(work: impl Future<Output = ()>) {
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work);
}
