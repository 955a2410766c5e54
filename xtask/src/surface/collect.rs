//! The public items of a crate, as a flat list of paths and descriptions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::render::{array, parameters, path, signature, ty};
use super::world::{Item, World};

/// An implementation that may or may not hold.
pub(super) const CONDITIONAL: &str = "conditional impl";

/// The public surface: a path such as `sync::Mutex::lock`, and its description.
///
/// A trait implementation is `sync::Mutex: Debug`, a macro `select!`, a feature `feature net`.
#[derive(Default)]
pub(super) struct Surface {
    pub(super) items: BTreeMap<String, String>,
}

impl Surface {
    fn put(&mut self, path: String, what: String) {
        self.items.entry(path).or_insert(what);
    }

    pub(super) fn add_features(&mut self, names: BTreeSet<String>) {
        names
            .into_iter()
            .for_each(|name| self.put(format!("feature {name}"), "feature".to_owned()));
    }
}

/// Collects the public items of `krate`.
pub(super) fn collect(world: &World, krate: &str) -> Surface {
    let mut collector = Collector { world, surface: Surface::default() };
    if let Some(root) = world.root(krate) {
        collector.module(root, "");
    }
    collector.surface
}

struct Collector<'w> {
    world: &'w World,
    surface: Surface,
}

impl<'w> Collector<'w> {
    fn module(&mut self, module: Item<'w>, prefix: &str) {
        for (name, item) in self.world.children(module) {
            let path =
                if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
            match item {
                Some(item) => self.item(item, path),
                None => self.surface.put(path, "re-export".to_owned()),
            }
        }
    }

    fn item(&mut self, item: Item<'w>, path: String) {
        let inner = item.inner();
        match item.kind() {
            "module" => {
                self.surface.put(path.clone(), "mod".to_owned());
                self.module(item, &path);
            }
            "function" => self.surface.put(path, signature(inner, "")),
            "struct" | "enum" | "union" => self.data_type(item, &path),
            "trait" => self.trait_(item, &path),
            "macro" => self.surface.put(format!("{path}!"), "macro".to_owned()),
            "proc_macro" => self.surface.put(format!("#[{path}]"), "macro".to_owned()),
            "type_alias" => {
                self.surface.put(path, format!("type{}", parameters(&inner["generics"])));
            }
            "constant" | "static" => {
                self.surface.put(path, format!("const {}", ty(&inner["type"])))
            }
            other => self.surface.put(path, other.to_owned()),
        }
    }

    fn data_type(&mut self, item: Item<'w>, path: &str) {
        let inner = item.inner();
        let what = format!("{}{}", item.kind(), parameters(&inner["generics"]));
        self.surface.put(path.to_owned(), what);
        for variant in self.world.each(item, &inner["variants"]) {
            let fields = match &variant.inner()["kind"] {
                Value::Object(kind) => match kind.get("tuple") {
                    Some(tuple) => format!("({} fields)", array(tuple).count()),
                    None => self.names(variant, &variant.inner()["kind"]["struct"]["fields"]),
                },
                _ => String::new(),
            };
            self.surface.put(format!("{path}::{}", variant.name()), format!("variant{fields}"));
        }
        let fields = [&inner["kind"]["plain"]["fields"], &inner["kind"]["tuple"]];
        for field in fields.into_iter().flat_map(|ids| self.world.each(item, ids)) {
            self.surface.put(format!("{path}.{}", field.name()), ty(field.inner()));
        }
        for implementation in self.world.each(item, &inner["impls"]) {
            self.implementation(implementation, path);
        }
    }

    fn names(&self, beside: Item<'w>, ids: &'w Value) -> String {
        let names: Vec<&str> = self.world.each(beside, ids).into_iter().map(Item::name).collect();
        format!(" {{ {} }}", names.join(", "))
    }

    /// Methods, or the name of the trait. Blanket implementations are left out.
    fn implementation(&mut self, item: Item<'w>, of: &str) {
        let inner = item.inner();
        if !inner["blanket_impl"].is_null() {
            return;
        }
        if inner["trait"].is_null() {
            let self_type = ty(&inner["for"]);
            for member in self.world.each(item, &inner["items"]) {
                self.member(member, of, &self_type);
            }
            return;
        }
        let name = path(&inner["trait"]);
        // Not implementing an auto trait is said in two ways; both mean that it is absent.
        if inner["is_negative"] == true || is_internal(&name) {
            return;
        }
        let reference = if inner["for"].get("borrowed_ref").is_some() { "&" } else { "" };
        let conditions = &inner["generics"]["where_predicates"];
        let what = match name.as_str() {
            // `pin_project!` generates this for a type that is `Unpin` if its pinned fields are.
            "Unpin" if array(conditions).next().is_some() => CONDITIONAL,
            _ => "impl",
        };
        self.surface.put(format!("{reference}{of}: {name}"), what.to_owned());
    }

    fn trait_(&mut self, item: Item<'w>, path: &str) {
        let inner = item.inner();
        let what = format!("trait{}", parameters(&inner["generics"]));
        self.surface.put(path.to_owned(), what);
        // A method of an extension trait returns a future whose type has no public name.
        let is_extension = path.ends_with("Ext");
        for member in self.world.each(item, &inner["items"]) {
            if is_extension && member.kind() == "function" {
                let arguments = signature(member.inner(), "");
                let arguments = arguments.split(" -> ").next().unwrap_or("").replace("async ", "");
                self.surface.put(format!("{path}::{}", member.name()), arguments);
            } else {
                self.member(member, path, "");
            }
        }
        // Implementations for the crate's own types are listed with the type.
        for implementation in self.world.each(item, &inner["implementations"]) {
            let target = &implementation.inner()["for"];
            if !self.world.is_own(implementation, target) {
                self.surface.put(format!("{path} for {}", ty(target)), "impl".to_owned());
            }
        }
    }

    fn member(&mut self, member: Item<'w>, of: &str, self_type: &str) {
        let what = match member.kind() {
            "function" => signature(member.inner(), self_type),
            other => other.to_owned(),
        };
        self.surface.put(format!("{of}::{}", member.name()), what);
    }
}

/// Traits that no caller can see: the compiler's own, and `Drop`, which it calls.
fn is_internal(name: &str) -> bool {
    matches!(name, "Drop" | "StructuralPartialEq" | "Freeze" | "UnsafeUnpin")
}
