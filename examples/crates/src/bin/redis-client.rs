//! The crate `redis` over a stream of tokio's: `redis-client ADDRESS`.
//!
//! Its own way to connect goes through the standard library's `set_nodelay`, which wasip1 refuses. Over a
//! stream it needs nothing of that, and a few lines make a connection that comes back.

use std::error::Error;
use std::sync::LazyLock;

use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncCommands, RedisConnectionInfo};
use tokio::net::TcpStream;

/// User, password and database: the driver's future borrows it.
static INFO: LazyLock<RedisConnectionInfo> = LazyLock::new(RedisConnectionInfo::default);

/// A connection that is made anew when it broke.
struct Reconnecting {
    address: String,
    connection: Option<MultiplexedConnection>,
}

impl Reconnecting {
    async fn get(&mut self) -> Result<MultiplexedConnection, Box<dyn Error>> {
        if let Some(connection) = &mut self.connection
            && redis::cmd("PING").query_async::<String>(connection).await.is_ok()
        {
            return Ok(connection.clone());
        }
        let stream = TcpStream::connect(&self.address).await?;
        let (connection, driver) = MultiplexedConnection::new(&INFO, stream).await?;
        tokio::spawn(driver);
        Ok(self.connection.insert(connection).clone())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:6379".to_owned());
    let mut pool = Reconnecting { address: address.clone(), connection: None };
    let mut redis = pool.get().await?;

    let () = redis.set("wasio:greeting", "hello").await?;
    let greeting: String = redis.get("wasio:greeting").await?;
    let (first, second): (i64, i64) = redis::pipe()
        .cmd("SET")
        .arg("wasio:counter")
        .arg(41)
        .ignore()
        .cmd("INCR")
        .arg("wasio:counter")
        .cmd("INCRBY")
        .arg("wasio:counter")
        .arg(8)
        .query_async(&mut redis)
        .await?;
    println!("{greeting} {first} {second}");

    // The server hangs up, as it does with idle connections: the next one is a new one.
    let before: i64 = redis::cmd("CLIENT").arg("ID").query_async(&mut redis).await?;
    let () = redis::cmd("QUIT").query_async(&mut redis).await?;
    let mut redis = pool.get().await?;
    let now: i64 = redis::cmd("CLIENT").arg("ID").query_async(&mut redis).await?;
    println!("connected anew: {}", now != before);

    let stream = TcpStream::connect(&address).await?;
    let mut subscriber = PubSub::new(&INFO, stream).await?;
    subscriber.subscribe("wasio:news").await?;
    let mut redis = pool.get().await?;
    let publisher =
        tokio::spawn(async move { redis.publish::<_, _, i64>("wasio:news", "extra").await });
    let message = subscriber.on_message().next().await.ok_or("the subscription ended")?;
    println!("news: {}", message.get_payload::<String>()?);
    println!("receivers: {}", publisher.await??);
    Ok(())
}
