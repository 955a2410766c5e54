//! rustls-native-certs 0.7, over the drop-in for 0.8, which documents the sources of certificates.

use std::io;

use rustls_pki_types::CertificateDer;

/// The certificates to trust.
///
/// # Errors
///
/// The first one, if there is any.
pub fn load_native_certs() -> Result<Vec<CertificateDer<'static>>, io::Error> {
    let result = newest::load_native_certs();
    match result.errors.into_iter().next() {
        Some(error) => Err(io::Error::other(error)),
        None => Ok(result.certs),
    }
}
