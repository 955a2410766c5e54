//! A pool of connections to PostgreSQL over TLS, the server's certificate verified.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{Connection, PgConnection};

#[tokio::main]
async fn main() -> Result<(), sqlx::Error> {
    let [port, certificate] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        panic!("the server's port and the file that has its certificate");
    };
    let options =
        PgConnectOptions::from_str(&format!("postgres://tester@localhost:{port}/postgres"))?
            .ssl_mode(PgSslMode::VerifyFull)
            .ssl_root_cert(certificate);
    let pool = PgPoolOptions::new().max_connections(3).connect_with(options.clone()).await?;
    let (ssl, version): (bool, String) =
        sqlx::query_as("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            .fetch_one(&pool)
            .await?;
    assert!(ssl, "{version}");

    let tasks: Vec<_> = (0..12i64)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let query = sqlx::query_scalar(
                    "SELECT sum(i)::BIGINT FROM generate_series(1, 1000 + $1) i",
                );
                query.bind(number).fetch_one(&pool).await
            })
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        let (sum, most): (i64, _) = (task.await.unwrap()?, 1000 + number as i64);
        assert_eq!(sum, most * (most + 1) / 2);
    }

    // The certificate is not for this name.
    let other = options.clone().host("127.0.0.1");
    let refused = PgConnection::connect_with(&other).await.unwrap_err();
    assert!(matches!(refused, sqlx::Error::Tls(_) | sqlx::Error::Io(_)), "{refused}");
    // The server takes none without TLS.
    let plain = PgConnection::connect_with(&options.ssl_mode(PgSslMode::Disable)).await;
    assert!(plain.is_err());
    println!("ok");
    Ok(())
}
