//! tokio for WebAssembly guests.
