//! Certificates in files and folders.

use std::fs;
use std::path::{Path, PathBuf};

use rustls_native_certs::{ErrorKind, load_certs_from_paths};

/// A folder of our own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        // Below the folder that a guest's tests are granted; WASI has no temporary one.
        let path = PathBuf::from(format!("certificates-of-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Text that a reader of PEM takes for a certificate: what is inside is not looked at.
fn certificate(base64: &str) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

#[test]
fn files_and_folders_are_read_once_each() {
    let folder = Folder::new("paths");
    let both = folder.write("both.pem", &(certificate("QUFB") + &certificate("QkJC")));
    folder.write("5ed36f99.0", &certificate("QUFB"));
    folder.write("notes.txt", "no certificate");
    let found = load_certs_from_paths(Some(&both), Some(&folder.0)).unwrap();
    assert_eq!(found.iter().map(|c| c.as_ref()).collect::<Vec<_>>(), [b"AAA", b"BBB"]);
    assert!(load_certs_from_paths(None, None).unwrap().is_empty());
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_path() {
    let missing = Path::new("no-such-file.pem");
    let result = load_certs_from_paths(Some(missing), Some(Path::new("no-such-folder")));
    assert!(result.certs.is_empty());
    let paths = result.errors.iter().map(|error| match &error.kind {
        ErrorKind::Io { path, .. } => path.display().to_string(),
        other => panic!("{other:?}"),
    });
    assert_eq!(paths.collect::<Vec<_>>(), ["no-such-file.pem", "no-such-folder"]);
    assert!(result.errors[0].to_string().contains("at 'no-such-file.pem'"));

    let folder = Folder::new("errors");
    let broken =
        folder.write("broken.pem", &(certificate("QUFB") + "-----BEGIN CERTIFICATE-----\n"));
    let result = load_certs_from_paths(Some(&broken), None);
    assert_eq!((result.certs.len(), result.errors.len()), (1, 1), "{:?}", result.errors);
    assert!(matches!(result.errors[0].kind, ErrorKind::Pem(_)));
}
