//! The part of `cargo metadata`'s output that is used here.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;

use semver::{Version, VersionReq};
use serde::Deserialize;

/// A resolved project.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
    /// The chosen members, see [`Metadata::select`].
    #[serde(skip)]
    chosen: Vec<String>,
    #[serde(default)]
    workspace_default_members: Vec<String>,
    pub(crate) workspace_root: PathBuf,
    pub(crate) target_directory: PathBuf,
    pub(crate) resolve: Option<Resolve>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: Version,
    /// `None` for a package in a local folder.
    pub(crate) source: Option<String>,
    /// The native library that it links.
    pub(crate) links: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
    #[serde(default)]
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) req: VersionReq,
    pub(crate) source: Option<String>,
    /// `dev` or `build`. `None` means a normal dependency.
    kind: Option<String>,
    /// The platform of the dependency, if it is not for all.
    target: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    root: Option<String>,
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<Edge>,
    pub(crate) features: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Edge {
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<DepKind>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct DepKind {
    pub(crate) kind: Option<String>,
}

impl Package {
    /// Returns whether it comes from the public registry, or from one that replaces it.
    pub(crate) fn is_published(&self) -> bool {
        self.source
            .as_deref()
            .is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"))
    }

    fn is_proc_macro(&self) -> bool {
        self.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "proc-macro"))
    }

    pub(crate) fn binaries(&self) -> Vec<&str> {
        let is_bin = |target: &&Target| target.kind.iter().any(|kind| kind == "bin");
        self.targets.iter().filter(is_bin).map(|target| target.name.as_str()).collect()
    }
}

