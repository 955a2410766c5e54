//! `cargo xtask links`: checks the documents against the repository.
//!
//! - Every relative link and image leads to a file, and every anchor to a heading of its page.
//! - The book's `SUMMARY.md` lists every page below `docs/`.
//! - Every path that `ARCHITECTURE.md` and `docs/contributing/` mention exists.
//! - The section *Unsafe code* of `ARCHITECTURE.md` lists exactly the files outside of `sys/` that have any.
//!
//! Links to other sites are not followed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde::Serialize;
use xtask::workspace;

/// Options of the check.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// The folders and files that are read; a folder with everything below it.
const DOCUMENTS: [&str; 7] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "host", "tests"];
const SUMMARY: &str = "docs/SUMMARY.md";
const ARCHITECTURE: &str = "ARCHITECTURE.md";
/// The heading of the list of files with unsafe code.
const UNSAFE_CODE: &str = "unsafe-code";
/// The folders whose sources the list is about.
const SOURCES: [&str; 8] =
    ["runtime", "net", "macros", "wasio", "drop-in", "resolve", "host", "cli"];

/// A problem in a document.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Problem {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// The output of `--json`.
#[derive(Serialize)]
struct Report {
    pages: usize,
    links: usize,
    problems: Vec<Problem>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let report = examine(workspace::root())?;
    let Report { pages, links, problems } = &report;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        problems.iter().for_each(|problem| println!("{problem}"));
        println!("{pages} pages, {links} links");
    }
    match problems.len() {
        0 => Ok(()),
        1 => bail!("1 problem in the documents"),
        many => bail!("{many} problems in the documents"),
    }
}

fn examine(root: &Path) -> Result<Report> {
    let mut pages = BTreeMap::new();
    for document in DOCUMENTS {
        for file in files(&root.join(document), "md")? {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            pages.insert(name(root, &file), Page::parse(&text));
        }
    }
    let mut problems = Vec::new();
    for (file, page) in &pages {
        problems.extend(page.links.iter().filter_map(|(line, target)| {
            let what = broken(root, &pages, file, target)?;
            Some(Problem { file: file.clone(), line: *line, what })
        }));
        if file == ARCHITECTURE || file.starts_with("docs/contributing/") {
            problems.extend(page.paths().filter(|(_, path)| !root.join(path).exists()).map(
                |(line, path)| Problem {
                    file: file.clone(),
                    line,
                    what: format!("there is no `{path}`"),
                },
            ));
        }
    }
    problems.extend(unlisted(&pages));
    problems.extend(unsafe_code(root, &pages)?);
    let links = pages.values().map(|page| page.links.len()).sum();
    Ok(Report { pages: pages.len(), links, problems })
}

/// All files below a folder whose names end so, or the file itself; nothing if it does not exist.
fn files(path: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = Vec::from_iter(path.is_dir().then(|| path.to_owned()));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The name of a file in the repository, with slashes.
fn name(root: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(root).unwrap_or(file);
    let parts: Vec<_> =
        relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// A document, as far as the checks need it.
#[derive(Default)]
struct Page {
    /// Line and target of each link and image.
    links: Vec<(usize, String)>,
    /// Line, text and section of each piece of inline code.
    codes: Vec<(usize, String, String)>,
    anchors: BTreeSet<String>,
}

impl Page {
    fn parse(text: &str) -> Page {
        let mut page = Page::default();
        let mut heading: Option<String> = None;
        let mut section = String::new();
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push((line(range.start), dest_url.into_string()));
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    section = anchor(&heading.take().unwrap_or_default());
                    let repeated = (1..).map(|n| format!("{section}-{n}"));
                    let mut names = std::iter::once(section.clone()).chain(repeated);
                    let free = names.find(|name| !page.anchors.contains(name));
                    page.anchors.extend(free);
                }
                Event::Code(code) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                    page.codes.push((line(range.start), code.into_string(), section.clone()));
                }
                Event::Text(words) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&words);
                    }
                }
                _ => {}
            }
        }
        page
    }

    /// Inline code that is the path of a file or, with a slash at its end, of a folder.
    fn paths(&self) -> impl Iterator<Item = (usize, &str)> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let is_path = move |code: &str| {
            let last = code.rsplit('/').next().unwrap_or_default();
            let is_relative = code.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
            let names_a_file = last.is_empty() || last.contains('.');
            code.trim_end_matches('/').contains('/')
                && is_relative
                && names_a_file
                && code.chars().all(plain)
        };
        let generated = |code: &str| code.starts_with("target/");
        let codes = self.codes.iter().map(|(line, code, _)| (*line, code.as_str()));
        codes.filter(move |(_, code)| is_path(code) && !generated(code))
    }
}

/// The anchor that GitHub and mdBook give a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

/// Returns the problem of a link, if there is one.
fn broken(root: &Path, pages: &BTreeMap<String, Page>, from: &str, target: &str) -> Option<String> {
    let has_scheme = target.split_once(':').is_some_and(|(scheme, _)| !scheme.contains(['/', '#']));
    if has_scheme {
        return None;
    }
    let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() { from.to_owned() } else { resolve(from, path)? };
    if !root.join(&file).exists() {
        return Some(format!("the link to {target} leads nowhere: there is no {file}"));
    }
    let page = pages.get(&file)?;
    let known = fragment.is_empty() || page.anchors.contains(fragment);
    (!known).then(|| format!("the link to {target} leads nowhere: {file} has no such heading"))
}

/// A relative path, seen from the folder of `from`. None leads out of the repository, as to a forge's own pages.
fn resolve(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(parts.pop()?),
            Component::Normal(part) => parts.push(part.to_str()?),
            _ => {}
        }
    }
    Some(parts.join("/"))
}

