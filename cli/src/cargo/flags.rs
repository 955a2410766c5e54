//! wasio's flags and cargo's: divides the command line, and reads the flags of cargo that this command must know.
//!
//! `run`, `build`, `check` and `test` accept cargo's flags among wasio's, in any order. The line is divided into three
//! parts: wasio's flags, cargo's arguments, and the arguments after `--`, which go to the guest. clap is then given
//! wasio's flags first and cargo's after them (`args`).

use std::ffi::{OsStr, OsString};

/// A divided command line.
pub(crate) struct Line {
    /// The arguments for clap: wasio's flags, followed by cargo's.
    pub(crate) wasio: Vec<OsString>,
    /// The arguments after `--`.
    pub(crate) program: Vec<OsString>,
}

/// wasio's flags that take a value, and those that take none, or only after `=`.
const WITH_VALUE: &[&str] = &["--wasi", "--engine", "--net", "--dir", "--env"];
const WITHOUT_VALUE: &[&str] = &["--sandbox", "--json", "--wasm-opt", "--help", "-h"];

/// Divides the arguments of this process.
pub(crate) fn divide(args: impl Iterator<Item = OsString>) -> Line {
    let mut args: Vec<OsString> = args.collect();
    // cargo calls `cargo-wasio wasio …`. A user may omit the name.
    if args.get(1).is_some_and(|first| first == "wasio") {
        args.remove(1);
    }
    let at = verb_at(&args);
    if args.get(at).is_some() {
        // Flags before the subcommand count like flags after it.
        args[1..=at].rotate_right(1);
    }
    let verb = args.get(1).cloned().unwrap_or_default();
    if verb == "__runner" || verb == "__wasm-opt" {
        return Line { wasio: args, program: Vec::new() };
    }
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let program = args.get(end + 1..).unwrap_or_default().to_vec();
    args.truncate(end);
    if ["run", "build", "check", "test", "doctor"].iter().all(|known| verb != *known) {
        return Line { wasio: args, program };
    }
    let mut wasio: Vec<OsString> = args.drain(..2).collect();
    let mut cargo = Vec::new();
    let mut rest = args.into_iter();
    while let Some(arg) = rest.next() {
        let name = flag_name(&arg);
        if WITH_VALUE.contains(&name) {
            let has_value = arg.len() > name.len();
            wasio.push(arg);
            wasio.extend(if has_value { None } else { rest.next() });
        } else if WITHOUT_VALUE.contains(&name) {
            wasio.push(arg);
        } else {
            cargo.push(arg);
        }
    }
    if !cargo.is_empty() {
        wasio.push("--".into());
        wasio.append(&mut cargo);
    }
    Line { wasio, program }
}

/// Flags of cargo that may come before a subcommand and take a value.
const GLOBAL_WITH_VALUE: &[&str] = &["--config", "-Z", "--color"];

/// Returns the index of the subcommand.
fn verb_at(args: &[OsString]) -> usize {
    let mut at = 1;
    while let Some(arg) = args.get(at).filter(|arg| arg.to_string_lossy().starts_with('-')) {
        let name = flag_name(arg);
        let takes_value = WITH_VALUE.contains(&name) || GLOBAL_WITH_VALUE.contains(&name);
        if ["-h", "--help", "-V", "--version"].contains(&name) {
            return 1;
        }
        at += if takes_value && arg.len() == name.len() { 2 } else { 1 };
    }
    if at < args.len() { at } else { 1 }
}

/// Returns the part of a flag before `=`.
fn flag_name(arg: &OsStr) -> &str {
    let name = arg.as_encoded_bytes().split(|byte| *byte == b'=').next();
    name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
}

/// The flags for cargo, as far as this command must know them.
#[derive(Clone, Debug, Default)]
pub(crate) struct CargoFlags {
    /// All flags, unchanged.
    pub(crate) all: Vec<OsString>,
    /// The flags for the subcommand: without `general` and `--target-dir`.
    pub(crate) subcommand: Vec<OsString>,
    /// The flags that choose the manifest and the features. `cargo metadata` gets them too.
    pub(crate) selection: Vec<OsString>,
    /// The flags for every call of cargo: `--config`, `-Z`, `--color`.
    pub(crate) general: Vec<OsString>,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) offline: bool,
    pub(crate) locked: bool,
    pub(crate) colour: Option<String>,
    /// The value of `--target-dir`, which this command passes to cargo.
    pub(crate) target_dir: Option<OsString>,
    /// The packages chosen with `-p`.
    pub(crate) packages: Vec<String>,
    /// Whether all of the workspace's packages are chosen.
    pub(crate) workspace: bool,
    /// A flag that conflicts with this command.
    pub(crate) refused: Option<&'static str>,
}