impl Metadata {
    pub(crate) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }

    pub(crate) fn named<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m Package> {
        self.packages.iter().filter(move |package| package.name == name)
    }

    /// Chooses the workspace's members that a build would: those named by `specs` (`-p`), or cargo's default.
    pub(crate) fn select(&mut self, specs: &[String], all: bool) {
        self.chosen = self.choice(specs, all);
        if self.chosen.is_empty() {
            self.chosen.clone_from(&self.workspace_members);
        }
    }

    fn choice(&self, specs: &[String], all: bool) -> Vec<String> {
        let root = self.resolve.as_ref().and_then(|resolve| resolve.root.clone());
        let at_root = root.as_deref().and_then(|id| self.package(id)).is_some_and(|package| {
            package.manifest_path.parent() == Some(self.workspace_root.as_path())
        });
        match root {
            _ if all => Vec::new(),
            _ if !specs.is_empty() => {
                let named = |id: &&String| {
                    self.package(id).is_some_and(|package| {
                        specs.iter().any(|spec| spec.split('@').next() == Some(&package.name))
                    })
                };
                self.workspace_members.iter().filter(named).cloned().collect()
            }
            Some(root) if !at_root || self.workspace_default_members.is_empty() => vec![root],
            _ => self.workspace_default_members.clone(),
        }
    }

    /// Returns the enabled features of each package.
    pub(crate) fn features(&self) -> HashMap<&str, &[String]> {
        let nodes = self.resolve.iter().flat_map(|resolve| &resolve.nodes);
        nodes.map(|node| (node.id.as_str(), node.features.as_slice())).collect()
    }

    /// Returns the packages that end up in the guest. Packages that are needed only by build scripts, procedural macros
    /// or, unless `tests`, tests are left out.
    pub(crate) fn in_guest(&self, tests: bool) -> Vec<&Package> {
        let paths = self.paths_from(&self.chosen, |kind, depth| match kind {
            None => true,
            Some("dev") => tests && depth == 0,
            Some(_) => false,
        });
        self.packages.iter().filter(|package| paths.contains_key(package.id.as_str())).collect()
    }

    /// Returns the packages that the build scripts and procedural macros of the chosen members consist of, tests
    /// included. `host` is the same tree, resolved for the platform where they run.
    pub(crate) fn on_host<'m>(&'m self, host: &'m Metadata) -> Vec<&'m Package> {
        let (nodes, host_nodes) = (self.nodes(), host.nodes());
        let mut open: Vec<(&str, bool)> =
            self.chosen.iter().map(|id| (id.as_str(), false)).collect();
        let mut reached: BTreeSet<(&str, bool)> = open.iter().copied().collect();
        while let Some((id, on_host)) = open.pop() {
            let on_host = on_host || self.is_proc_macro(id);
            let is_build = |kind: &DepKind| kind.kind.as_deref() == Some("build");
            let edges = |nodes: &BTreeMap<&str, &'m Node>| {
                nodes.get(id).map_or(&[][..], |node| node.deps.as_slice())
            };
            let here = edges(&nodes).iter().map(|edge| (edge, false));
            let there = edges(&host_nodes).iter().map(|edge| (edge, true));
            for (edge, there) in here.chain(there) {
                for kind in &edge.dep_kinds {
                    let next = (edge.pkg.as_str(), there);
                    if there == (on_host || is_build(kind)) && reached.insert(next) {
                        open.push(next);
                    }
                }
            }
        }
        let id_on_host = |package: &&Package| {
            reached.contains(&(package.id.as_str(), true))
                || (reached.contains(&(package.id.as_str(), false)) && package.is_proc_macro())
        };
        host.packages.iter().filter(id_on_host).collect()
    }

    /// Returns the names of further packages that host code may need. cargo leaves out the dependencies that a package
    /// declares for other platforms than that of the tree, except for its build script's.
    pub(crate) fn declared_for_some_hosts(&self) -> BTreeSet<&str> {
        let declared = self.on_host(self).into_iter().flat_map(|package| &package.dependencies);
        let of_some = declared.filter(|it| it.target.is_some() && it.kind.is_none());
        of_some.map(|dependency| dependency.name.as_str()).collect()
    }

    /// Returns every package that the chosen members build or run, tests included.
    pub(crate) fn reachable(&self) -> Vec<&Package> {
        let paths = self.paths_from(&self.chosen, |_, _| true);
        self.packages.iter().filter(|package| paths.contains_key(package.id.as_str())).collect()
    }

    /// Returns the shortest chain of packages from a workspace member, a chosen one if possible, to `id`, both
    /// included.
    pub(crate) fn chain_to(&self, id: &str) -> Vec<&Package> {
        let mut paths = self.paths_from(&self.chosen, |_, _| true);
        if !paths.contains_key(id) {
            paths = self.paths_from(&self.workspace_members, |_, _| true);
        }
        let mut chain = Vec::new();
        let mut at = Some(id);
        while let Some(id) = at {
            chain.extend(self.package(id));
            at = paths.get(id).copied().flatten();
        }
        chain.reverse();
        chain
    }

    fn nodes(&self) -> BTreeMap<&str, &Node> {
        let nodes = self.resolve.iter().flat_map(|resolve| &resolve.nodes);
        nodes.map(|node| (node.id.as_str(), node)).collect()
    }

    fn is_proc_macro(&self, id: &str) -> bool {
        self.package(id).is_some_and(Package::is_proc_macro)
    }

    /// Returns every package reachable from `members`, with the package from which it was first reached.
    fn paths_from<'m>(
        &'m self,
        members: &'m [String],
        follow: impl Fn(Option<&str>, usize) -> bool,
    ) -> HashMap<&'m str, Option<&'m str>> {
        let nodes = self.nodes();
        let members = members.iter().map(String::as_str);
        let mut reached: HashMap<&str, Option<&str>> =
            members.clone().map(|id| (id, None)).collect();
        let mut open: VecDeque<(&str, usize)> = members.map(|id| (id, 0)).collect();
        while let Some((id, depth)) = open.pop_front() {
            // A macro runs in the compiler, with all of its dependencies.
            if depth > 0 && self.is_proc_macro(id) && !follow(Some("build"), depth) {
                continue;
            }
            for edge in nodes.get(id).iter().flat_map(|node| &node.deps) {
                let wanted = edge.dep_kinds.is_empty()
                    || edge.dep_kinds.iter().any(|kind| follow(kind.kind.as_deref(), depth));
                if wanted && !reached.contains_key(edge.pkg.as_str()) {
                    reached.insert(&edge.pkg, Some(id));
                    open.push_back((&edge.pkg, depth + 1));
                }
            }
        }
        reached
    }
}
