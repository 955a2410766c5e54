//! A pool of connections to PostgreSQL with sqlx: `sqlx URL`, such as `postgres://user@127.0.0.1/database`.
//!
//! Without the feature `macros`, whose `query!` asks a database while it compiles.

use std::error::Error;

use futures_util::TryStreamExt;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, Row};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("usage: sqlx URL")?;
    let pool = PgPoolOptions::new().max_connections(3).connect(&url).await?;

    // Eight tasks share three connections.
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=8 {
        let pool = pool.clone();
        tasks.spawn(async move {
            let query = sqlx::query_scalar("SELECT $1 * 2, pg_sleep(0.02)").bind(number);
            query.fetch_one(&pool).await
        });
    }
    let doubled: Vec<i32> = tasks.join_all().await.into_iter().collect::<Result<_, _>>()?;
    println!("{}", doubled.iter().sum::<i32>());

    let mut connection = pool.acquire().await?;
    let create = "CREATE TEMPORARY TABLE fruit (name TEXT PRIMARY KEY, number INT NOT NULL)";
    sqlx::raw_sql(create).execute(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    for (name, number) in [("apple", 3), ("pear", 4), ("plum", 5)] {
        let insert = sqlx::query("INSERT INTO fruit VALUES ($1, $2)").bind(name).bind(number);
        insert.execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    let mut rows = sqlx::query("SELECT * FROM fruit ORDER BY number").fetch(&mut *connection);
    while let Some(row) = rows.try_next().await? {
        println!("{} {}", row.get::<&str, _>("name"), row.get::<i32, _>("number"));
    }
    Ok(())
}
