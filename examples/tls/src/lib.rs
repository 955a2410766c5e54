//! TLS and https with rustls, whichever provider does the arithmetic.

pub mod https;
pub mod tls;
