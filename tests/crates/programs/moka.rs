//! A cache whose entries are computed once, expire and are evicted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moka::future::Cache;

#[tokio::main]
async fn main() {
    let cache: Cache<u32, u32> =
        Cache::builder().max_capacity(100).time_to_live(Duration::from_millis(50)).build();
    let computed = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (cache, computed) = (cache.clone(), computed.clone());
            tokio::spawn(async move {
                let value = cache.get_with(1, async move {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    computed.fetch_add(1, Ordering::Relaxed) + 41
                });
                assert_eq!(value.await, 41);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(computed.load(Ordering::Relaxed), 1);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(cache.get(&1).await, None, "it expired");
    for number in 0..1000 {
        cache.insert(number, number).await;
    }
    cache.run_pending_tasks().await;
    assert!(cache.entry_count() <= 100);
    println!("ok");
}
