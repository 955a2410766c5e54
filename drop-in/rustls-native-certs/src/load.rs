//! Reading files and folders.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{self, PemObject};

use crate::{CertificateResult, Error, ErrorKind};

/// The file in which a system keeps all its roots: on Debian and Arch, Fedora, openSUSE, Alpine and macOS.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Loads the certificates to trust: those that the environment names, those of the system's bundle, or Mozilla's roots.
/// The crate's documentation describes the order.
///
/// It reads files. Call it once and keep the result.
///
/// # Errors
///
/// Returned in [`CertificateResult::errors`], beside the certificates that could be read.
pub fn load_native_certs() -> CertificateResult {
    find(|name| env::var_os(name))
}

fn find(variable: impl Fn(&str) -> Option<OsString>) -> CertificateResult {
    // An empty value counts as unset, because a shell cannot always unset a variable.
    let named = |name| variable(name).filter(|value| !value.is_empty());
    let file = named("SSL_CERT_FILE").map(PathBuf::from);
    let folders = named("SSL_CERT_DIR").map(|all| split(&all)).unwrap_or_default();
    if file.is_some() || !folders.is_empty() {
        return load(file.as_deref(), &folders);
    }
    for bundle in BUNDLES.iter().map(Path::new).filter(|bundle| bundle.is_file()) {
        let found = load(Some(bundle), &[]);
        if !found.certs.is_empty() {
            return found;
        }
    }
    let certs = webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec();
    CertificateResult { certs, errors: Vec::new() }
}

/// Loads the certificates in a file, and in the files of a folder. No other source is used.
///
/// # Errors
///
/// Returned in [`CertificateResult::errors`], beside the certificates that could be read.
pub fn load_certs_from_paths(file: Option<&Path>, dir: Option<&Path>) -> CertificateResult {
    let folders: Vec<PathBuf> = dir.into_iter().map(Path::to_owned).collect();
    load(file, &folders)
}

/// Splits a list of folders at colons. `env::split_paths` panics on WASI.
fn split(list: &OsString) -> Vec<PathBuf> {
    let text = list.to_string_lossy();
    text.split(':').filter(|folder| !folder.is_empty()).map(PathBuf::from).collect()
}

fn load(file: Option<&Path>, folders: &[PathBuf]) -> CertificateResult {
    let mut result = CertificateResult::default();
    if let Some(file) = file {
        result.read_file(file);
    }
    let mut barred = None;
    for folder in folders {
        result.read_folder(folder, &mut barred);
    }
    if let (Some((error, path)), true) = (barred, result.certs.is_empty()) {
        result.io("follow the link", error, &path);
    }
    // A folder has most certificates under two names.
    result.certs.sort_unstable_by(|a, b| a.as_ref().cmp(b));
    result.certs.dedup();
    result
}

impl CertificateResult {
    fn read_file(&mut self, path: &Path) {
        match CertificateDer::pem_file_iter(path) {
            Ok(certificates) => {
                for certificate in certificates {
                    match certificate {
                        Ok(certificate) => self.certs.push(certificate),
                        Err(error) => self.pem(error, path),
                    }
                }
            }
            Err(error) => self.pem(error, path),
        }
    }

    /// `barred` is set to the first link that leads out of the granted folders. Most links in `/etc/ssl/certs` do, and
    /// the bundle there has the same certificates.
    fn read_folder(&mut self, folder: &Path, barred: &mut Option<(io::Error, PathBuf)>) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.io("open the folder", error, folder),
        };
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => return self.io("read the folder", error, folder),
            };
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => self.read_file(&path),
                Ok(_) => {}
                // A dangling link.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    barred.get_or_insert((error, path));
                }
                Err(error) => self.io("open the file", error, &path),
            }
        }
    }

    fn pem(&mut self, error: pem::Error, path: &Path) {
        let context = "read certificates from the file";
        match error {
            pem::Error::Io(inner) => self.io(context, inner, path),
            error => self.errors.push(Error { context, kind: ErrorKind::Pem(error) }),
        }
    }

    fn io(&mut self, context: &'static str, inner: io::Error, path: &Path) {
        self.errors.push(Error { context, kind: ErrorKind::Io { inner, path: path.to_owned() } });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----\n";

    #[test]
    fn the_environment_goes_before_what_is_built_in() {
        // Below the folder that a guest's tests are granted, because WASI has no folder for temporary files.
        let [one, two] = ["certificates-1", "certificates-2"].map(Path::new);
        for folder in [one, two] {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir(folder).unwrap();
        }
        fs::write(one.join("own.pem"), CERTIFICATE).unwrap();
        fs::write(two.join("more.pem"), CERTIFICATE.replace("QUFB", "QkJC")).unwrap();
        let with = |file: &str, folders: &str| {
            find(|name| match name {
                "SSL_CERT_FILE" => Some(file.into()),
                "SSL_CERT_DIR" => Some(folders.into()),
                _ => None,
            })
        };
        assert_eq!(with("certificates-1/own.pem", "").unwrap().len(), 1);
        assert_eq!(
            with("certificates-1/own.pem", "certificates-1:certificates-2").unwrap().len(),
            2
        );
        assert_eq!(with("", "certificates-2").unwrap().len(), 1);
        // If the named file is missing, no other certificates are trusted.
        let missing = with("no-such-file.pem", "");
        assert_eq!((missing.certs.len(), missing.errors.len()), (0, 1));
        assert!(with("", "").unwrap().len() > 50, "a system's bundle, or Mozilla's roots");
        assert!(find(|_| None).unwrap().len() > 50);
        for folder in [one, two] {
            fs::remove_dir_all(folder).unwrap();
        }
    }
}
