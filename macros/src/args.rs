//! The arguments of `#[main(…)]` and `#[test(…)]`.
//!
//! The messages are tokio's, word for word, because people search for them.

use proc_macro::{Span, TokenStream, TokenTree};

use crate::error::{Error, Result};
use crate::template::{respan, unwrap_invisible};
use crate::{Attribute, literal};

const KNOWN: &str =
    "`flavor`, `worker_threads`, `start_paused`, `crate`, `unhandled_panic`, `name`";

/// The flavour of the runtime.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Flavor {
    CurrentThread,
    MultiThread,
    Local,
}

/// The runtime that the arguments configure.
pub(crate) struct Config {
    pub(crate) flavor: Flavor,
    pub(crate) worker_threads: Option<usize>,
    pub(crate) start_paused: Option<bool>,
    pub(crate) name: Option<String>,
    /// The path of the facade, if it is not called by its own name.
    pub(crate) crate_path: Option<TokenStream>,
    /// The variant of `runtime::UnhandledPanic`, if it is not the default.
    pub(crate) unhandled_panic: Option<&'static str>,
}

impl Config {
    /// The configuration for a function with wrong arguments. The function is expanded beside the error, so that
    /// editors still know it.
    pub(crate) fn fallback() -> Self {
        Config {
            flavor: Flavor::CurrentThread,
            worker_threads: None,
            start_paused: None,
            name: None,
            crate_path: None,
            unhandled_panic: None,
        }
    }

    /// Reads the arguments of `attribute`.
    pub(crate) fn parse(args: TokenStream, attribute: Attribute) -> Result<Config> {
        let mut given = Given::default();
        for arg in split_at_commas(args)? {
            given.read(&arg, attribute)?;
        }
        given.check(attribute)
    }
}

/// A value and its span.
type At<T> = Option<(T, Span)>;

#[derive(Default)]
struct Given {
    flavor: At<Flavor>,
    worker_threads: At<usize>,
    start_paused: At<bool>,
    name: At<String>,
    crate_path: At<TokenStream>,
    unhandled_panic: At<Option<&'static str>>,
}

impl Given {
    fn read(&mut self, arg: &[TokenTree], attribute: Attribute) -> Result<()> {
        let equals =
            arg.iter().position(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == '='));
        let path = &arg[..equals.unwrap_or(arg.len())];
        if let Some(TokenTree::Literal(l)) = path.first() {
            return Err(Error::new(l.span(), "expected identifier"));
        }
        if path.iter().any(|t| matches!(t, TokenTree::Group(_))) {
            return Err(Error::over(arg, "Unknown attribute inside the macro"));
        }
        let [TokenTree::Ident(key)] = path else {
            return Err(Error::over(arg, "Must have specified ident"));
        };
        let key = key.to_string().to_lowercase();
        let Some(equals) = equals else {
            return Err(Error::over(arg, without_value(&key, attribute)));
        };
        let value = match &arg[equals + 1..] {
            [] => return Err(Error::over(&arg[equals..], "expected a value after `=`")),
            [one] => unwrap_invisible(one.clone()),
            more => return Err(Error::over(more, "Must be a literal")),
        };
        let is_bool = matches!(value.to_string().as_str(), "true" | "false");
        if !matches!(value, TokenTree::Literal(_)) && !is_bool {
            return Err(Error::new(value.span(), "Must be a literal"));
        }
        match key.as_str() {
            "flavor" => set(&mut self.flavor, &key, value, flavor),
            "worker_threads" => set(&mut self.worker_threads, &key, value, workers),
            "start_paused" => set(&mut self.start_paused, &key, value, boolean),
            "name" => set(&mut self.name, &key, value, string),
            "crate" => set(&mut self.crate_path, &key, value, path_of_crate),
            "unhandled_panic" => set(&mut self.unhandled_panic, &key, value, unhandled_panic),
            "core_threads" => {
                Err(Error::over(arg, "Attribute `core_threads` is renamed to `worker_threads`"))
            }
            _ => Err(Error::over(arg, unknown(&key))),
        }
    }

    /// Refuses contradictory arguments.
    fn check(self, attribute: Attribute) -> Result<Config> {
        let default = if attribute.is_test { Flavor::CurrentThread } else { Flavor::MultiThread };
        let flavor = self.flavor.as_ref().map_or(default, |f| f.0);
        let requires = |option, flavor, at| {
            let message = format!(
                "The `{option}` option requires the `{flavor}` runtime flavor. \
                 Use `#[{attribute}(flavor = \"{flavor}\")]`"
            );
            Err(Error::new(at, message))
        };
        if flavor == Flavor::MultiThread {
            if !attribute.has_multi_thread {
                let message = if self.flavor.is_none() {
                    "The default runtime flavor is `multi_thread`, but the `rt-multi-thread` \
                     feature is disabled."
                } else {
                    "The runtime flavor `multi_thread` requires the `rt-multi-thread` feature."
                };
                return Err(Error::new(Span::call_site(), message));
            }
            if let Some((_, at)) = self.start_paused {
                return requires("start_paused", "current_thread", at);
            }
            if let Some((_, at)) = self.unhandled_panic {
                return requires("unhandled_panic", "current_thread", at);
            }
        } else if let Some((_, at)) = self.worker_threads {
            return requires("worker_threads", "multi_thread", at);
        }
        Ok(Config {
            flavor,
            worker_threads: self.worker_threads.map(|v| v.0),
            start_paused: self.start_paused.map(|v| v.0),
            name: self.name.map(|v| v.0),
            crate_path: self.crate_path.map(|v| v.0),
            unhandled_panic: self.unhandled_panic.and_then(|v| v.0),
        })
    }
}

