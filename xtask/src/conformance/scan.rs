//! Finds the tests in a test file's tokens, including those that a `cfg` hides from this target.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A test as its source shows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Test {
    pub(crate) name: String,
    /// Ignored upstream on every target.
    pub(crate) ignored: bool,
    /// `Some`: it must panic, with a message that contains this.
    pub(crate) should_panic: Option<String>,
    /// The text of its own `cfg`s and of those around it.
    pub(crate) cfg: String,
}

/// A test file.
#[derive(Clone, Debug)]
pub(crate) struct TestFile {
    pub(crate) source: String,
    pub(crate) cfg: String,
    pub(crate) tests: Vec<Test>,
}

/// Reads every test file of a folder, by name without ending.
pub(crate) fn scan(folder: &Path) -> Result<BTreeMap<String, TestFile>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|e| e != "rs") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let source = fs::read_to_string(&path)?;
        let tokens: TokenStream =
            source.parse().map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?;
        let mut file = TestFile { source, cfg: String::new(), tests: Vec::new() };
        walk(tokens, "", &mut file);
        files.insert(name, file);
    }
    Ok(files)
}

fn walk(tokens: TokenStream, around: &str, file: &mut TestFile) {
    let mut attributes: Vec<TokenStream> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(p) if p.as_char() == '#' => {
                let inner =
                    matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '!');
                if inner {
                    tokens.next();
                }
                if let Some(TokenTree::Group(group)) = tokens.next_if(is_bracket) {
                    if inner {
                        let text = group.stream().to_string();
                        if text.starts_with("cfg") {
                            file.cfg.push_str(&text);
                        }
                    } else {
                        attributes.push(group.stream());
                    }
                }
            }
            TokenTree::Ident(ident) if ident == "fn" => {
                let Some(TokenTree::Ident(name)) = tokens.peek() else { continue };
                if let Some(test) = test(&name.to_string(), &attributes, around) {
                    file.tests.push(test);
                }
            }
            // `test!(name, …)`: a macro of the file's own that makes a test. A `cfg` may hide it.
            TokenTree::Ident(ident) if ident == "test" => {
                let is_bang =
                    |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == '!');
                let Some(_) = tokens.next_if(is_bang) else { continue };
                if let Some(TokenTree::Group(group)) = tokens.next() {
                    file.tests.extend(made_by_macro(group.stream(), &attributes, around));
                }
            }
            TokenTree::Group(group) => {
                let cfg = format!("{around} {}", cfgs(&attributes));
                walk(group.stream(), cfg.trim(), file);
                if group.delimiter() == Delimiter::Brace {
                    attributes.clear();
                }
            }
            TokenTree::Punct(p) if p.as_char() == ';' => attributes.clear(),
            _ => {}
        }
    }
}

/// The test that `test!` makes of its arguments: the last name before the first comma is the test's.
/// `None` for a call in the macro's own definition, whose arguments are its parameters.
fn made_by_macro(arguments: TokenStream, attributes: &[TokenStream], around: &str) -> Option<Test> {
    let is = |t: &TokenTree, c| matches!(t, TokenTree::Punct(p) if p.as_char() == c);
    if arguments.clone().into_iter().any(|t| is(&t, '$')) {
        return None;
    }
    let name = arguments.into_iter().take_while(|t| !is(t, ',')).filter_map(|t| match t {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    });
    let name = name.last()?;
    let cfg = format!("{around} {}", cfgs(attributes)).trim().to_owned();
    Some(Test { name, cfg, ..Test::default() })
}

fn is_bracket(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(g) if g.delimiter() == Delimiter::Bracket)
}

/// The `cfg` attributes, as text.
fn cfgs(attributes: &[TokenStream]) -> String {
    let texts = attributes.iter().map(ToString::to_string);
    texts.filter(|t| t.starts_with("cfg (") || t.starts_with("cfg(")).collect::<Vec<_>>().join(" ")
}

/// The path of an attribute: `tokio::test`.
fn path(attribute: &TokenStream) -> String {
    let mut path = String::new();
    for token in attribute.clone() {
        match token {
            TokenTree::Ident(i) => path.push_str(&i.to_string()),
            TokenTree::Punct(p) if p.as_char() == ':' => path.push(':'),
            _ => break,
        }
    }
    path
}

fn arguments(attribute: &TokenStream) -> Option<Group> {
    attribute.clone().into_iter().find_map(|t| match t {
        TokenTree::Group(g) => Some(g),
        _ => None,
    })
}

fn test(name: &str, attributes: &[TokenStream], around: &str) -> Option<Test> {
    let is_test =
        |p: &str| p == "test" || p.ends_with("::test") || p.ends_with(":maybe_tokio_test");
    let mut found = false;
    let mut test = Test { name: name.to_owned(), ..Test::default() };
    for attribute in attributes {
        let path = path(attribute);
        let text = attribute.to_string();
        match path.as_str() {
            p if is_test(p) => found = true,
            "maybe_tokio_test" => found = true,
            "ignore" => test.ignored = true,
            "should_panic" => {
                let message =
                    arguments(attribute).and_then(|g| literal(g.stream())).unwrap_or_default();
                test.should_panic = Some(message);
            }
            // `cfg_attr(condition, tokio::test)`
            "cfg_attr" if text.contains("test") => found = true,
            _ => {}
        }
    }
    test.cfg = format!("{around} {}", cfgs(attributes)).trim().to_owned();
    found.then_some(test)
}

fn literal(tokens: TokenStream) -> Option<String> {
    tokens.into_iter().find_map(|t| match t {
        TokenTree::Literal(l) => Some(l.to_string().trim_matches('"').to_owned()),
        _ => None,
    })
}
