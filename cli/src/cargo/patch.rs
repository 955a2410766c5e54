//! Examines a tree that cargo resolved: is wasio in it?

use semver::{Version, VersionReq};

use super::lock::Lock;
use super::metadata::{Metadata, Package};
use super::sources::{self, Sources};

/// The drop-ins without which a guest has no sockets. The other ones replace packages that do not compile for WASI, or
/// do not work there, in some versions or with some features only.
const ESSENTIAL: &[&str] = &["tokio", "socket2"];

/// The outcome of the patch.
#[derive(Debug, PartialEq)]
pub(crate) enum State {
    /// The tree's tokio is wasio's.
    InUse(Version),
    /// The project itself names a drop-in: by path, git or its own patch.
    OwnDropIn(Version),
    /// Nothing in the tree uses tokio 1.x.
    NoTokio,
    /// A published tokio is in the tree.
    NotInUse(Vec<Obstacle>),
}

/// A published package in the tree, in place of the drop-in or beside it.
#[derive(Debug, PartialEq)]
pub(crate) struct Obstacle {
    pub(crate) name: String,
    pub(crate) version: Version,
    /// The packages whose requirement excludes the drop-in. If empty, the reason is a lock, or a feature that the
    /// drop-in lacks.
    pub(crate) demands: Vec<Demand>,
}

/// A requirement that excludes the drop-in.
#[derive(Debug, PartialEq)]
pub(crate) struct Demand {
    /// The chain from the project to the requiring package, as `name version`.
    pub(crate) chain: Vec<String>,
    pub(crate) req: VersionReq,
}

impl State {
    /// Returns whether other versions of other packages could make cargo use the patch.
    pub(crate) fn could_be_the_lock(&self) -> bool {
        match self {
            State::NotInUse(found) => found.iter().any(|obstacle| obstacle.demands.is_empty()),
            _ => false,
        }
    }

    /// Returns the reason, and advice, as text.
    pub(crate) fn explanation(&self) -> Option<String> {
        let State::NotInUse(found) = self else { return None };
        Some(found.iter().map(Obstacle::explanation).collect::<Vec<_>>().join("\n\n"))
    }
}

impl Obstacle {
    pub(crate) fn explanation(&self) -> String {
        let name = &self.name;
        let own = sources::drop_in(name, &self.version).map_or("?", |drop_in| drop_in.version);
        let mut text = format!(
            "{name} {} as published is in the tree, and wasio cannot take its place",
            self.version
        );
        for demand in &self.demands {
            let chain = demand.chain.join(" -> ");
            text += &format!("\n  {chain} requires {name} `{}`", demand.req);
        }
        if self.demands.is_empty() {
            text += &format!(
                "\n  No requirement on it excludes wasio's {name} {own}: something in the tree \
                 asks for a feature that it does not have, or for a version of another package \
                 that excludes what it needs."
            );
            return text;
        }
        text += &format!(
            "\n  wasio replaces it with {name} {own}, a version that cargo prefers to every \
             published one. A requirement such as `=1.40` or `~1.40` excludes that version."
        );
        let direct = self.demands.iter().any(|demand| demand.chain.len() == 1);
        let Version { major, minor, .. } = self.version;
        text += &if direct {
            format!(
                "\n  In Cargo.toml, write the requirement as `{major}.{minor}`, which means at least that."
            )
        } else {
            "\n  Look for a release of that package without this requirement, or patch it."
                .to_owned()
        };
        text
    }
}

/// Examines a resolved tree. `metadata` holds the packages of `lock` that the chosen features and target use.
pub(crate) fn examine(metadata: &Metadata, lock: &Lock<'_>, sources: &Sources) -> State {
    let obstacles = obstacles(metadata, |name| ESSENTIAL.contains(&name));
    if !obstacles.is_empty() {
        return State::NotInUse(obstacles);
    }
    let tokio = || metadata.named("tokio").filter(|package| package.version.major == 1);
    if let Some(ours) = tokio().find(|package| package.manifest_path.starts_with(sources.root())) {
        return State::InUse(ours.version.clone());
    }
    if let Some(other) = tokio().next() {
        return State::OwnDropIn(other.version.clone());
    }
    // The package is in the lock, but these features do not use it on this target.
    let listed = lock.entries.iter().find(|e| e.name == "tokio" && !e.has_source);
    listed.map_or(State::NoTokio, |entry| State::InUse(entry.version.clone()))
}

/// Returns the small drop-ins that could not be patched in. The published package stays in the tree, and may work.
pub(crate) fn left_out(metadata: &Metadata) -> Vec<Obstacle> {
    obstacles(metadata, |name| !ESSENTIAL.contains(&name))
}

/// Returns the published packages in the tree whose names are `wanted` and which a drop-in should have replaced.
fn obstacles(metadata: &Metadata, wanted: impl Fn(&str) -> bool) -> Vec<Obstacle> {
    let stood_for =
        |package: &&Package| sources::drop_in(&package.name, &package.version).is_some();
    metadata
        .reachable()
        .into_iter()
        .filter(|package| package.is_published() && wanted(&package.name))
        .filter(stood_for)
        .map(|package| obstacle(metadata, package))
        .collect()
}

fn obstacle(metadata: &Metadata, package: &Package) -> Obstacle {
    let own = sources::drop_in(&package.name, &package.version);
    let own = own.and_then(|own| Version::parse(own.version).ok());
    let mut demands = Vec::new();
    // cargo chooses one tokio for the whole workspace if it can.
    for asking in &metadata.packages {
        for dependency in &asking.dependencies {
            let excludes = own.as_ref().is_some_and(|own| !dependency.req.matches(own));
            let this = dependency.name == package.name && dependency.req.matches(&package.version);
            if this && excludes && dependency.source.is_some() {
                let chain = metadata.chain_to(&asking.id);
                let chain = chain.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
                demands.push(Demand { chain, req: dependency.req.clone() });
            }
        }
    }
    Obstacle { name: package.name.clone(), version: package.version.clone(), demands }
}
