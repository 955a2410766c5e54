//! https with rustls and the provider rustls-rustcrypto, which is Rust alone.
//!
//! Its authors say: use this at your own risk, do not use this in production. What it does is in `src/https.rs`.

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    rustls_rustcrypto::provider().install_default().expect("it is the first");
    wasio_tls_examples::https::main().await
}
