//! Twelve tasks share three connections to PostgreSQL, with prepared statements and a transaction.

use std::future::Future;
use std::pin::Pin;

use deadpool_postgres::{Connect, Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls};

/// How connections are made: deadpool-postgres' own way is not there on wasm32.
struct Tcp(String);

type Made = Result<(Client, JoinHandle<()>), Error>;

impl Connect for Tcp {
    fn connect(&self, config: &Config) -> Pin<Box<dyn Future<Output = Made> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let stream = TcpStream::connect(&self.0).await.unwrap();
            let (client, connection) = config.connect_raw(stream, NoTls).await?;
            Ok((client, tokio::spawn(async move { drop(connection.await) })))
        })
    }
}

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).expect("the server's address");
    let config: Config = "user=tester dbname=postgres".parse().unwrap();
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Verified };
    let manager = Manager::from_connect(config, Tcp(address), recycling);
    let pool = Pool::builder(manager).max_size(3).build().unwrap();
    let tasks: Vec<_> = (0..12)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let client = pool.get().await.unwrap();
                let query = "SELECT $1::INT * 2 FROM pg_sleep(0.02)";
                let statement = client.prepare_cached(query).await.unwrap();
                let row = client.query_one(&statement, &[&number]).await.unwrap();
                row.get::<_, i32>(0)
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap();
    }
    assert_eq!(sum, 132);
    assert_eq!(pool.status().size, 3);

    let mut client = pool.get().await.unwrap();
    client.batch_execute("CREATE TEMPORARY TABLE fruit (name TEXT)").await.unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.execute("INSERT INTO fruit VALUES ('plum')", &[]).await.unwrap();
    transaction.rollback().await.unwrap();
    let left = client.query_one("SELECT count(*) FROM fruit", &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0);
    let wrong = client.query("SELECT * FROM nothing", &[]).await.unwrap_err();
    assert!(wrong.as_db_error().unwrap().message().contains("nothing"));
    println!("ok");
}
