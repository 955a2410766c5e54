//! gRPC with tonic: `grpc server ADDRESS` greets, `grpc client ADDRESS NAME` asks it to.
//!
//! Written out by hand what `tonic-build` would generate, so that no compiler for .proto files is needed.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::uri::PathAndQuery;
use tonic::body::Body;
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Endpoint, Server, server::TcpIncoming};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(string, tag = "1")]
    text: String,
}

/// The one method.
struct Greet;

impl UnaryService<Question> for Greet {
    type Response = Answer;
    type Future = Ready<Result<Response<Answer>, Status>>;

    fn call(&mut self, request: Request<Question>) -> Self::Future {
        let text = format!("Hello, {}!", request.into_inner().name);
        ready(Ok(Response::new(Answer { text })))
    }
}

#[derive(Clone)]
struct Greeter;

impl NamedService for Greeter {
    const NAME: &'static str = "greeter.Greeter";
}

impl tower::Service<http::Request<Body>> for Greeter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let codec = ProstCodec::<Answer, Question>::default();
            Ok(tonic::server::Grpc::new(codec).unary(Greet, request).await)
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "server", address] => serve(address).await,
        [_, "client", address, name] => ask(address, name).await,
        _ => Err("usage: grpc server ADDRESS | grpc client ADDRESS NAME".into()),
    }
}

async fn serve(address: &str) -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let incoming = TcpIncoming::from(listener);
    Ok(Server::builder().add_service(Greeter).serve_with_incoming(incoming).await?)
}

async fn ask(address: &str, name: &str) -> Result<(), Box<dyn Error>> {
    let channel = Endpoint::new(format!("http://{address}"))?.connect().await?;
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let question = Request::new(Question { name: name.to_owned() });
    let path = PathAndQuery::from_static("/greeter.Greeter/Greet");
    let codec = ProstCodec::<Question, Answer>::default();
    println!("{}", client.unary(question, path, codec).await?.into_inner().text);
    Ok(())
}