impl CargoFlags {
    pub(crate) fn new(all: Vec<OsString>) -> Self {
        let mut found = CargoFlags { all: all.clone(), ..Self::default() };
        let mut rest = all.into_iter();
        while let Some(arg) = rest.next() {
            let name = flag_name(&arg).to_owned();
            let inline = arg.len() > name.len();
            let takes_value = matches!(
                name.as_str(),
                "--manifest-path"
                    | "--features"
                    | "-F"
                    | "--config"
                    | "-Z"
                    | "--color"
                    | "--target-dir"
                    | "-p"
                    | "--package"
            );
            let mut flag = vec![arg];
            if takes_value && !inline {
                flag.extend(rest.next());
            }
            match name.as_str() {
                "--target-dir" => {
                    found.target_dir = value_of(&flag, &name);
                    continue;
                }
                "--config" | "-Z" | "--color" => {
                    if name == "--color" {
                        found.colour = value_of(&flag, &name).and_then(|v| v.into_string().ok());
                    }
                    found.general.append(&mut flag);
                    continue;
                }
                name if name.starts_with("-Z") => {
                    found.general.append(&mut flag);
                    continue;
                }
                "--manifest-path"
                | "--features"
                | "-F"
                | "--all-features"
                | "--no-default-features" => {
                    found.selection.extend(flag.iter().cloned());
                }
                name if name.starts_with("-F") => found.selection.extend(flag.iter().cloned()),
                "--offline" | "--frozen" | "--locked" => {
                    found.offline |= name != "--locked";
                    found.locked |= name != "--offline";
                }
                "-q" | "--quiet" => found.quiet = true,
                "-v" | "-vv" | "--verbose" => found.verbose = true,
                "-p" | "--package" => {
                    let spec = value_of(&flag, &name).and_then(|spec| spec.into_string().ok());
                    found.packages.extend(spec);
                }
                "--workspace" | "--all" => found.workspace = true,
                "--target" => found.refused = Some("--target"),
                "--lockfile-path" => found.refused = Some("--lockfile-path"),
                _ => {}
            }
            found.subcommand.append(&mut flag);
        }
        found
    }

    /// Returns `--manifest-path FILE`, if it was given.
    pub(crate) fn manifest_path(&self) -> &[OsString] {
        let is_it = |arg: &OsString| flag_name(arg) == "--manifest-path";
        match self.selection.iter().position(is_it) {
            Some(at) if self.selection[at] == "--manifest-path" => {
                self.selection.get(at..at + 2).unwrap_or_default()
            }
            Some(at) => &self.selection[at..=at],
            None => &[],
        }
    }
}

/// Returns the value in `--flag value` or `--flag=value`.
fn value_of(given: &[OsString], name: &str) -> Option<OsString> {
    let last = given.last()?;
    let inline = last.to_str().and_then(|text| text.strip_prefix(name)?.strip_prefix('='));
    Some(inline.map_or_else(|| last.clone(), OsString::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(args: &[&str]) -> Vec<OsString> {
        args.iter().map(OsString::from).collect()
    }

    #[test]
    fn flags_may_come_before_the_subcommand() {
        let wasio = |args: &[&str]| divide(strings(args).into_iter()).wasio;
        let line = ["cargo-wasio", "wasio", "--config", "run", "-Zx", "--wasi", "p2", "run", "-q"];
        let end = ["cargo-wasio", "run", "--wasi", "p2", "--", "--config", "run", "-Zx", "-q"];
        assert_eq!(wasio(&line), strings(&end));
        let tried = ["cargo-wasio", "try", "--config=a=1", "mini-redis"];
        assert_eq!(wasio(&["cargo-wasio", "--config=a=1", "try", "mini-redis"]), strings(&tried));
        for alone in
            [&["cargo-wasio", "--version"][..], &["cargo-wasio"], &["cargo-wasio", "--config"]]
        {
            assert_eq!(wasio(alone), strings(alone));
        }
    }

    #[test]
    fn cargo_flags_are_read_and_kept() {
        let given = strings(&["--features", "a b", "-q", "--color=never", "-Zx", "--locked"]);
        let flags = CargoFlags::new(given.clone());
        assert_eq!(flags.all, given);
        assert_eq!(flags.selection, strings(&["--features", "a b"]));
        assert_eq!(flags.general, strings(&["--color=never", "-Zx"]));
        assert_eq!(flags.colour.as_deref(), Some("never"));
        assert!(flags.quiet && flags.locked && !flags.offline);
        assert_eq!(flags.subcommand, strings(&["--features", "a b", "-q", "--locked"]));
        let given = ["--config", "a=1", "--target-dir", "t", "-Z", "x", "--config=f", "--bin", "b"];
        let flags = CargoFlags::new(strings(&given));
        assert_eq!(flags.general, strings(&["--config", "a=1", "-Z", "x", "--config=f"]));
        assert_eq!(flags.subcommand, strings(&["--bin", "b"]));
        assert_eq!(flags.target_dir, Some("t".into()));
        assert_eq!(CargoFlags::new(strings(&["--target", "x"])).refused, Some("--target"));
    }
}
