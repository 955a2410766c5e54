//! Layers of tower-http around a service: limits, identifiers, traces, compression and back.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_http::ServiceBuilderExt;
use tower_http::request_id::MakeRequestUuid;
use tower_http::timeout::TimeoutLayer;

async fn answer(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/slow" {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert!(request.headers().contains_key("x-request-id"));
    Ok(Response::new(Full::from("again and ".repeat(1000))))
}

fn ask(path: &str, encoding: &str) -> Request<Full<Bytes>> {
    let request = Request::get(path).header(header::ACCEPT_ENCODING, encoding);
    request.body(Full::default()).unwrap()
}

#[tokio::main]
async fn main() {
    let service = ServiceBuilder::new()
        .set_x_request_id(MakeRequestUuid)
        .propagate_x_request_id()
        .trace_for_http()
        .compression()
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            Duration::from_millis(100),
        ))
        .service(service_fn(answer));
    for encoding in ["zstd", "gzip", "br"] {
        let response = service.clone().oneshot(ask("/", encoding)).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_ENCODING], encoding);
        assert!(response.headers().contains_key("x-request-id"));
        let packed = response.into_body().collect().await.unwrap().to_bytes();
        assert!(packed.len() < 1000, "{encoding}: {}", packed.len());
    }
    let there_and_back = ServiceBuilder::new().decompression().service(service.clone());
    let response = there_and_back.oneshot(ask("/", "zstd")).await.unwrap();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(text, "again and ".repeat(1000));
    let late = service.oneshot(ask("/slow", "identity")).await.unwrap();
    assert_eq!(late.status(), StatusCode::REQUEST_TIMEOUT);
    println!("ok");
}
