//! Health checks over gRPC: a client asks, and watches while the server reports a change.

use tokio::net::TcpListener;
use tonic::Code;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus as Answer;
use tonic_health::pb::health_client::HealthClient;

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("shop.Orders", ServingStatus::NotServing).await;
    let server = Server::builder().add_service(health);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    let channel = Endpoint::new(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(channel);
    let whole = client.check(about("")).await.unwrap().into_inner();
    assert_eq!(whole.status(), Answer::Serving);
    let unknown = client.check(about("shop.Nothing")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    let mut changes = client.watch(about("shop.Orders")).await.unwrap().into_inner();
    let first = changes.message().await.unwrap().unwrap();
    assert_eq!(first.status(), Answer::NotServing);
    reporter.set_service_status("shop.Orders", ServingStatus::Serving).await;
    let second = changes.message().await.unwrap().unwrap();
    assert_eq!(second.status(), Answer::Serving);
    println!("ok");
}
