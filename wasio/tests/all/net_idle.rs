//! Busy connections beside many idle ones. Idle connections are noticed, and tasks of busy ones see correct readiness.

use std::time::Duration;

use wasio::io::{AsyncReadExt, AsyncWriteExt};
use wasio::net::{TcpListener, TcpStream};
use wasio::task::{AbortHandle, JoinSet};
use wasio::time::{Instant, timeout};

/// An idle connection is noticed within this time, however busy the others are. Slow machines have to meet it, too. It
/// would take far longer if the idle ones were asked about only once the others fall silent.
const SOON: Duration = Duration::from_secs(2);

async fn pair(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = wasio::join!(client, listener.accept());
    let (client, (server, _)) = (client.unwrap(), accepted.unwrap());
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    (client, server)
}

/// Sends bytes back and forth, one at a time.
async fn ping_pong(mut stream: TcpStream, begins: bool) {
    if begins {
        stream.write_u8(1).await.unwrap();
    }
    loop {
        let byte = stream.read_u8().await.unwrap();
        stream.write_u8(byte.wrapping_add(1)).await.unwrap();
    }
}

async fn pour(mut stream: TcpStream) {
    let bytes = vec![0; 16 * 1024];
    loop {
        stream.write_all(&bytes).await.unwrap();
    }
}

async fn drain(mut stream: TcpStream) {
    let mut bytes = vec![0; 16 * 1024];
    while stream.read(&mut bytes).await.unwrap() > 0 {}
}

/// 100 connections wait, and one of them is written to now and then while `busy` runs.
async fn idle_ones_are_heard(listener: TcpListener, busy: Vec<AbortHandle>) {
    let mut clients = Vec::new();
    let mut heard = JoinSet::new();
    for _ in 0..100 {
        let (client, mut server) = pair(&listener).await;
        clients.push(client);
        heard.spawn(async move { server.read_u64().await.unwrap() });
    }
    // By now the busy connections are known to be busy.
    wasio::time::sleep(Duration::from_millis(100)).await;
    for number in [70_u64, 3, 99, 42] {
        let began = Instant::now();
        clients[number as usize].write_u64(number).await.unwrap();
        let first = timeout(SOON, heard.join_next()).await;
        let took = began.elapsed();
        let first = first.unwrap_or_else(|_| panic!("not heard within {took:?}"));
        assert_eq!(first.unwrap().unwrap(), number);
        wasio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(busy.iter().all(|task| !task.is_finished()), "the others went on all the time");
    busy.iter().for_each(AbortHandle::abort);
}

#[wasio::test]
async fn beside_some_that_answer_each_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut busy = Vec::new();
    for _ in 0..4 {
        let (client, server) = pair(&listener).await;
        busy.push(wasio::spawn(ping_pong(client, true)).abort_handle());
        busy.push(wasio::spawn(ping_pong(server, false)).abort_handle());
    }
    idle_ones_are_heard(listener, busy).await;
}

#[wasio::test]
async fn beside_a_flood() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (client, server) = pair(&listener).await;
    let busy = [wasio::spawn(pour(client)), wasio::spawn(drain(server))];
    idle_ones_are_heard(listener, busy.map(|task| task.abort_handle()).to_vec()).await;
}

/// Reads are attempted on a guess where there was data a moment ago. `readable` does not report the guess.
#[wasio::test]
async fn what_was_busy_is_not_called_readable_for_that() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut busy = Vec::new();
    for _ in 0..4 {
        let (client, server) = pair(&listener).await;
        busy.push(wasio::spawn(ping_pong(client, true)).abort_handle());
        busy.push(wasio::spawn(ping_pong(server, false)).abort_handle());
    }
    let (mut client, mut server) = pair(&listener).await;
    for round in 0..200 {
        client.write_u8(round).await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), round);
        server.write_u8(round).await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), round);
    }
    // Readiness that is out of date may still be reported once. An attempt finds that out.
    let mut byte = [0];
    assert!(server.try_read(&mut byte).is_err());
    let told = timeout(Duration::from_millis(50), server.readable()).await;
    assert!(told.is_err(), "nothing came, and {told:?} was said");
    client.write_u8(7).await.unwrap();
    server.readable().await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), 7);
    busy.iter().for_each(AbortHandle::abort);
}

/// Connections are opened, become busy, fall silent and are closed, in an order that differs from round to round.
#[wasio::test]
async fn any_of_many_may_be_the_busy_ones() {
    const COUNT: usize = 60;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut clients = Vec::new();
    let mut at = 12345_usize;
    for round in 0..400_u64 {
        at = at.wrapping_mul(1_103_515_245).wrapping_add(12345) & 0x7fff_ffff;
        if clients.len() < COUNT {
            let (client, mut server) = pair(&listener).await;
            wasio::spawn(async move {
                while let Ok(number) = server.read_u64().await {
                    server.write_u64(number + 1).await.unwrap();
                }
            });
            clients.push(client);
        }
        // Some of three neighbours.
        let first = (at / 7) % clients.len();
        for client in clients.iter_mut().skip(first).take(3) {
            client.write_u64(round).await.unwrap();
        }
        for client in clients.iter_mut().skip(first).take(3) {
            let answer = timeout(SOON, client.read_u64()).await.expect("an answer");
            assert_eq!(answer.unwrap(), round + 1);
        }
        if at % 11 == 0 {
            clients.swap_remove(first);
        }
    }
}

/// A read that fills its buffer leaves the socket readable until an attempt finds nothing, even if the host says that
/// nothing is left. Data that arrives later is noticed.
#[wasio::test]
async fn a_full_read_leaves_the_socket_readable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut client, mut server) = pair(&listener).await;
    for round in 0..3 {
        client.write_all(b"ping").await.unwrap();
        server.readable().await.unwrap();
        server.read_exact(&mut [0; 4]).await.unwrap();
        timeout(SOON, server.readable()).await.expect("still readable").unwrap();
        if round > 0 {
            assert!(server.try_read(&mut [0; 4]).is_err());
        }
    }
    client.write_all(b"pong").await.unwrap();
    timeout(SOON, server.read_exact(&mut [0; 4])).await.expect("heard of").unwrap();
}
