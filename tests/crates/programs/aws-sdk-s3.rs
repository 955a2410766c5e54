//! S3's client against a store of our own: objects written, read, listed and deleted, over a signed request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::{Client, Config};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

async fn put(
    State(objects): State<Objects>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let signed = headers["authorization"].to_str().unwrap().to_owned();
    assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=key/"), "{signed}");
    objects.lock().unwrap().insert(key, body);
    [("etag", "\"1\"")].into_response()
}

async fn read(State(objects): State<Objects>, Path(key): Path<String>) -> Response {
    match objects.lock().unwrap().get(&key) {
        Some(object) => object.clone().into_response(),
        None => {
            let error = "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>";
            (StatusCode::NOT_FOUND, [("content-type", "application/xml")], error).into_response()
        }
    }
}

async fn list(State(objects): State<Objects>) -> Response {
    let entries = objects.lock().unwrap();
    let entries = entries.iter().map(|(key, object)| {
        format!("<Contents><Key>{key}</Key><Size>{}</Size></Contents>", object.len())
    });
    let xml = format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>shop</Name>\
         <IsTruncated>false</IsTruncated>{}</ListBucketResult>",
        entries.collect::<String>()
    );
    ([("content-type", "application/xml")], xml).into_response()
}

async fn delete(State(objects): State<Objects>, Path(key): Path<String>) -> Response {
    objects.lock().unwrap().remove(&key);
    StatusCode::NO_CONTENT.into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let server = Router::new()
        .route("/shop", get(list))
        .route("/shop/", get(list))
        .route("/shop/{*key}", get(read).put(put).delete(delete))
        .with_state(Objects::default());
    tokio::spawn(async move { axum::serve(listener, server).await });

    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("nowhere"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "here"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .build();
    let client = Client::from_conf(config);
    let picture = vec![7; 300_000];
    for (key, object) in [("a/picture", picture.clone()), ("b/text", b"hello".to_vec())] {
        client.put_object().bucket("shop").key(key).body(ByteStream::from(object)).send().await?;
    }
    let found = client.get_object().bucket("shop").key("a/picture").send().await?;
    assert_eq!(found.body.collect().await?.to_vec(), picture);
    let listed = client.list_objects_v2().bucket("shop").send().await?;
    let listed: Vec<_> = listed.contents().iter().map(|o| (o.key().unwrap(), o.size())).collect();
    assert_eq!(listed, [("a/picture", Some(300_000)), ("b/text", Some(5))]);
    client.delete_object().bucket("shop").key("b/text").send().await?;
    let gone = client.get_object().bucket("shop").key("b/text").send().await.unwrap_err();
    assert!(gone.into_service_error().is_no_such_key());
    println!("ok");
    Ok(())
}
