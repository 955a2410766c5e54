//! tokio-postgres over a stream of tokio's: `postgres-client ADDRESS USER DATABASE`.

use std::error::Error;

use tokio::net::TcpStream;
use tokio_postgres::{Config, NoTls};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, address, user, database] = args.as_slice() else {
        return Err("usage: postgres-client ADDRESS USER DATABASE".into());
    };
    let stream = TcpStream::connect(address).await?;
    let mut config = Config::new();
    config.user(user).dbname(database);
    let (mut client, connection) = config.connect_raw(stream, NoTls).await?;
    tokio::spawn(connection);

    let create = "CREATE TEMPORARY TABLE fruit (name TEXT PRIMARY KEY, number INT NOT NULL)";
    client.batch_execute(create).await?;
    let transaction = client.transaction().await?;
    for (name, number) in [("apple", 3), ("pear", 4), ("plum", 5)] {
        transaction.execute("INSERT INTO fruit VALUES ($1, $2)", &[&name, &number]).await?;
    }
    transaction.commit().await?;
    let rows = client.query("SELECT name, number FROM fruit ORDER BY number DESC", &[]).await?;
    for row in rows {
        println!("{} {}", row.get::<_, &str>(0), row.get::<_, i32>(1));
    }
    Ok(())
}
