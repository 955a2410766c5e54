//! Structured logs with tracing and tracing-subscriber: `tracing`, with what to show in `RUST_LOG`.

use std::time::Duration;

use tracing::Instrument;
use tracing_subscriber::EnvFilter;

#[tracing::instrument]
async fn double(number: u32) -> u32 {
    tracing::debug!("asleep");
    tokio::time::sleep(Duration::from_millis(10)).await;
    let result = number * 2;
    tracing::info!(result, "done");
    result
}

#[tokio::main]
async fn main() -> Result<(), tokio::task::JoinError> {
    let filter = EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).init();
    // Spans are entered and left with every poll, so they do not mix although both tasks sleep at once.
    let span = tracing::info_span!("pair");
    let one = tokio::spawn(double(1).instrument(span.clone()));
    let two = tokio::spawn(double(2).instrument(span));
    println!("{}", one.await? + two.await?);
    Ok(())
}
