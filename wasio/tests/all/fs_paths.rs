//! Operations on paths.

use crate::fs_support;

use std::io::ErrorKind;

use fs_support::TempDir;
use wasio::fs;

#[wasio::test]
async fn write_read_copy_rename_remove() {
    let dir = TempDir::new("paths-files");
    let (a, b, c) = (dir.join("a"), dir.join("b"), dir.join("c"));
    fs::write(&a, b"h\xff").await.unwrap();
    assert_eq!(fs::read(&a).await.unwrap(), b"h\xff");
    assert_eq!(fs::read_to_string(&a).await.unwrap_err().kind(), ErrorKind::InvalidData);
    fs::write(&a, "text").await.unwrap();
    assert_eq!(fs::read_to_string(&a).await.unwrap(), "text");
    assert_eq!(fs::copy(&a, &b).await.unwrap(), 4);
    fs::rename(&b, &c).await.unwrap();
    assert!(!fs::try_exists(&b).await.unwrap() && fs::try_exists(&c).await.unwrap());
    assert_eq!(fs::metadata(&c).await.unwrap().len(), 4);
    fs::remove_file(&c).await.unwrap();
    for error in [
        fs::read(&c).await.unwrap_err(),
        fs::metadata(&c).await.unwrap_err(),
        fs::remove_file(&c).await.unwrap_err(),
        fs::rename(&c, &b).await.unwrap_err(),
        fs::copy(&c, &b).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

#[wasio::test]
async fn directories() {
    let dir = TempDir::new("paths-directories");
    let (a, ab) = (dir.join("a"), dir.join("a/b"));
    assert_eq!(fs::create_dir(&ab).await.unwrap_err().kind(), ErrorKind::NotFound);
    fs::create_dir_all(&ab).await.unwrap();
    assert!(fs::metadata(&ab).await.unwrap().is_dir());
    assert_eq!(fs::create_dir(&a).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(fs::remove_dir(&a).await.is_err());
    fs::remove_dir(&ab).await.unwrap();
    fs::write(dir.join("a/f"), "").await.unwrap();
    fs::remove_dir_all(&a).await.unwrap();
    assert!(!fs::try_exists(&a).await.unwrap());

    let mut builder = fs::DirBuilder::new();
    assert_eq!(builder.create(&ab).await.unwrap_err().kind(), ErrorKind::NotFound);
    builder.recursive(true).create(&ab).await.unwrap();
    builder.create(&ab).await.unwrap();
}

#[wasio::test]
async fn hard_links() {
    let dir = TempDir::new("paths-hard-links");
    fs::write(dir.join("a"), "one").await.unwrap();
    fs::hard_link(dir.join("a"), dir.join("b")).await.unwrap();
    fs::write(dir.join("a"), "two").await.unwrap();
    assert_eq!(fs::read(dir.join("b")).await.unwrap(), b"two");
    assert!(fs::read_link(dir.join("b")).await.is_err());
}

#[cfg(unix)]
#[wasio::test]
async fn symbolic_links() {
    let dir = TempDir::new("paths-symbolic-links");
    fs::write(dir.join("a"), "one").await.unwrap();
    fs::symlink("a", dir.join("b")).await.unwrap();
    assert_eq!(fs::read_link(dir.join("b")).await.unwrap().to_str(), Some("a"));
    assert!(fs::symlink_metadata(dir.join("b")).await.unwrap().is_symlink());
    assert!(fs::metadata(dir.join("b")).await.unwrap().is_file());
    let real = fs::canonicalize(dir.join("b")).await.unwrap();
    assert_eq!(real, std::fs::canonicalize(dir.join("a")).unwrap());
}

#[cfg(unix)]
#[wasio::test]
async fn permissions() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new("paths-permissions");
    let mode =
        async |name| fs::metadata(dir.join(name)).await.unwrap().permissions().mode() & 0o777;
    fs::OpenOptions::new().write(true).create(true).mode(0o600).open(dir.join("f")).await.unwrap();
    assert_eq!(mode("f").await, 0o600);
    let only_read = std::fs::Permissions::from_mode(0o400);
    fs::set_permissions(dir.join("f"), only_read.clone()).await.unwrap();
    assert_eq!(mode("f").await, 0o400);
    fs::DirBuilder::new().mode(0o700).create(dir.join("d")).await.unwrap();
    assert_eq!(mode("d").await, 0o700);
    let file = fs::File::create(dir.join("g")).await.unwrap();
    file.set_permissions(only_read).await.unwrap();
    assert_eq!(mode("g").await, 0o400);
}

#[cfg(target_family = "wasm")]
#[wasio::test]
async fn what_wasi_lacks() {
    let dir = TempDir::new("paths-wasi");
    fs::write(dir.join("a"), "one").await.unwrap();
    let permissions = fs::metadata(dir.join("a")).await.unwrap().permissions();
    let file = fs::File::open(dir.join("a")).await.unwrap();
    for error in [
        fs::set_permissions(dir.join("a"), permissions.clone()).await.unwrap_err(),
        file.set_permissions(permissions).await.unwrap_err(),
        file.try_clone().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
