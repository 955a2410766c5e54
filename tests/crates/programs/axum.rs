//! A server with routes and extractors, called over HTTP.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Words = BTreeMap<String, u32>;

async fn count(State(calls): State<Arc<AtomicU32>>, Path(name): Path<String>) -> String {
    format!("{name} {}", calls.fetch_add(1, Ordering::Relaxed))
}

async fn sum(Query(query): Query<Words>, Json(body): Json<Words>) -> Json<Words> {
    let sum = query.values().chain(body.values()).sum();
    Json(BTreeMap::from([("sum".to_owned(), sum)]))
}

/// The status and the body of the answer.
async fn call(to: SocketAddr, request: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let length = body.len();
    let head = format!(
        "{request} HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::main]
async fn main() {
    let app = Router::new()
        .route("/count/{name}", get(count))
        .route("/sum", post(sum))
        .fallback(|| async { (StatusCode::NOT_FOUND, "nothing here") })
        .with_state(Arc::new(AtomicU32::new(0)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });

    let calls: Vec<_> =
        (0..20).map(|_| tokio::spawn(call(to, "GET /count/apple", ""))).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    answers.sort_by_key(|(_, body)| body.split(' ').nth(1).unwrap().parse::<u32>().unwrap());
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, (200, format!("apple {number}")));
    }
    let (status, body) = call(to, "POST /sum?a=1&b=20", "{\"c\":300}").await;
    assert_eq!((status, body.as_str()), (200, "{\"sum\":321}"));
    assert_eq!(call(to, "POST /sum", "not JSON").await.0, 400);
    assert_eq!(call(to, "POST /sum?a=-1", "{}").await.0, 400);
    assert_eq!(call(to, "GET /sum", "").await.0, 405);
    assert_eq!(call(to, "GET /other", "").await, (404, "nothing here".to_owned()));
    println!("ok");
}
