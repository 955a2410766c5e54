//! A compile error that points at tokens of the user's.

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// A message, and the first and last token that it is about.
pub(crate) struct Error {
    start: Span,
    end: Span,
    message: String,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error at one token.
    pub(crate) fn new(at: Span, message: impl Into<String>) -> Self {
        Error { start: at, end: at, message: message.into() }
    }

    /// An error that underlines all of `tokens`.
    pub(crate) fn over(tokens: &[TokenTree], message: impl Into<String>) -> Self {
        let start = tokens.first().map_or_else(Span::call_site, TokenTree::span);
        let end = tokens.last().map_or(start, TokenTree::span);
        Error { start, end, message: message.into() }
    }

    /// `::core::compile_error! { "…" }`; rustc underlines from its first token to its last.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let punct = |c, spacing| {
            let mut p = Punct::new(c, spacing);
            p.set_span(self.start);
            TokenTree::Punct(p)
        };
        let name = |s| TokenTree::Ident(Ident::new(s, self.start));
        let mut message = Literal::string(&self.message);
        message.set_span(self.end);
        let mut group = Group::new(Delimiter::Brace, TokenTree::Literal(message).into());
        group.set_span(self.end);
        [
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            name("core"),
            punct(':', Spacing::Joint),
            punct(':', Spacing::Alone),
            name("compile_error"),
            punct('!', Spacing::Alone),
            TokenTree::Group(group),
        ]
        .into_iter()
        .collect()
    }
}