/// Stores the value of an argument that was not given before.
fn set<T>(
    slot: &mut At<T>,
    key: &str,
    value: TokenTree,
    parse: fn(&str, TokenTree) -> std::result::Result<T, String>,
) -> Result<()> {
    let at = value.span();
    if slot.is_some() {
        return Err(Error::new(at, format!("`{key}` set multiple times.")));
    }
    *slot = Some((parse(key, value).map_err(|message| Error::new(at, message))?, at));
    Ok(())
}

fn flavor(key: &str, value: TokenTree) -> std::result::Result<Flavor, String> {
    let name = string(key, value)?;
    let renamed = |new| format!("The `{name}` runtime flavor has been renamed to `{new}`.");
    match name.as_str() {
        "current_thread" => Ok(Flavor::CurrentThread),
        "multi_thread" => Ok(Flavor::MultiThread),
        "local" => Ok(Flavor::Local),
        "single_thread" => {
            Err("The single threaded runtime flavor is called `current_thread`.".to_owned())
        }
        "basic_scheduler" => Err(renamed("current_thread")),
        "threaded_scheduler" => Err(renamed("multi_thread")),
        _ => Err(format!(
            "No such runtime flavor `{name}`. The runtime flavors are `current_thread`, `local`, and \
             `multi_thread`."
        )),
    }
}

fn unhandled_panic(
    key: &str,
    value: TokenTree,
) -> std::result::Result<Option<&'static str>, String> {
    let name = string(key, value)?;
    match name.as_str() {
        // The default. Nothing is generated, so that it works where the builder lacks the option.
        "ignore" => Ok(None),
        "shutdown_runtime" => Ok(Some("ShutdownRuntime")),
        _ => Err(format!(
            "No such unhandled panic behavior `{name}`. The unhandled panic behaviors are `ignore` and \
             `shutdown_runtime`."
        )),
    }
}

fn string(key: &str, value: TokenTree) -> std::result::Result<String, String> {
    literal::string(&value.to_string())
        .ok_or_else(|| format!("Failed to parse value of `{key}` as string."))
}

fn boolean(key: &str, value: TokenTree) -> std::result::Result<bool, String> {
    value.to_string().parse().map_err(|_| format!("Failed to parse value of `{key}` as bool."))
}

fn workers(key: &str, value: TokenTree) -> std::result::Result<usize, String> {
    let failed = format!("Failed to parse value of `{key}` as integer");
    match literal::integer(&value.to_string()) {
        None => Err(failed + "."),
        Some(Err(e)) => Err(format!("{failed}: {e}")),
        Some(Ok(0)) => Err(format!("`{key}` may not be 0.")),
        Some(Ok(n)) => Ok(n),
    }
}

fn path_of_crate(key: &str, value: TokenTree) -> std::result::Result<TokenStream, String> {
    let failed = format!("Failed to parse value of `{key}` as path");
    let Some(text) = literal::string(&value.to_string()) else { return Err(failed + ".") };
    match text.parse::<TokenStream>() {
        Ok(path) if is_path(path.clone()) => Ok(respan(path, value.span())),
        _ => Err(format!("{failed}: \"{text}\"")),
    }
}

/// Whether the tokens are names joined by `::`.
fn is_path(path: TokenStream) -> bool {
    let text: String = path.clone().into_iter().map(|t| t.to_string()).collect();
    let names = text.strip_prefix("::").unwrap_or(&text).split("::").count();
    let idents = path.clone().into_iter().filter(|t| matches!(t, TokenTree::Ident(_))).count();
    let colons_only = path.into_iter().all(|t| match t {
        TokenTree::Punct(p) => p.as_char() == ':',
        other => matches!(other, TokenTree::Ident(_)),
    });
    colons_only && idents == names && !text.ends_with(':') && !text.contains(":::")
}

/// The message for a word without a value.
fn without_value(name: &str, attribute: Attribute) -> String {
    match name {
        "threaded_scheduler" | "multi_thread" => {
            format!("Set the runtime flavor with #[{attribute}(flavor = \"multi_thread\")].")
        }
        "basic_scheduler" | "current_thread" | "single_threaded" => {
            format!("Set the runtime flavor with #[{attribute}(flavor = \"current_thread\")].")
        }
        "flavor" | "worker_threads" | "start_paused" | "crate" | "unhandled_panic" | "name" => {
            format!("The `{name}` attribute requires an argument.")
        }
        _ => unknown(name),
    }
}

fn unknown(name: &str) -> String {
    format!("Unknown attribute {name} is specified; expected one of: {KNOWN}.")
}

/// The arguments, without the commas; a comma may follow the last one.
fn split_at_commas(args: TokenStream) -> Result<Vec<Vec<TokenTree>>> {
    let mut all = Vec::new();
    let mut current = Vec::new();
    for token in args {
        match &token {
            TokenTree::Punct(p) if p.as_char() == ',' => {
                if current.is_empty() {
                    return Err(Error::new(p.span(), "expected identifier"));
                }
                all.push(std::mem::take(&mut current));
            }
            _ => current.push(token),
        }
    }
    if !current.is_empty() {
        all.push(current);
    }
    Ok(all)
}
