//! A pool of connections to MariaDB: a login with a password, prepared statements, a transaction, many tasks.

use mysql_async::prelude::*;
use mysql_async::{Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts, TxOpts, params};

#[tokio::main]
async fn main() -> mysql_async::Result<()> {
    let url = std::env::args().nth(1).expect("the server's URL");
    let constraints = PoolConstraints::new(1, 3).unwrap();
    let options = OptsBuilder::from_opts(Opts::from_url(&url)?)
        .pool_opts(PoolOpts::new().with_constraints(constraints));
    let pool = Pool::new(options);
    let mut connection = pool.get_conn().await?;
    "CREATE TABLE fruit (name VARCHAR(10) PRIMARY KEY, number INT NOT NULL)"
        .ignore(&mut connection)
        .await?;
    let fruit = [("apple", 3), ("pear", 4), ("plum", 5)];
    "INSERT INTO fruit VALUES (:name, :number)"
        .with(fruit.map(|(name, number)| params! { "name" => name, "number" => number }))
        .batch(&mut connection)
        .await?;

    let mut transaction = connection.start_transaction(TxOpts::default()).await?;
    "DELETE FROM fruit".ignore(&mut transaction).await?;
    transaction.rollback().await?;
    let rows: Vec<(String, i32)> =
        "SELECT name, number FROM fruit ORDER BY number".fetch(&mut connection).await?;
    assert_eq!(rows, fruit.map(|(name, number)| (name.to_owned(), number)));
    drop(connection);

    let tasks: Vec<_> = (0..12)
        .map(|number: i32| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut connection = pool.get_conn().await?;
                let query = "SELECT CAST(? AS SIGNED) * 2 FROM (SELECT SLEEP(0.02)) AS slept";
                connection.exec_first::<i32, _, _>(query, (number,)).await
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap()?.unwrap();
    }
    assert_eq!(sum, 132);

    let mut connection = pool.get_conn().await?;
    let wrong = "SELECT * FROM nothing".ignore(&mut connection).await.unwrap_err();
    assert!(wrong.to_string().contains("nothing"), "{wrong}");
    drop(connection);
    pool.disconnect().await?;
    println!("ok");
    Ok(())
}
