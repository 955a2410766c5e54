//! JSON-RPC: a server, called over HTTP one by one and in a batch, and subscribed to over WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::BatchRequestBuilder;
use jsonrpsee::core::{SubscriptionResult, async_trait};
use jsonrpsee::http_client::HttpClient;
use jsonrpsee::proc_macros::rpc;
use jsonrpsee::rpc_params;
use jsonrpsee::server::{PendingSubscriptionSink, Server};
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

#[rpc(server, client, namespace = "sums")]
trait Sums {
    #[method(name = "add")]
    async fn add(&self, a: u32, b: u32) -> Result<u32, ErrorObjectOwned>;

    #[subscription(name = "subscribe" => "item", unsubscribe = "unsubscribe", item = u32)]
    async fn count(&self, to: u32) -> SubscriptionResult;
}

struct Own;

#[async_trait]
impl SumsServer for Own {
    async fn add(&self, a: u32, b: u32) -> Result<u32, ErrorObjectOwned> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        a.checked_add(b).ok_or_else(|| ErrorObjectOwned::owned(7, "too much", None::<()>))
    }

    async fn count(&self, pending: PendingSubscriptionSink, to: u32) -> SubscriptionResult {
        let sink = pending.accept().await?;
        for number in 1..=to {
            sink.send(serde_json::value::to_raw_value(&number)?).await?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let server = Server::builder().build("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let handle = server.start(Own.into_rpc());

    let client = HttpClient::builder().build(format!("http://{address}")).unwrap();
    assert_eq!(client.add(2, 3).await.unwrap(), 5);
    assert!(client.add(u32::MAX, 1).await.unwrap_err().to_string().contains("too much"));
    let mut batch = BatchRequestBuilder::new();
    for number in 0..10u32 {
        batch.insert("sums_add", rpc_params![number, number]).unwrap();
    }
    let doubled = client.batch_request::<u32>(batch).await.unwrap().into_ok().unwrap();
    assert_eq!(doubled.sum::<u32>(), 90);
    let unknown = client.request::<u32, _>("nothing", rpc_params![]).await.unwrap_err();
    assert!(unknown.to_string().contains("not found"), "{unknown}");

    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}");
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let subscribe =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "sums_subscribe", "params": [100] });
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    let (mut sum, mut subscription) = (0, Value::Null);
    for number in 0..=100 {
        let text = socket.next().await.unwrap().unwrap().into_text().unwrap();
        let said: Value = serde_json::from_str(text.as_str()).unwrap();
        if number == 0 {
            subscription = said["result"].clone();
        } else {
            assert_eq!(said["params"]["subscription"], subscription, "{said}");
            sum += said["params"]["result"].as_u64().unwrap();
        }
    }
    assert_eq!(sum, 5050);
    socket.close(None).await.unwrap();
    handle.stop().unwrap();
    handle.stopped().await;
    println!("ok");
}
