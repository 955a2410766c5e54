//! An `async fn` taken apart just far enough to give it another body.
//!
//! Only the rewritten parts are examined: the `async` keyword, the parameters, the return type, the body. All other
//! tokens pass through, so that every signature that the compiler accepts is accepted, and errors in it are the
//! compiler's own.

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::error::{Error, Result};
use crate::template::unwrap_invisible;

/// The parts of a function item.
pub(crate) struct Function {
    /// Outer attributes, each `#[…]`.
    attributes: Vec<[TokenTree; 2]>,
    /// Everything between the attributes and the body, without `async`.
    signature: Vec<TokenTree>,
    /// Whether `async` was there.
    pub(crate) is_async: bool,
    /// Where the keyword `fn` stands.
    pub(crate) fn_span: Span,
    pub(crate) name: Ident,
    pub(crate) has_parameters: bool,
    /// The tokens of the return type; empty if there is none.
    pub(crate) output: TokenStream,
    /// The braces and what is between them.
    pub(crate) body: Group,
}

impl Function {
    /// Takes a function item apart.
    pub(crate) fn parse(item: TokenStream) -> Result<Function> {
        let mut tokens: Vec<TokenTree> = item.into_iter().collect();
        if let [TokenTree::Group(g)] = tokens.as_slice() {
            // An item that went through a `macro_rules!` as `$item:item`.
            if g.delimiter() == Delimiter::None {
                return Function::parse(g.stream());
            }
        }
        let body = match tokens.pop().map(unwrap_invisible) {
            Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Brace => g,
            Some(other) => return Err(Error::new(other.span(), "expected a function with a body")),
            None => return Err(Error::new(Span::call_site(), "expected a function")),
        };

        let mut attributes = take_attributes(&mut tokens, false);
        let (inner, body) = take_inner_attributes(&body);
        // A block has no inner attributes; outside they mean the same.
        attributes.extend(inner);

        let keyword = tokens.iter().position(|t| is_ident(t, "fn"));
        let Some((keyword, TokenTree::Ident(name))) =
            keyword.and_then(|k| Some((k, tokens.get(k + 1)?)))
        else {
            return Err(Error::over(&tokens, "expected a function"));
        };
        let (fn_span, name) = (tokens[keyword].span(), name.clone());
        let Some((parameters, has_parameters)) = find_parameters(&tokens, keyword + 2) else {
            return Err(Error::over(&tokens, "expected a function with parameters"));
        };
        let output = output(&tokens[parameters + 1..]);

        let asyncness = tokens[..keyword].iter().position(|t| is_ident(t, "async"));
        if let Some(at) = asyncness {
            tokens.remove(at);
        }
        Ok(Function {
            attributes,
            signature: tokens,
            is_async: asyncness.is_some(),
            fn_span,
            name,
            has_parameters,
            output,
            body,
        })
    }

    /// The first attribute that makes the function a test already.
    pub(crate) fn test_attribute(&self) -> Option<&[TokenTree]> {
        self.attributes.iter().find(|a| is_test_attribute(&a[1])).map(|a| a.as_slice())
    }

    /// Whether the return type is one that a `dyn Future<Output = …>` cannot name.
    pub(crate) fn output_is_unnameable(&self) -> bool {
        let mut tokens = self.output.clone().into_iter().map(unwrap_invisible);
        let never = matches!((tokens.next(), tokens.next()),
            (Some(TokenTree::Punct(p)), None) if p.as_char() == '!');
        never || contains_ident(self.output.clone(), "impl")
    }

    /// The spans of the first and the last token of the last statement: where the compiler should say
    /// that the body's type is not the return type.
    pub(crate) fn last_statement(&self) -> (Span, Span) {
        let (mut first, mut last, mut ended) = (None, None, true);
        for token in self.body.stream() {
            if ended {
                first = Some(token.span());
            }
            ended = matches!(&token, TokenTree::Punct(p) if p.as_char() == ';');
            last = Some(token.span());
        }
        let first = first.unwrap_or_else(Span::call_site);
        (first, last.unwrap_or(first))
    }

    /// The function with more attributes and another body, no longer `async`.
    pub(crate) fn with_body(self, more: TokenStream, body: TokenStream) -> TokenStream {
        let mut out: TokenStream = self.attributes.into_iter().flatten().collect();
        out.extend(more);
        out.extend(self.signature);
        let mut group = Group::new(Delimiter::Brace, body);
        group.set_span(self.body.span());
        out.extend([TokenTree::Group(group)]);
        out
    }
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(i) if i.to_string() == name)
}

fn is_punct(token: Option<&TokenTree>, c: char) -> bool {
    matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == c)
}

fn contains_ident(stream: TokenStream, name: &str) -> bool {
    stream.into_iter().any(|token| match token {
        TokenTree::Group(g) => contains_ident(g.stream(), name),
        other => is_ident(&other, name),
    })
}

/// Removes the `#[…]` (or, if `inner`, the `#![…]`) at the front, and returns them as outer ones.
fn take_attributes(tokens: &mut Vec<TokenTree>, inner: bool) -> Vec<[TokenTree; 2]> {
    let mut found = Vec::new();
    let bang = usize::from(inner);
    while is_punct(tokens.first(), '#')
        && (!inner || is_punct(tokens.get(1), '!'))
        && matches!(tokens.get(1 + bang),
            Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Bracket)
    {
        let mut attribute = tokens.drain(..2 + bang);
        if let (Some(hash), Some(group)) = (attribute.next(), attribute.next_back()) {
            found.push([hash, group]);
        }
    }
    found
}

fn take_inner_attributes(body: &Group) -> (Vec<[TokenTree; 2]>, Group) {
    let mut tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let attributes = take_attributes(&mut tokens, true);
    let mut rest = Group::new(Delimiter::Brace, tokens.into_iter().collect());
    rest.set_span(body.span());
    (attributes, rest)
}

/// Finds the parameter list behind the generics, which may hold parentheses of their own.
fn find_parameters(tokens: &[TokenTree], from: usize) -> Option<(usize, bool)> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token {
            TokenTree::Group(g) if g.delimiter() == Delimiter::Parenthesis && depth == 0 => {
                return Some((at, !g.stream().is_empty()));
            }
            TokenTree::Punct(p) => depth += angle(p.as_char(), tokens.get(at.wrapping_sub(1))),
            _ => {}
        }
    }
    None
}

/// How much a character changes the depth of angle brackets; the `>` of `->` and `=>` is none.
fn angle(c: char, before: Option<&TokenTree>) -> i32 {
    match c {
        '<' => 1,
        '>' if !is_punct(before, '-') && !is_punct(before, '=') => -1,
        _ => 0,
    }
}

/// The type behind `->`, up to a `where` clause.
fn output(tokens: &[TokenTree]) -> TokenStream {
    if !(is_punct(tokens.first(), '-') && is_punct(tokens.get(1), '>')) {
        return TokenStream::new();
    }
    tokens[2..].iter().take_while(|t| !is_ident(t, "where")).cloned().collect()
}

/// Whether the brackets hold `test`, or its full path in the prelude of `core` or `std`.
fn is_test_attribute(brackets: &TokenTree) -> bool {
    let TokenTree::Group(group) = brackets else { return false };
    let path: String = group.stream().into_iter().map(|t| t.to_string()).collect();
    if path == "test" {
        return true;
    }
    let path = path.strip_prefix("::").unwrap_or(&path);
    let segments: Vec<&str> = path.split("::").collect();
    matches!(segments[..], ["core" | "std", "prelude", _, "test"])
}
