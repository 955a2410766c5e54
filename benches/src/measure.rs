//! How an operation is timed, whatever runs it: more and more rounds until they take long enough.
//!
//! The program's one argument says how long that is, in milliseconds; each figure is a line `NAME NANOSECONDS`.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

/// Prints the time of one round of `work`, which says how long all its rounds took.
pub async fn measure<F: Future<Output = Duration>>(name: &str, work: impl Fn(u32) -> F) {
    let argument = std::env::args().nth(1).expect("usage: executor MILLISECONDS");
    let long_enough = Duration::from_millis(argument.parse().expect("milliseconds"));
    let mut rounds = 1000;
    loop {
        let took = work(rounds).await;
        if took >= long_enough {
            println!("{name} {:.2}", took.as_secs_f64() * 1e9 / f64::from(rounds));
            return;
        }
        rounds = if took * 20 < long_enough { rounds * 10 } else { rounds * 2 };
    }
}

/// Wakes its own task and gives way, once.
pub async fn wake_and_give_way() {
    let mut woken = false;
    poll_fn(|cx| {
        if woken {
            return Poll::Ready(());
        }
        woken = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
