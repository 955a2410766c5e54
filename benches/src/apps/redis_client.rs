//! The crate `redis` over a stream of tokio's, one command after the other and in pipelines:
//! `redis-client IP:PORT MILLISECONDS`, for each of the two. Prints lines `NAME COMMANDS-PER-SECOND`.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, RedisConnectionInfo};
use tokio::net::TcpStream;

/// User, password and database: the driver's future borrows it.
static INFO: LazyLock<RedisConnectionInfo> = LazyLock::new(RedisConnectionInfo::default);
/// Commands of a pipeline.
const PIPELINED: usize = 50;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, milliseconds] = &args[..] else {
        return Err("usage: redis-client IP:PORT MILLISECONDS".into());
    };
    let address: SocketAddr = address.parse()?;
    let measure = Duration::from_millis(milliseconds.parse()?);
    let stream = TcpStream::connect(address).await?;
    let _ = stream.set_nodelay(true);
    let (mut redis, driver) = MultiplexedConnection::new(&INFO, stream).await?;
    tokio::spawn(driver);

    let (from, mut commands) = (Instant::now(), 0_u64);
    while from.elapsed() < measure {
        let () = redis.set("bench", commands).await?;
        let got: u64 = redis.get("bench").await?;
        assert_eq!(got, commands);
        commands += 2;
    }
    println!("redis_client {:.0}", commands as f64 / from.elapsed().as_secs_f64());

    let mut pipeline = redis::pipe();
    for n in 0..PIPELINED {
        pipeline.cmd("SET").arg(format!("bench:{n}")).arg(n).ignore();
    }
    let (from, mut commands) = (Instant::now(), 0);
    while from.elapsed() < measure {
        let () = pipeline.query_async::<()>(&mut redis).await?;
        commands += PIPELINED;
    }
    println!("redis_client_pipelined {:.0}", commands as f64 / from.elapsed().as_secs_f64());
    Ok(())
}
