//! mini-redis' server on one thread: `redis-server ADDRESS`; prints `listening` when it does.

use std::future::pending;

use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> mini_redis::Result<()> {
    let address = std::env::args().nth(1).expect("usage: redis-server ADDRESS");
    let listener = TcpListener::bind(&address).await?;
    println!("listening");
    mini_redis::server::run(listener, pending::<()>()).await
}