/// Pages of the book that its summary does not list: mdBook would leave them out.
fn unlisted(pages: &BTreeMap<String, Page>) -> Vec<Problem> {
    let links = pages.get(SUMMARY).map_or(&[][..], |summary| &summary.links);
    let listed: BTreeSet<_> = links.iter().filter_map(|(_, link)| resolve(SUMMARY, link)).collect();
    let in_book = |file: &&String| file.starts_with("docs/") && *file != SUMMARY;
    let missing = pages.keys().filter(in_book).filter(|file| !listed.contains(*file));
    let what = "docs/SUMMARY.md does not list this page";
    missing.map(|file| Problem { file: file.clone(), line: 1, what: what.to_owned() }).collect()
}

/// Compares the list of files with unsafe code with the sources.
fn unsafe_code(root: &Path, pages: &BTreeMap<String, Page>) -> Result<Vec<Problem>> {
    let mut found = BTreeSet::new();
    for folder in SOURCES {
        for file in files(&root.join(folder), "rs")? {
            let name = name(root, &file);
            let exempt = ["/sys/", "/tests/", "/examples/"].iter().any(|part| name.contains(part));
            if !exempt && has_unsafe_code(&fs::read_to_string(&file)?) {
                found.insert(name);
            }
        }
    }
    let codes = pages.get(ARCHITECTURE).map_or(&[][..], |page| &page.codes);
    let listed: BTreeMap<_, _> = codes
        .iter()
        .filter(|(_, code, section)| section == UNSAFE_CODE && code.ends_with(".rs"))
        .map(|(line, code, _)| (code.clone(), *line))
        .collect();
    let problem = |line, what| Problem { file: ARCHITECTURE.to_owned(), line, what };
    let missing = found.iter().filter(|file| !listed.contains_key(*file));
    let missing =
        missing.map(|file| problem(1, format!("{file} has unsafe code and is not listed")));
    let stale = listed.iter().filter(|(file, _)| !found.contains(*file));
    let stale = stale.map(|(file, line)| problem(*line, format!("{file} has no unsafe code")));
    Ok(missing.chain(stale).collect())
}

/// Whether a source has a block, function, trait or implementation that is unsafe, or permits one.
fn has_unsafe_code(source: &str) -> bool {
    source.lines().any(|line| {
        let code = line.split("//").next().unwrap_or_default();
        let keywords = ["{", "fn", "impl", "trait", "extern"];
        let is_unsafe =
            |rest: &str| keywords.iter().any(|word| rest.trim_start().starts_with(word));
        ["allow(unsafe_code", "expect(unsafe_code"].iter().any(|word| code.contains(word))
            || code.split("unsafe ").skip(1).any(is_unsafe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(texts: &[(&str, &str)]) -> BTreeMap<String, Page> {
        texts.iter().map(|(name, text)| ((*name).to_owned(), Page::parse(text))).collect()
    }

    #[test]
    fn the_documents_are_right() {
        let problems = examine(workspace::root()).unwrap().problems;
        let text: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(text.is_empty(), "\n{}", text.join("\n"));
    }

    #[test]
    fn anchors_are_those_of_the_forge() {
        assert_eq!(anchor("What works, where?"), "what-works-where");
        assert_eq!(anchor("cargo wasio"), "cargo-wasio");
        let page = Page::parse("# `cargo wasio`\n\n## Twice\n\n## Twice\n");
        assert_eq!(
            page.anchors.into_iter().collect::<Vec<_>>(),
            ["cargo-wasio", "twice", "twice-1"]
        );
    }

    #[test]
    fn links_must_lead_somewhere() {
        let root = workspace::root();
        let pages = pages(&[("docs/tls.md", "# TLS\n\n## Building ring\n")]);
        let check = |target| broken(root, &pages, "docs/tls.md", target);
        for good in
            ["tls.md", "#tls", "../README.md", "tls.md#building-ring", "https://x.y/#z", "bench/"]
        {
            assert_eq!(check(good), None, "{good}");
        }
        assert!(check("nothing.md").unwrap().contains("there is no docs/nothing.md"));
        assert!(check("#nothing").unwrap().contains("no such heading"));
        assert!(check("tls.md#nothing").unwrap().contains("no such heading"));
    }

    #[test]
    fn code_has_no_links_and_its_paths_are_known() {
        let page = Page::parse(
            "`a/b.rs`, `[x](y)`, `a::b/c`, `c/d/`, `sys/`, `p1/p2`, [t](z)\n\n```\n[x](y)\n```\n",
        );
        assert_eq!(page.links, [(1, "z".to_owned())]);
        assert_eq!(page.paths().collect::<Vec<_>>(), [(1, "a/b.rs"), (1, "c/d/")]);
    }

    #[test]
    fn pages_must_be_in_the_summary() {
        let found = unlisted(&pages(&[
            (SUMMARY, "[a](a.md)"),
            ("docs/a.md", ""),
            ("docs/b/c.md", ""),
            ("README.md", ""),
        ]));
        let files: Vec<_> = found.iter().map(|problem| problem.file.as_str()).collect();
        assert_eq!(files, ["docs/b/c.md"]);
    }

    #[test]
    fn unsafe_code_is_recognized() {
        for code in [
            "unsafe { x }",
            "pub unsafe fn f()",
            "unsafe impl Send for X {}",
            "#[allow(unsafe_code)]",
        ] {
            assert!(has_unsafe_code(code), "{code}");
        }
        for code in ["// unsafe { x }", "/// unsafe fn", "let unsafe_code = 1;", "\"unsafe code\""]
        {
            assert!(!has_unsafe_code(code), "{code}");
        }
    }
}
