//! The code of a `select!`.
//!
//! `macro_rules!` parses the branches, because it knows what an expression is; this generates what it
//! cannot: numbered variants and fields, and a pattern without its bindings' `mut` and `ref`.
//!
//! The input is `[path of macro_support] [biased or fair] {else} ({pattern} {future} {condition} {handler})*`;
//! an empty condition is none.

use proc_macro::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};

use crate::error::Error;
use crate::template::{Hole, fill};

/// The maximum number of branches: each has a bit of a `u64`.
const MAX_BRANCHES: usize = 64;

struct Branch {
    pattern: TokenStream,
    future: TokenStream,
    condition: TokenStream,
    handler: TokenStream,
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut groups = input.into_iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    let mut next = || groups.next().unwrap_or_default();
    let (support, order, otherwise) = (next(), next(), next());
    let branches: Vec<Branch> = groups.map(branch).collect();
    if branches.len() > MAX_BRANCHES {
        return Error::new(Span::call_site(), "up to 64 branches supported").into_tokens();
    }
    let start = match order.to_string().as_str() {
        "biased" => "0u32".to_owned(),
        _ => format!("$support::thread_rng_n({}u32)", branches.len()),
    };
    generate(support, &start, &branches, otherwise)
}

fn branch(input: TokenStream) -> Branch {
    let mut parts = input.into_iter().map(|token| match token {
        TokenTree::Group(group) => group.stream(),
        other => other.into(),
    });
    let mut next = || parts.next().unwrap_or_default();
    Branch { pattern: next(), future: next(), condition: next(), handler: next() }
}

/// The generated code disables the branches whose condition is false, and keeps the futures in a tuple on the stack of
/// the enclosing `async`. Each poll polls the enabled futures, beginning with another one each time. A future that is
/// ready is disabled, and if its output matches the pattern, its branch is chosen. The futures are dropped before the
/// handler runs, outside of every closure, so that the handler may `await`, `break` and borrow.
fn generate(
    support: TokenStream,
    start: &str,
    branches: &[Branch],
    otherwise: TokenStream,
) -> TokenStream {
    let at = Span::call_site();
    let count = branches.len();
    let bits = [8, 16, 32].into_iter().find(|&bits| count <= bits).unwrap_or(64);
    let each = |f: &dyn Fn(usize, &Branch) -> TokenStream| -> TokenStream {
        branches.iter().enumerate().flat_map(|(k, branch)| f(k, branch)).collect()
    };
    let text = |f: &dyn Fn(usize) -> String| -> String { (0..count).map(f).collect() };

    let conditions = each(&|k, branch| {
        if branch.condition.is_empty() {
            return TokenStream::new();
        }
        fill(
            &format!(
                "let enabled: bool = $condition;
                 if !enabled {{ disabled |= 1u{bits} << {k}u32; }}"
            ),
            at,
            &[Hole("condition", branch.condition.clone())],
        )
    });
    let futures = each(&|_, branch| fill("$f,", at, &[Hole("f", branch.future.clone())]));
    let polls = each(&|k, branch| poll_branch(k, bits, branch, &support));
    let handlers = each(&|k, branch| {
        fill(
            &format!("__WasioSelect::B{k}($pattern) => $handler,"),
            at,
            &[Hole("pattern", branch.pattern.clone()), Hole("handler", branch.handler.clone())],
        )
    });
    let into_futures = text(&|k| {
        format!("$support::IntoFuture::into_future(given.{}),", Literal::usize_unsuffixed(k))
    });
    let parameters = text(&|k| format!("T{k},"));
    let variants = text(&|k| format!("B{k}(T{k}),"));

    // The futures are named first, then converted: so a temporary in one of them lives long enough.
    // The closure borrows the tuple through one reference: it must not own what it pins.
    let template = format!(
        "{{
            enum __WasioSelect<{parameters}> {{ {variants} Disabled }}
            let mut disabled = 0u{bits};
            $conditions
            #[allow(unused_mut)]
            let mut output = {{
                let given = ($futures);
                let mut futures = ({into_futures});
                let futures = &mut futures;
                $support::poll_fn(|cx| {{
                    $support::ready!($support::poll_budget_available(cx));
                    let mut pending = false;
                    let start: u32 = {start};
                    let mut turn = 0u32;
                    while turn < {count}u32 {{
                        let mut branch = start + turn;
                        if branch >= {count}u32 {{
                            branch -= {count}u32;
                        }}
                        turn += 1u32;
                        match branch {{
                            $polls
                            _ => $support::unreachable_branch(),
                        }}
                    }}
                    if pending {{
                        $support::Poll::Pending
                    }} else {{
                        $support::Poll::Ready(__WasioSelect::Disabled)
                    }}
                }})
                .await
            }};
            match output {{
                $handlers
                __WasioSelect::Disabled => $otherwise,
                #[allow(unreachable_patterns)]
                _ => $support::unreachable_branch(),
            }}
        }}"
    );
    let holes = [
        Hole("support", support),
        Hole("conditions", conditions),
        Hole("futures", futures),
        Hole("polls", polls),
        Hole("handlers", handlers),
        Hole("otherwise", otherwise),
    ];
    fill(&template, at, &holes)
}

/// The arm that polls one future.
fn poll_branch(k: usize, bits: usize, branch: &Branch, support: &TokenStream) -> TokenStream {
    let arm = format!(
        "#[allow(unreachable_code)]
         {k}u32 => {{
            if disabled & (1u{bits} << {k}u32) != 0u{bits} {{
                continue;
            }}
            let futures = &mut *futures;
            // SAFETY: the tuple is never moved again: it is behind a reference that only this closure has.
            let future = unsafe {{ $support::Pin::new_unchecked(&mut futures.{k}) }};
            let output = match $support::Future::poll(future, cx) {{
                $support::Poll::Ready(output) => output,
                $support::Poll::Pending => {{
                    pending = true;
                    continue;
                }}
            }};
            disabled |= 1u{bits} << {k}u32;
            #[allow(unused_variables)]
            match &output {{
                $pattern => {{}}
                #[allow(unreachable_patterns)]
                _ => continue,
            }}
            return $support::Poll::Ready(__WasioSelect::B{k}(output));
        }}"
    );
    let pattern = without_binding_modes(branch.pattern.clone());
    fill(&arm, Span::call_site(), &[Hole("support", support.clone()), Hole("pattern", pattern)])
}

/// The pattern without `mut` and `ref`, so that it can be matched against a reference.
///
/// Parts that are not patterns are kept as they are: the arguments of a macro or of a generic type.
fn without_binding_modes(pattern: TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    let mut angles = 0usize;
    let mut after_bang = false;
    for token in pattern {
        let bang = matches!(&token, TokenTree::Punct(p) if p.as_char() == '!');
        match token {
            TokenTree::Group(g)
                if g.delimiter() == Delimiter::None || (!after_bang && angles == 0) =>
            {
                let mut inner = Group::new(g.delimiter(), without_binding_modes(g.stream()));
                inner.set_span(g.span());
                out.extend([TokenTree::Group(inner)]);
            }
            TokenTree::Ident(i)
                if angles == 0 && matches!(i.to_string().as_str(), "mut" | "ref") => {}
            other => {
                if let TokenTree::Punct(p) = &other {
                    match p.as_char() {
                        '<' => angles += 1,
                        '>' => angles = angles.saturating_sub(1),
                        _ => {}
                    }
                }
                out.extend([other]);
            }
        }
        after_bang = bang;
    }
    out
}
