//! Fetches a URL twice, with hyper-util's pooling client and with reqwest: `http-client URL`.
//!
//! Both get `wasio-resolve`'s resolver: their own ask the standard library, which cannot look names up in a WASI guest,
//! or stops all of it.

use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use wasio_resolve::Resolver;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("usage: http-client URL")?;

    let connector = HttpConnector::new_with_resolver(Resolver);
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    let response = client.get(url.parse()?).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    println!("hyper-util: {status}, {} bytes", body.len());

    let client = reqwest::Client::builder().dns_resolver(Resolver).build()?;
    let response = client.get(&url).send().await?;
    println!("reqwest: {}, {} bytes", response.status(), response.bytes().await?.len());
    Ok(())
}
