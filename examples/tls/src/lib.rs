//! TLS and https with rustls, whichever provider does the arithmetic.

pub mod https;
mod resolver;
pub mod tls;
