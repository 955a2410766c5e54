//! The channels: received values, closing, and counts.
#![forbid(unsafe_code)]

use crate::sync_support;

use sync_support::probe;
use wasio::sync::*;

#[wasio::test]
async fn mpsc_receives_everything_in_order_and_then_the_end() {
    let (tx, mut rx) = mpsc::channel(2);
    let other = tx.clone();
    let task = wasio::spawn(async move {
        for n in 0..100 {
            other.send(n).await.unwrap();
        }
    });
    drop(tx);
    for n in 0..100 {
        assert_eq!(rx.recv().await, Some(n));
    }
    assert_eq!(rx.recv().await, None);
    assert!(rx.is_closed());
    task.await.unwrap();
}

#[wasio::test]
async fn mpsc_recv_many_takes_what_is_there() {
    let (tx, mut rx) = mpsc::channel(8);
    let mut buffer = vec![0];
    assert_eq!(rx.recv_many(&mut buffer, 0).await, 0);
    (1..=5).for_each(|n| tx.try_send(n).unwrap());
    assert_eq!(rx.recv_many(&mut buffer, 3).await, 3);
    assert_eq!((tx.capacity(), rx.len()), (6, 2));
    assert_eq!(rx.recv_many(&mut buffer, 99).await, 2);
    assert_eq!(buffer, [0, 1, 2, 3, 4, 5]);
    drop(tx);
    assert_eq!(rx.recv_many(&mut buffer, 99).await, 0);
}

#[test]
fn mpsc_close_lets_what_was_promised_through() {
    let (tx, mut rx) = mpsc::channel(3);
    tx.try_send(1).unwrap();
    let permit = tx.try_reserve().unwrap();
    let mut waiting = probe(tx.reserve_many(2));
    assert!(waiting.is_pending());
    rx.close();
    assert!(rx.is_closed() && tx.is_closed());
    assert!(waiting.ready().is_err());
    drop(waiting);
    assert_eq!(tx.try_send(9), Err(mpsc::error::TrySendError::Closed(9)));
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(mpsc::error::TryRecvError::Empty));
    permit.send(2);
    assert_eq!(probe(rx.recv()).ready(), Some(2));
    assert_eq!(probe(rx.recv()).ready(), None);
    assert_eq!(rx.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
}

#[test]
fn mpsc_permits() {
    let (tx, mut rx) = mpsc::channel(4);
    assert!(tx.try_reserve_many(5).is_err());
    let mut permits = tx.try_reserve_many(3).unwrap();
    assert_eq!((permits.len(), tx.capacity()), (3, 1));
    permits.next().unwrap().send(1);
    drop(permits);
    assert_eq!(tx.capacity(), 3);

    let permit = tx.clone().try_reserve_owned().unwrap();
    assert!(permit.same_channel_as_sender(&tx));
    let tx2 = permit.send(2);
    let permit = tx2.try_reserve_owned().unwrap();
    drop(permit.release());
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Ok(2)));
    assert_eq!((tx.capacity(), tx.max_capacity(), tx.strong_count()), (4, 4, 1));
}

#[test]
fn mpsc_weak_senders_do_not_keep_it_open() {
    let (tx, mut rx) = mpsc::channel::<i32>(1);
    let weak = tx.downgrade();
    let again = weak.upgrade().unwrap();
    assert!(again.same_channel(&tx));
    assert_eq!((tx.strong_count(), tx.weak_count()), (2, 1));
    drop((tx, again));
    assert!(weak.clone().upgrade().is_none());
    assert_eq!((rx.sender_strong_count(), rx.sender_weak_count()), (0, 1));
    assert_eq!(probe(rx.recv()).ready(), None);

    let (tx, rx) = mpsc::unbounded_channel::<i32>();
    let weak = tx.downgrade();
    drop(rx);
    assert_eq!(weak.upgrade().unwrap().send(1), Err(mpsc::error::SendError(1)));
}

#[test]
fn mpsc_wakes_the_receiver_for_the_last_sender() {
    let (tx, mut rx) = mpsc::unbounded_channel::<()>();
    let other = tx.clone();
    let mut recv = probe(rx.recv());
    assert!(recv.is_pending());
    drop(tx);
    assert_eq!(recv.wakes(), 0);
    drop(other);
    assert_eq!(recv.wakes(), 1);
    assert_eq!(recv.ready(), None);
}

