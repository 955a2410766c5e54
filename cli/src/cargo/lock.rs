//! The text of a Cargo.lock: the packages that it pins, and a copy without some.
//!
//! cargo ignores a patch if the lock pins a version of the patched package, or of a package that the patch needs in a
//! newer version. If an entry is removed from a lock, cargo chooses that package anew while all others keep their
//! versions. The private lock is therefore the project's own without those entries. cargo prunes entries that are no
//! longer needed and writes the rest itself.

use std::collections::BTreeSet;

use semver::Version;

/// One `[[package]]` of a lock.
#[derive(Debug)]
pub(crate) struct Entry<'t> {
    pub(crate) name: &'t str,
    pub(crate) version: Version,
    /// Whether it comes from a registry or git, not from a folder.
    pub(crate) has_source: bool,
    text: &'t str,
}

impl Entry<'_> {
    /// Returns the names of its dependencies, which cargo writes as ` "NAME",` or ` "NAME VERSION",`.
    fn dependencies(&self) -> impl Iterator<Item = &str> {
        let quoted = self.text.lines().filter_map(|line| line.strip_prefix(" \""));
        quoted.filter_map(|line| line.split(['"', ' ']).next())
    }

    /// Returns whether a dependency tree can hold only one of the two.
    pub(crate) fn excludes(&self, name: &str, version: &Version) -> bool {
        self.name == name && compatible(&self.version, version)
    }
}

/// Returns whether two versions are compatible by semantic versioning.
pub(crate) fn compatible(one: &Version, other: &Version) -> bool {
    let key = |v: &Version| match (v.major, v.minor) {
        (0, 0) => (0, 0, v.patch),
        (0, minor) => (0, minor, 0),
        (major, _) => (major, 0, 0),
    };
    key(one) == key(other)
}

/// A parsed lock.
#[derive(Debug)]
pub(crate) struct Lock<'t> {
    head: &'t str,
    pub(crate) entries: Vec<Entry<'t>>,
}

impl<'t> Lock<'t> {
    /// Parses the packages. Anything after them (`[[patch.unused]]`, old checksums) is left out: cargo writes it anew
    /// if it is needed.
    pub(crate) fn parse(text: &'t str) -> Self {
        let mut starts: Vec<(usize, bool)> = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            if line.starts_with('[') {
                starts.push((at, line.trim_end() == "[[package]]"));
            }
            at += line.len();
        }
        let ends = starts.iter().skip(1).map(|start| start.0).chain([text.len()]);
        let entries = starts
            .iter()
            .zip(ends)
            .filter(|((_, package), _)| *package)
            .filter_map(|((start, _), end)| entry(&text[*start..end]))
            .collect();
        let head = &text[..starts.first().map_or(text.len(), |start| start.0)];
        Lock { head, entries }
    }

    /// Returns whether the package `from` is `to` or depends on it, on any platform and in any version.
    pub(crate) fn leads(&self, from: &str, to: &str) -> bool {
        let mut reached = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(name) = open.pop() {
            if name == to {
                return true;
            }
            let of_name = self.entries.iter().filter(|entry| entry.name == name);
            for needed in of_name.flat_map(Entry::dependencies) {
                if reached.insert(needed) {
                    open.push(needed);
                }
            }
        }
        false
    }

    /// Returns the lock without the entries that `drop` selects, and with the entries of `older` whose place is free.
    pub(crate) fn without(&self, drop: impl Fn(&Entry<'_>) -> bool, older: &Lock<'_>) -> String {
        let mut text = self.head.to_owned();
        let kept = self.entries.iter().filter(|entry| !drop(entry));
        let taken = |entry: &&Entry<'_>| {
            !self.entries.iter().any(|own| own.excludes(entry.name, &entry.version))
        };
        let more = older.entries.iter().filter(|entry| entry.has_source && !drop(entry));
        for entry in kept {
            push(&mut text, entry.text);
        }
        for entry in more.filter(taken) {
            push(&mut text, entry.text);
        }
        text
    }
}

fn push(text: &mut String, entry: &str) {
    text.push_str(entry.trim_end());
    text.push_str("\n\n");
}

fn entry(text: &str) -> Option<Entry<'_>> {
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
    };
    Some(Entry {
        name: value("name")?,
        version: Version::parse(value("version")?).ok()?,
        has_source: value("source").is_some(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "# made by cargo\nversion = 4\n\n\
        [[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"tokio\",\n]\n\n\
        [[package]]\nname = \"tokio\"\nversion = \"1.8.1\"\nsource = \"registry+x\"\n\n\
        [[patch.unused]]\nname = \"other\"\nversion = \"1.0.0\"\n";

    #[test]
    fn entries_are_read() {
        let lock = Lock::parse(LOCK);
        let names: Vec<_> = lock.entries.iter().map(|e| (e.name, e.has_source)).collect();
        assert_eq!(names, [("app", false), ("tokio", true)]);
        assert_eq!(lock.entries[1].version, Version::new(1, 8, 1));
    }

    #[test]
    fn dependencies_are_followed() {
        let app = "[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"a 0.2.0\",\n \"b\",\n]\n\n";
        let circle =
            "[[package]]\nname = \"b\"\nversion = \"0.1.0\"\ndependencies = [\n \"app\",\n]\n\n";
        let text = app.to_owned() + circle + &LOCK.replace("app", "a");
        let lock = Lock::parse(&text);
        assert!(lock.leads("app", "tokio") && lock.leads("tokio", "tokio"));
        assert!(!lock.leads("tokio", "app") && !lock.leads("app", "other"));
    }

    #[test]
    fn an_entry_is_taken_out_and_older_ones_fill_gaps() {
        let lock = Lock::parse(LOCK);
        let slab = "[[package]]\nname = \"slab\"\nversion = \"0.4.12\"\nsource = \"registry+x\"\n";
        let tokio = "[[package]]\nname = \"tokio\"\nversion = \"1.999.0\"\n";
        let older = format!("{slab}\n{tokio}");
        let text = lock.without(|e| e.name == "tokio" && e.has_source, &Lock::parse(&older));
        assert!(text.starts_with("# made by cargo\nversion = 4\n\n[[package]]\nname = \"app\"\n"));
        assert!(text.contains(slab) && !text.contains("1.8.1") && !text.contains("1.999.0"));
        assert!(!text.contains("patch.unused"));
    }

    #[test]
    fn compatibility_is_cargos() {
        let v = |text| Version::parse(text).unwrap();
        assert!(compatible(&v("1.2.3"), &v("1.9.0")) && compatible(&v("0.3.1"), &v("0.3.9")));
        assert!(!compatible(&v("0.3.1"), &v("0.4.0")) && !compatible(&v("0.0.1"), &v("0.0.2")));
    }
}
