//! Ways to open a file.

use crate::fs_support;

use std::io::ErrorKind;

use fs_support::TempDir;
use wasio::fs::{self, OpenOptions};
use wasio::io::{AsyncReadExt, AsyncWriteExt};

#[wasio::test]
async fn each_option() {
    let dir = TempDir::new("open-options");
    let path = dir.join("f");
    let mut options = OpenOptions::new();
    assert_eq!(options.open(&path).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    options.write(true);
    assert_eq!(options.open(&path).await.unwrap_err().kind(), ErrorKind::NotFound);
    let mut file = options.create(true).open(&path).await.unwrap();
    file.write_all(b"one").await.unwrap();
    file.flush().await.unwrap();

    let mut file = OpenOptions::new().append(true).open(&path).await.unwrap();
    file.write_all(b"two").await.unwrap();
    file.flush().await.unwrap();
    let mut file = OpenOptions::new().read(true).write(true).open(&path).await.unwrap();
    assert_eq!(file.read_u8().await.unwrap(), b'o');
    file.write_all(b"-").await.unwrap();
    file.flush().await.unwrap();
    assert_eq!(fs::read(&path).await.unwrap(), b"o-etwo");

    OpenOptions::new().write(true).truncate(true).open(&path).await.unwrap();
    assert!(fs::read(&path).await.unwrap().is_empty());
    let error = OpenOptions::new().write(true).create_new(true).open(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}

#[wasio::test]
async fn from_options_of_std() {
    let dir = TempDir::new("open-options-std");
    fs::write(dir.join("f"), "x").await.unwrap();
    let mut std = std::fs::OpenOptions::new();
    std.read(true);
    let mut file = OpenOptions::from(std).open(dir.join("f")).await.unwrap();
    assert_eq!(file.read_u8().await.unwrap(), b'x');
    assert!(fs::File::options().open(dir.join("f")).await.is_err());
}
