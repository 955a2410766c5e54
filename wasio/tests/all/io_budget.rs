//! Streams that never have to wait still let other tasks run.

use std::cell::Cell;
use std::rc::Rc;

use wasio::io::{
    AsyncReadExt, AsyncSeekExt, AsyncWriteExt, copy, copy_buf, duplex, empty, repeat, sink,
};
use wasio::task::{LocalSet, yield_now};

/// Runs an endless task beside one that stops it.
async fn ends<F: Future<Output = ()> + 'static>(endless: F) {
    let local = LocalSet::new();
    local
        .run_until(async {
            let stopped = Rc::new(Cell::new(false));
            let task = wasio::task::spawn_local(endless);
            let seen = stopped.clone();
            let stopper = wasio::task::spawn_local(async move {
                yield_now().await;
                seen.set(true);
            });
            stopper.await.unwrap();
            assert!(stopped.get());
            task.abort();
        })
        .await;
}

#[wasio::test]
async fn repeat_and_sink() {
    ends(async {
        copy(&mut repeat(1), &mut sink()).await.unwrap();
    })
    .await;
    ends(async {
        loop {
            sink().write_all(b"x").await.unwrap();
        }
    })
    .await;
}

#[wasio::test]
async fn empty_streams() {
    ends(async {
        loop {
            empty().read(&mut [0; 1]).await.unwrap();
        }
    })
    .await;
    ends(async {
        loop {
            assert_eq!(empty().rewind().await.unwrap(), 0);
        }
    })
    .await;
    ends(async {
        loop {
            copy(&mut empty(), &mut empty()).await.unwrap();
        }
    })
    .await;
    ends(async {
        loop {
            copy_buf(&mut &b"x"[..], &mut Vec::new()).await.unwrap();
        }
    })
    .await;
}

#[wasio::test]
async fn pipes() {
    ends(async {
        let (mut a, mut b) = duplex(1);
        loop {
            a.write_u8(1).await.unwrap();
            b.read_u8().await.unwrap();
        }
    })
    .await;
}
