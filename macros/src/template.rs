//! Token streams from a text with holes: the little of `quote!` that this crate needs.

use proc_macro::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};

/// The value of a hole.
pub(crate) struct Hole<'a>(pub(crate) &'a str, pub(crate) TokenStream);

/// Parses `text` and puts a stream wherever it says `$name`.
///
/// The tokens of the text get the span `at`, resolved as in `macro_rules!`: its local variables are
/// invisible to the user's code and the other way round. The streams that are put in keep their spans.
pub(crate) fn fill(text: &str, at: Span, holes: &[Hole<'_>]) -> TokenStream {
    let text: TokenStream = text.parse().expect("templates are valid tokens");
    fill_stream(text, Span::mixed_site().located_at(at), holes)
}

fn fill_stream(text: TokenStream, span: Span, holes: &[Hole<'_>]) -> TokenStream {
    let mut out = TokenStream::new();
    let mut tokens = text.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(p) if p.as_char() == '$' => {
                let name = tokens.next().expect("a name follows `$`").to_string();
                let hole = holes.iter().find(|h| h.0 == name).expect("every hole has a value");
                out.extend(hole.1.clone());
            }
            TokenTree::Group(group) => {
                let inner = fill_stream(group.stream(), span, holes);
                out.extend([respanned(Group::new(group.delimiter(), inner).into(), span)]);
            }
            other => out.extend([respanned(other, span)]),
        }
    }
    out
}

/// The stream with every token, at every depth, moved to `span`.
pub(crate) fn respan(stream: TokenStream, span: Span) -> TokenStream {
    stream
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(g) => {
                let inner = respan(g.stream(), span);
                respanned(Group::new(g.delimiter(), inner).into(), span)
            }
            other => respanned(other, span),
        })
        .collect()
}

fn respanned(mut token: TokenTree, span: Span) -> TokenTree {
    token.set_span(span);
    token
}

/// An identifier where the macro was called, which resolves as the caller's own would.
pub(crate) fn ident(name: &str, at: Span) -> TokenStream {
    TokenTree::Ident(Ident::new(name, Span::call_site().located_at(at))).into()
}

/// A string literal.
pub(crate) fn string(value: &str) -> TokenStream {
    TokenTree::Literal(Literal::string(value)).into()
}

/// Returns the content of a group without visible delimiters, which `macro_rules!` puts around a fragment such as
/// `$body:block`. Returns any other token itself.
pub(crate) fn unwrap_invisible(token: TokenTree) -> TokenTree {
    if let TokenTree::Group(group) = &token {
        if group.delimiter() == Delimiter::None {
            let mut inner = group.stream().into_iter();
            if let (Some(only), None) = (inner.next(), inner.next()) {
                return unwrap_invisible(only);
            }
        }
    }
    token
}
