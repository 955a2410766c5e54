//! axum's server: `axum-server ADDRESS`; prints `listening` when it does. It says hello to everybody.

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).expect("usage: axum-server IP:PORT");
    let address: std::net::SocketAddr = address.parse().expect("an address is IP:PORT");
    let listener = TcpListener::bind(address).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    println!("listening");
    axum::serve(listener, Router::new().route("/", get(|| async { "hello\n" }))).await
}
