//! rustls-native-certs, for systems without a certificate store.
//!
//! This package replaces rustls-native-certs through `[patch.crates-io]`. The published crate does not compile for
//! WASI, and many crates depend on it: async-nats, kube, octocrab, tiberius, the clients of AWS.
//!
//! [`load_native_certs`] takes the first of:
//!
//! 1. The files and folders that the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name. A folder is
//!    one that the guest was granted. A file that cannot be read is an error, and no other source is used. Links in a
//!    folder that lead out of it are ignored if the folder has any certificate. `cargo wasio run` grants both, and
//!    cargo sets them to the system's certificates if it finds them.
//! 2. The bundle of the system, if the guest may read it: `/etc/ssl/certs/ca-certificates.crt` or its equivalents.
//!    `wasio run --dir /etc/ssl` grants it.
//! 3. Mozilla's roots, which are part of the program (the crate `webpki-root-certs`).
//!
//! The order is the same natively, so macOS' keychain and the store of Windows are not used.

mod load;

use std::error::Error as StdError;
use std::path::PathBuf;
use std::{fmt, io};

use rustls_pki_types::{CertificateDer, pem};

pub use load::{load_certs_from_paths, load_native_certs};

/// The certificates that were loaded, and the errors.
#[non_exhaustive]
#[derive(Debug, Default)]
pub struct CertificateResult {
    /// The certificates that were read.
    pub certs: Vec<CertificateDer<'static>>,
    /// The errors of loading.
    pub errors: Vec<Error>,
}

impl CertificateResult {
    /// Returns the certificates.
    ///
    /// # Panics
    ///
    /// Panics with `msg` if there was an error.
    #[track_caller]
    pub fn expect(self, msg: &str) -> Vec<CertificateDer<'static>> {
        assert!(self.errors.is_empty(), "{msg}: {:?}", self.errors);
        self.certs
    }

    /// Returns the certificates.
    ///
    /// # Panics
    ///
    /// Panics if there was an error.
    #[track_caller]
    pub fn unwrap(self) -> Vec<CertificateDer<'static>> {
        self.expect("cannot load certificates")
    }
}

/// An error of loading certificates.
#[derive(Debug)]
pub struct Error {
    /// The operation that failed.
    pub context: &'static str,
    /// The kind of the error.
    pub kind: ErrorKind,
}

/// The kind of an [`Error`].
#[non_exhaustive]
#[derive(Debug)]
pub enum ErrorKind {
    /// A file or folder cannot be read.
    Io {
        /// The system's error.
        inner: io::Error,
        /// The file or folder.
        path: PathBuf,
    },
    /// An error of the system's certificate store. It does not occur here.
    Os(Box<dyn StdError + Send + Sync + 'static>),
    /// A file is not in the format PEM.
    Pem(pem::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = self.context;
        match &self.kind {
            ErrorKind::Io { inner, path } => {
                write!(f, "{context}: {inner} at '{}'", path.display())
            }
            ErrorKind::Os(error) => write!(f, "{context}: {error}"),
            ErrorKind::Pem(error) => write!(f, "{context}: {error}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(match &self.kind {
            ErrorKind::Io { inner, .. } => inner,
            ErrorKind::Os(error) => &**error,
            ErrorKind::Pem(error) => error,
        })
    }
}
