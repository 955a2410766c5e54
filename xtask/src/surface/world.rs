//! The rustdoc JSON of several crates, and the resolution of names across them.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use serde_json::Value;

/// The document of a crate.
struct Document {
    index: HashMap<u64, Value>,
    /// The ids of this crate's items, documented or not.
    own: HashSet<u64>,
    root: u64,
}

/// The documents, by crate name.
pub(super) struct World {
    documents: HashMap<String, Document>,
}

/// An item in one of the documents.
#[derive(Clone, Copy)]
pub(super) struct Item<'w> {
    pub(super) krate: &'w str,
    pub(super) value: &'w Value,
}

impl<'w> Item<'w> {
    /// The kind of the item: `struct`, `function`, `use`…
    pub(super) fn kind(self) -> &'w str {
        match &self.value["inner"] {
            Value::Object(inner) => inner.keys().next().map_or("", String::as_str),
            other => other.as_str().unwrap_or(""),
        }
    }

    /// The data of its kind.
    pub(super) fn inner(self) -> &'w Value {
        &self.value["inner"][self.kind()]
    }

    /// Whether the item itself is `#[doc(hidden)]`. A re-exported item may differ.
    fn is_hidden(self) -> bool {
        let attributes = self.value["attrs"].as_array().into_iter().flatten();
        attributes.map(Value::to_string).any(|a| a.contains("doc(hidden)"))
    }

    /// The name. For a re-export, the visible one.
    pub(super) fn name(self) -> &'w str {
        match self.kind() {
            "use" => self.inner()["name"].as_str().unwrap_or(""),
            _ => self.value["name"].as_str().unwrap_or(""),
        }
    }
}

impl World {
    pub(super) fn new(documents: Vec<(String, Value)>) -> Result<World> {
        let documents = documents.into_iter().map(|(name, mut json)| {
            let root =
                json["root"].as_u64().context("rustdoc's JSON has another format: no root")?;
            let Value::Object(index) = json["index"].take() else {
                anyhow::bail!("rustdoc's JSON has another format: no index");
            };
            let index = index.into_iter().filter_map(|(id, item)| Some((id.parse().ok()?, item)));
            let paths = json["paths"].as_object().into_iter().flatten();
            let own = paths
                .filter(|(_, path)| path["crate_id"] == 0)
                .filter_map(|(id, _)| id.parse().ok());
            Ok((name, Document { index: index.collect(), own: own.collect(), root }))
        });
        Ok(World { documents: documents.collect::<Result<_>>()? })
    }

    /// The root module of a crate.
    pub(super) fn root(&self, krate: &str) -> Option<Item<'_>> {
        let (krate, document) = self.documents.get_key_value(krate)?;
        Some(Item { krate, value: document.index.get(&document.root)? })
    }

    /// The item of `beside`'s crate with this id, if it is documented there.
    pub(super) fn get<'w>(&'w self, beside: Item<'w>, id: &Value) -> Option<Item<'w>> {
        let value = self.documents[beside.krate].index.get(&id.as_u64()?)?;
        (value["crate_id"] == 0).then_some(Item { krate: beside.krate, value })
    }

    /// Whether a type is one of the documented crates' own, not of `std` or a dependency.
    pub(super) fn is_own(&self, beside: Item<'_>, ty: &Value) -> bool {
        let path = &ty["resolved_path"];
        let krate = path["path"].as_str().and_then(|p| p.split("::").next());
        path["id"].as_u64().is_some_and(|id| self.documents[beside.krate].own.contains(&id))
            || krate.is_some_and(|name| self.documents.contains_key(name))
    }

    /// The items of a list of ids, without the hidden ones.
    pub(super) fn each<'w>(&'w self, beside: Item<'w>, ids: &'w Value) -> Vec<Item<'w>> {
        let items = ids.as_array().into_iter().flatten().filter_map(|id| self.get(beside, id));
        items.filter(|item| !item.is_hidden()).collect()
    }

    /// The visible names of a module and their items, with re-exports resolved.
    ///
    /// A name that comes from a crate without a document (such as `std`) has no item.
    pub(super) fn children<'w>(&'w self, module: Item<'w>) -> Vec<(&'w str, Option<Item<'w>>)> {
        let mut found = Vec::new();
        for item in self.each(module, &module.inner()["items"]) {
            if item.kind() != "use" {
                found.push((item.name(), Some(item)));
                continue;
            }
            let targets = self.targets(item);
            if item.inner()["is_glob"] == true {
                targets.into_iter().for_each(|t| found.extend(self.children(t)));
            } else if targets.is_empty() {
                found.push((item.name(), None));
            } else {
                found.extend(targets.into_iter().map(|t| (item.name(), Some(t))));
            }
        }
        found
    }

    /// The items of a re-export. There are several if they share a name in different namespaces.
    fn targets<'w>(&'w self, reexport: Item<'w>) -> Vec<Item<'w>> {
        let inner = reexport.inner();
        match self.get(reexport, &inner["id"]) {
            Some(item) if item.kind() == "use" => self.targets(item),
            Some(item) => vec![item],
            None => self.find(inner["source"].as_str().unwrap_or("")),
        }
    }

    /// The items that are visible under a full path, in any of the crates.
    fn find(&self, path: &str) -> Vec<Item<'_>> {
        let mut names = path.trim_start_matches("::").split("::");
        let mut found: Vec<Item<'_>> =
            names.next().and_then(|k| self.root(k)).into_iter().collect();
        for name in names {
            let children = found.into_iter().flat_map(|item| self.children(item));
            found = children.filter(|(n, _)| *n == name).filter_map(|(_, item)| item).collect();
        }
        found
    }
}
