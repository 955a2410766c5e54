//! The comparison and its report.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::collect::{CONDITIONAL, Surface};
use super::exceptions::{Exception, matches};

/// The result for one of upstream's items.
enum Outcome {
    Present,
    Missing,
    /// It exists but differs: upstream's description, and the drop-in's.
    Different(String, String),
    NotApplicable(String),
}

/// The outcome of every item, and the exceptions that are not needed.
pub(super) struct Report {
    /// The names of the two crates.
    of: String,
    items: BTreeMap<String, Outcome>,
    stale: Vec<String>,
}

/// Looks up each of upstream's items in the drop-in.
pub(super) fn compare(
    of: String,
    upstream: &Surface,
    ours: &Surface,
    excused: &[&Exception],
) -> Report {
    let mut used = std::collections::BTreeSet::new();
    let mut unless_excused = |path: &String, otherwise: Outcome| {
        for entry in excused {
            if let Some(pattern) = entry.items.iter().find(|p| matches(p, path)) {
                used.insert(pattern.clone());
                return Outcome::NotApplicable(format!("{}: {}", entry.reason, entry.why));
            }
        }
        otherwise
    };
    let mut outcome = |path: &String, theirs: &String| {
        let got = ours.items.get(path);
        if got == Some(theirs) || theirs == CONDITIONAL {
            return Outcome::Present;
        }
        let wrong = match got {
            Some(got) => Outcome::Different(theirs.clone(), got.clone()),
            None => Outcome::Missing,
        };
        unless_excused(path, wrong)
    };
    let mut items: BTreeMap<_, _> =
        upstream.items.iter().map(|(path, what)| (path.clone(), outcome(path, what))).collect();
    // Code that relies on `Send` here would not compile with upstream.
    for path in ours.items.keys().filter(|path| !upstream.items.contains_key(*path)) {
        let auto = path.strip_suffix(": Send").or(path.strip_suffix(": Sync"));
        if auto.is_some_and(|of| upstream.items.contains_key(of)) {
            let outcome = Outcome::Different("not implemented".to_owned(), "impl".to_owned());
            items.insert(path.clone(), unless_excused(path, outcome));
        }
    }
    let patterns = excused.iter().flat_map(|entry| &entry.items);
    Report { of, items, stale: patterns.filter(|p| !used.contains(*p)).cloned().collect() }
}

/// Counts of one module.
#[derive(Default, Clone, Copy)]
struct Count {
    present: usize,
    failing: usize,
    not_applicable: usize,
}

impl Count {
    /// The share of the applicable items that are present, in percent.
    fn share(self) -> f64 {
        match self.present + self.failing {
            0 => 100.0,
            total => 100.0 * self.present as f64 / total as f64,
        }
    }
}

impl Report {
    /// The names of the two crates.
    pub(super) fn of(&self) -> &str {
        &self.of
    }

    /// How many items are missing or different, or are excused although they are there.
    pub(super) fn failures(&self) -> usize {
        self.total().failing + self.stale.len()
    }

    fn modules(&self) -> BTreeMap<&str, Count> {
        let mut modules = BTreeMap::<&str, Count>::new();
        for (path, outcome) in &self.items {
            let count = modules.entry(module(path)).or_default();
            match outcome {
                Outcome::Present => count.present += 1,
                Outcome::NotApplicable(_) => count.not_applicable += 1,
                Outcome::Missing | Outcome::Different(..) => count.failing += 1,
            }
        }
        modules
    }

    fn total(&self) -> Count {
        self.modules().values().fold(Count::default(), |sum, c| Count {
            present: sum.present + c.present,
            failing: sum.failing + c.failing,
            not_applicable: sum.not_applicable + c.not_applicable,
        })
    }

    /// Prints a table by module, and the missing items.
    pub(super) fn print(&self, all: bool) {
        let row = |name: &str, c: Count| {
            let (present, failing) = (c.present, c.failing);
            println!(
                "{name:<22} {present:>8} {failing:>8} {:>8} {:>8.1} %",
                c.not_applicable,
                c.share()
            );
        };
        println!("{:<22} {:>8} {:>8} {:>8} {:>10}", "module", "present", "missing", "n/a", "share");
        self.modules().into_iter().for_each(|(name, count)| row(name, count));
        row(&self.of, self.total());
        for (path, outcome) in &self.items {
            match outcome {
                Outcome::Missing => println!("missing    {path}"),
                Outcome::Different(upstream, ours) => {
                    println!("different  {path}\n  upstream {upstream}\n  wasio    {ours}");
                }
                Outcome::NotApplicable(why) if all => println!("n/a        {path} ({why})"),
                _ => {}
            }
        }
        for pattern in &self.stale {
            println!("excused although nothing of that name is missing: {pattern}");
        }
    }

    /// The report as JSON.
    pub(super) fn to_json(&self) -> Value {
        let modules = self.modules().into_iter().map(|(name, c)| {
            json!({ "module": name, "present": c.present, "missing": c.failing,
                    "not_applicable": c.not_applicable, "share": c.share() / 100.0 })
        });
        let items = self.items.iter().filter_map(|(path, outcome)| match outcome {
            Outcome::Present => None,
            Outcome::Missing => Some(json!({ "path": path, "result": "missing" })),
            Outcome::Different(upstream, ours) => Some(
                json!({ "path": path, "result": "different", "upstream": upstream, "wasio": ours }),
            ),
            Outcome::NotApplicable(reason) => {
                Some(json!({ "path": path, "result": "not_applicable", "reason": reason }))
            }
        });
        let total = self.total();
        json!({
            "of": self.of,
            "present": total.present,
            "missing": total.failing,
            "not_applicable": total.not_applicable,
            "share": total.share() / 100.0,
            "modules": modules.collect::<Vec<_>>(),
            "items": items.collect::<Vec<_>>(),
            "stale": self.stale,
        })
    }
}

/// The top-level module of a path.
fn module(path: &str) -> &str {
    let path = path.trim_start_matches('&');
    if path.starts_with("feature ") {
        return "(features)";
    }
    match path.split_once("::") {
        Some((module, _)) => module,
        None if path.ends_with(['!', ']']) => "(macros)",
        None => path,
    }
}
