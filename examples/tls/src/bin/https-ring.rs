//! https with rustls and its provider ring, whose C code needs clang. What it does is in `src/https.rs`.

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    rustls::crypto::ring::default_provider().install_default().expect("it is the first");
    wasio_tls_examples::https::main().await
}
