//! rustls-native-certs 0.6, over the drop-in for 0.8, which documents the sources of certificates.

use std::io;

/// A certificate in DER.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Certificate(pub Vec<u8>);

impl AsRef<[u8]> for Certificate {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Loads the certificates to trust.
///
/// # Errors
///
/// The first error of loading, if there is one.
pub fn load_native_certs() -> Result<Vec<Certificate>, io::Error> {
    let result = newest::load_native_certs();
    match result.errors.into_iter().next() {
        Some(error) => Err(io::Error::other(error)),
        None => Ok(result.certs.into_iter().map(|der| Certificate(der.to_vec())).collect()),
    }
}
