//! redis' own way to connect: pipelines, a connection that is made anew, and publish and subscribe.

use std::time::Duration;

use futures_util::StreamExt;
use redis::AsyncCommands;

#[tokio::main]
async fn main() -> redis::RedisResult<()> {
    let port = std::env::args().nth(1).expect("the server's port");
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}/"))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let _: () = connection.set("number", 41).await?;
    assert_eq!(connection.incr::<_, _, i32>("number", 1).await?, 42);
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let mut connection = connection.clone();
            tokio::spawn(async move {
                let (answer, _): (i32, String) = redis::pipe()
                    .incr("sum", number)
                    .cmd("PING")
                    .query_async(&mut connection)
                    .await?;
                redis::RedisResult::Ok(answer)
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap()?;
    }
    assert_eq!(connection.get::<_, i32>("sum").await?, 190);

    let mut manager = client.get_connection_manager().await?;
    let mut kill = redis::cmd("CLIENT");
    kill.arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("no");
    let _: redis::RedisResult<()> = kill.query_async(&mut manager).await;
    let mut tries = 0;
    let again = loop {
        match manager.get::<_, i32>("number").await {
            Ok(number) => break number,
            Err(error) if tries == 50 => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
        tries += 1;
    };
    assert_eq!(again, 42);

    let mut subscriber = client.get_async_pubsub().await?;
    subscriber.subscribe("news").await?;
    assert_eq!(manager.publish::<_, _, i32>("news", "hello").await?, 1);
    let message = subscriber.on_message().next().await.unwrap();
    assert_eq!(message.get_payload::<String>()?, "hello");

    let config = redis::AsyncConnectionConfig::new()
        .set_response_timeout(Some(Duration::from_millis(200)))
        .set_connection_timeout(Some(Duration::from_secs(10)));
    let mut slow = client.get_multiplexed_async_connection_with_config(&config).await?;
    let nothing = slow.blpop::<_, Option<(String, String)>>("nothing", 5.0).await;
    assert!(nothing.unwrap_err().is_timeout());
    println!("ok");
    Ok(())
}
