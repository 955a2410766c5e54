//! Counts its runs in redis. Natively: `cargo run`; as a WASI guest: `cargo wasio run`.

use std::error::Error;
use std::sync::LazyLock;

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, RedisConnectionInfo};
use tokio::net::TcpStream;

/// User, password and database.
static INFO: LazyLock<RedisConnectionInfo> = LazyLock::new(RedisConnectionInfo::default);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:6379".to_owned());
    let mut redis = connect(&address).await?;
    println!("run number {}", count(&mut redis).await?);
    Ok(())
}

/// Connects over a stream of tokio's. redis' own way to connect needs what WASI preview 1 does not have.
async fn connect(address: &str) -> Result<MultiplexedConnection, Box<dyn Error>> {
    let stream = TcpStream::connect(address).await?;
    let (connection, driver) = MultiplexedConnection::new(&INFO, stream).await?;
    tokio::spawn(driver);
    Ok(connection)
}

async fn count(redis: &mut MultiplexedConnection) -> redis::RedisResult<i64> {
    redis.incr("runs", 1).await
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers as redis would whose counter is at `runs`.
    async fn fake(listener: TcpListener, mut runs: i64) -> std::io::Result<()> {
        let (mut reader, mut writer) = listener.accept().await?.0.into_split();
        let mut reader = BufReader::new(&mut reader);
        loop {
            // `*2`, and then for each word `$4` and the word.
            let mut head = String::new();
            if reader.read_line(&mut head).await? == 0 {
                return Ok(());
            }
            let mut words = Vec::new();
            for _ in 0..head[1..].trim().parse::<usize>().unwrap() {
                let mut length = String::new();
                reader.read_line(&mut length).await?;
                let mut word = vec![0; length[1..].trim().parse::<usize>().unwrap() + 2];
                reader.read_exact(&mut word).await?;
                words.push(String::from_utf8_lossy(&word).trim().to_owned());
            }
            let answer = match words[0].as_str() {
                "INCRBY" => {
                    runs += words[2].parse::<i64>().unwrap();
                    format!(":{runs}\r\n")
                }
                _ => "+OK\r\n".to_owned(),
            };
            writer.write_all(answer.as_bytes()).await?;
        }
    }

    #[tokio::test]
    async fn it_counts() -> Result<(), Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(fake(listener, 41));

        let mut redis = connect(&address).await?;
        assert_eq!(count(&mut redis).await?, 42);
        assert_eq!(count(&mut redis).await?, 43);
        Ok(())
    }
}