#[test]
fn mpsc_drops_what_was_not_received() {
    let value = std::sync::Arc::new(());
    let (tx, rx) = mpsc::unbounded_channel();
    (0..3).for_each(|_| tx.send(value.clone()).unwrap());
    drop(rx);
    assert_eq!(std::sync::Arc::strong_count(&value), 1);
}

#[wasio::test]
async fn mpsc_a_large_backlog() {
    let (tx, mut rx) = mpsc::unbounded_channel();
    // Miri is slow.
    let many = if cfg!(miri) { 300 } else { 10_000 };
    (0..many).for_each(|n| tx.send(n).unwrap());
    for n in 0..many {
        assert_eq!(rx.recv().await, Some(n));
    }
    tx.send(1).unwrap();
    assert_eq!(rx.recv().await, Some(1));
}

#[test]
fn oneshot_outcomes() {
    let (tx, mut rx) = oneshot::channel();
    assert_eq!(rx.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    tx.send(1).unwrap();
    assert!(!rx.is_empty());
    assert_eq!(probe(&mut rx).ready(), Ok(1));
    assert!(rx.is_terminated() && rx.is_empty());
    assert_eq!(rx.try_recv(), Err(oneshot::error::TryRecvError::Closed));

    let (tx, rx) = oneshot::channel::<i32>();
    let mut recv = probe(rx);
    assert!(recv.is_pending());
    drop(tx);
    assert_eq!(recv.wakes(), 1);
    assert_eq!(recv.ready().unwrap_err().to_string(), "channel closed");

    let (mut tx, rx) = oneshot::channel();
    let mut closed = probe(tx.closed());
    assert!(closed.is_pending());
    drop(rx);
    assert_eq!(closed.wakes(), 1);
    closed.ready();
    drop(closed);
    assert!(tx.is_closed());
    assert_eq!(tx.send(1), Err(1));

    let (tx, mut rx) = oneshot::channel();
    tx.send(1).unwrap();
    rx.close();
    assert_eq!(rx.try_recv(), Ok(1), "sent before it was closed");
}

#[test]
fn broadcast_everybody_gets_everything() {
    let (tx, mut one) = broadcast::channel(4);
    assert_eq!(tx.send(1).unwrap(), 1);
    let mut two = tx.subscribe();
    assert_eq!(tx.send(2).unwrap(), 2);
    assert_eq!((one.len(), two.len(), tx.len()), (2, 1, 2));
    assert_eq!((one.try_recv(), tx.len()), (Ok(1), 1));
    assert_eq!((one.try_recv(), two.try_recv()), (Ok(2), Ok(2)));
    assert!(tx.is_empty() && one.is_empty());
    assert_eq!(two.try_recv(), Err(broadcast::error::TryRecvError::Empty));
    drop(tx);
    assert_eq!(two.try_recv(), Err(broadcast::error::TryRecvError::Closed));
    assert!(one.is_closed());
}

#[test]
fn broadcast_the_slow_lag() {
    let (tx, mut slow) = broadcast::channel(3); // makes it 4
    (0..10).for_each(|n| assert_eq!(tx.send(n).unwrap(), 1));
    assert_eq!(slow.len(), 10);
    assert_eq!(probe(slow.recv()).ready(), Err(broadcast::error::RecvError::Lagged(6)));
    assert_eq!(slow.try_recv(), Ok(6));
    let mut late = slow.resubscribe();
    assert!(late.is_empty());
    drop(slow);
    assert_eq!(tx.len(), 0, "what only the slow one had not taken is gone with it");
    drop(tx);
    assert_eq!(late.try_recv(), Err(broadcast::error::TryRecvError::Closed));
}

#[test]
fn broadcast_drops_values_once_all_have_them() {
    let value = std::sync::Arc::new(());
    let (tx, mut one) = broadcast::channel(4);
    let two = tx.subscribe();
    tx.send(value.clone()).unwrap();
    one.try_recv().unwrap();
    assert_eq!(std::sync::Arc::strong_count(&value), 2);
    drop(two);
    assert_eq!(std::sync::Arc::strong_count(&value), 1);
    drop(one);
    assert!(tx.send(value.clone()).is_err());
}

#[test]
fn broadcast_senders() {
    let (tx, mut rx) = broadcast::channel::<i32>(1);
    let weak = tx.downgrade();
    assert!(weak.upgrade().unwrap().same_channel(&tx));
    assert_eq!((tx.strong_count(), rx.sender_weak_count()), (1, 1));
    let mut recv = probe(rx.recv());
    assert!(recv.is_pending());
    drop(tx);
    assert_eq!(recv.wakes(), 1);
    assert_eq!(recv.ready(), Err(broadcast::error::RecvError::Closed));
    assert!(weak.upgrade().is_none());
}

#[test]
fn watch_sees_the_last_value() {
    let (tx, mut rx) = watch::channel(0);
    assert!(!rx.has_changed().unwrap());
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    assert!(rx.has_changed().unwrap() && rx.borrow().has_changed());
    probe(rx.changed()).ready().unwrap();
    assert_eq!(*rx.borrow(), 2);
    assert!(probe(rx.changed()).is_pending());
    rx.mark_changed();
    assert!(rx.borrow_and_update().has_changed());
    assert!(!rx.borrow_and_update().has_changed());

    assert!(!tx.send_if_modified(|n| *n > 100));
    assert!(!rx.has_changed().unwrap());
    assert_eq!(tx.send_replace(7), 2);
    rx.mark_unchanged();
    assert!(!rx.has_changed().unwrap());
    let late = tx.subscribe();
    assert_eq!((tx.receiver_count(), tx.sender_count()), (2, 1));
    assert!(late.same_channel(&rx));
    tx.send_modify(|n| *n += 1);
    drop(tx);
    assert!(rx.has_changed().is_err());
    probe(rx.changed()).ready().unwrap();
    assert!(probe(rx.changed()).ready().is_err());
    assert_eq!(*rx.borrow(), 8);
}

#[test]
fn watch_waits_for_a_value() {
    let (tx, mut rx) = watch::channel(1);
    assert_eq!(*probe(rx.wait_for(|n| *n == 1)).ready().unwrap(), 1);
    let mut ten = probe(rx.wait_for(|n| *n >= 10));
    assert!(ten.is_pending());
    tx.send(5).unwrap();
    assert!(ten.is_pending());
    tx.send(11).unwrap();
    assert_eq!(*ten.ready().unwrap(), 11);
    drop(ten);
    tx.send(2).unwrap();
    drop(tx);
    assert!(probe(rx.wait_for(|n| *n == 3)).ready().is_err());
}

#[test]
#[cfg(panic = "unwind")]
fn watch_survives_a_panic_in_send_modify() {
    let (tx, mut rx) = watch::channel(0);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        tx.send_modify(|n| {
            *n = 1;
            panic!("half way");
        });
    }));
    assert!(panicked.is_err());
    assert!(!rx.has_changed().unwrap());
    tx.send_modify(|n| *n += 1);
    assert_eq!(*rx.borrow_and_update(), 2);
}

#[wasio::test]
async fn notify_stores_one() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    notify.notified().await;
    let mut second = probe(notify.notified());
    assert!(second.is_pending());
    notify.notify_waiters();
    second.ready();
}

#[test]
fn notify_from_the_creation_or_from_enabling_on() {
    let notify = Notify::new();
    let mut created = probe(notify.notified());
    notify.notify_waiters();
    created.ready();

    let mut enabled = probe(notify.notified());
    assert!(!enabled.as_mut().enable());
    notify.notify_one();
    let mut other = probe(notify.notified());
    assert!(other.is_pending(), "it went to the one that was enabled");
    assert!(enabled.as_mut().enable());
    enabled.ready();
}

#[wasio::test]
async fn barrier_lets_rounds_through() {
    let barrier = std::sync::Arc::new(Barrier::new(3));
    for _ in 0..10 {
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let barrier = barrier.clone();
                wasio::spawn(async move { barrier.wait().await.is_leader() })
            })
            .collect();
        let mut leaders = 0;
        for task in tasks {
            leaders += usize::from(task.await.unwrap());
        }
        assert_eq!(leaders, 1);
    }
    assert!(probe(Barrier::new(0).wait()).ready().is_leader());
}
