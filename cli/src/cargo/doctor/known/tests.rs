use semver::VersionReq;

use super::Level::{Error, Warning};
use super::*;

#[test]
fn every_entry_can_be_used() {
    for known in table() {
        let about = known.package;
        assert!(known.versions == "*" || VersionReq::parse(known.versions).is_ok(), "{about}");
        assert!(!known.what.is_empty() && !known.instead.is_empty(), "{about}");
        assert!(!known.what.ends_with('.') && !known.instead.ends_with('.'), "{about}");
        assert!(!C_CODE.iter().any(|c| c.package == about), "{about} is in both tables");
    }
}

#[test]
fn nothing_is_listed_twice() {
    let mut seen = std::collections::HashSet::new();
    for known in table() {
        let entry = (known.package, known.versions, known.features, known.only.map(|it| it as u8));
        assert!(seen.insert(entry), "{entry:?}");
    }
}

/// The levels of these packages, as found by building them.
#[test]
fn what_is_known_to_stop_a_build_is_an_error() {
    let level_with = |feature: &str, package: &str, version: &str| {
        let version = version.parse().unwrap();
        let about = table().filter(|known| known.package == package);
        let about = about.filter(|known| {
            known.versions == "*" || VersionReq::parse(known.versions).unwrap().matches(&version)
        });
        let about =
            about.filter(|known| known.features.is_empty() || known.features.contains(&feature));
        about.map(|known| known.level).min()
    };
    let level = |package: &str, version: &str| level_with("", package, version);
    assert_eq!(level("reqwest", "0.12.28"), Some(Error));
    assert_eq!(level("reqwest", "0.13.1"), Some(Warning), "its resolver");
    assert_eq!(level_with("hickory-dns", "reqwest", "0.13.1"), Some(Error));
    assert_eq!(level("mongodb", "3.9.1"), None);
    assert_eq!(level_with("dns-resolver", "mongodb", "3.9.1"), Some(Error));
    assert_eq!(level("bollard", "0.21.1"), Some(Error));
    assert_eq!(level("lz4-sys", "1.11.1"), Some(Error), "its shim for browsers");
    assert_eq!(level("russh", "0.62.7"), Some(Error));
    let client = level_with("async-client", "jsonrpsee-core", "0.26.1");
    assert_eq!(client, Some(Error), "its client for WebSocket");
    assert_eq!(level("moka", "0.11.3"), Some(Error));
    assert_eq!(level("moka", "0.12.15"), None);
    assert_eq!(level("actix-server", "2.6.0"), Some(Error));
    assert_eq!(level("indicatif", "0.18.6"), Some(Warning));
    assert_eq!(level("tokio", "0.2.25"), Some(Error));
}
