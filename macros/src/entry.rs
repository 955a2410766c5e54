//! `#[main]` and `#[test]`: an `async fn` becomes a plain one that runs its body on a runtime.

use proc_macro::{Literal, Span, TokenStream, TokenTree};

use crate::Attribute;
use crate::args::{Config, Flavor};
use crate::error::{Error, Result};
use crate::item::Function;
use crate::template::{Hole, fill, ident, string};

/// Expands an attribute. If there is an error, the function is kept beside it, so that editors keep completing in it
/// and the compiler does not also report its name as missing.
pub(crate) fn expand(attribute: Attribute, args: TokenStream, item: TokenStream) -> TokenStream {
    let function = match Function::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => return item.into_iter().chain(error.into_tokens()).collect(),
    };
    match check(attribute, args, &function) {
        Ok(config) => function_on_runtime(attribute, function, config),
        Err(error) => function_on_runtime(attribute, function, Config::fallback())
            .into_iter()
            .chain(error.into_tokens())
            .collect(),
    }
}

fn check(attribute: Attribute, args: TokenStream, function: &Function) -> Result<Config> {
    if attribute.is_test {
        if let Some(tokens) = function.test_attribute() {
            return Err(Error::over(
                tokens,
                "second test attribute is supplied, consider removing or changing the order of your \
                 test attributes",
            ));
        }
    } else if function.has_parameters && function.name.to_string() == "main" {
        return Err(Error::new(function.name.span(), "the main function cannot accept arguments"));
    }
    if !function.is_async {
        return Err(Error::new(
            function.fn_span,
            "the `async` keyword is missing from the function declaration",
        ));
    }
    Config::parse(args, attribute)
}

fn function_on_runtime(attribute: Attribute, function: Function, config: Config) -> TokenStream {
    // Generated code has the span of the last statement, so a body of the wrong type is reported there.
    let (start, end) = function.last_statement();
    let krate = config.crate_path.clone().unwrap_or_else(|| ident(attribute.krate, start));
    let output = match function.output.is_empty() {
        true => fill("()", Span::call_site(), &[]),
        false => function.output.clone(),
    };
    let checked = if attribute.is_test {
        // One type for every test's future: `block_on` is compiled once.
        "let body = ::core::pin::pin!(body);
         let body: ::core::pin::Pin<&mut dyn ::core::future::Future<Output = $output>> = body;"
    } else if function.output_is_unnameable() {
        ""
    } else {
        // Says at compile time that the body's type is the return type.
        "let body = {
             if false {
                 let _: &dyn ::core::future::Future<Output = $output> = &body;
             }
             body
         };"
    };
    let mut body = fill(
        "let body = async $body;",
        Span::call_site(),
        &[Hole("body", TokenTree::Group(function.body.clone()).into())],
    );
    body.extend(fill(checked, Span::call_site(), &[Hole("output", output)]));
    body.extend(fill(
        // `return`, so that a function without a tail expression needs no other form.
        "#[allow(clippy::expect_used, clippy::needless_return, clippy::diverging_sub_expression,
                 clippy::unwrap_in_result)]
         return $builder.expect(\"Failed building the Runtime\").block_on(body);",
        end,
        &[Hole("builder", builder(&config, krate, start))],
    ));
    let more = match attribute.is_test {
        true => fill("#[::core::prelude::v1::test]", Span::call_site(), &[]),
        false => TokenStream::new(),
    };
    function.with_body(more, body)
}

/// `krate::runtime::Builder::…().enable_all().build()`
fn builder(config: &Config, krate: TokenStream, at: Span) -> TokenStream {
    let new = match config.flavor {
        Flavor::CurrentThread | Flavor::Local => "new_current_thread",
        Flavor::MultiThread => "new_multi_thread",
    };
    let krate = Hole("krate", krate);
    let mut chain = format!("$krate::runtime::Builder::{new}()");
    if let Some(n) = config.worker_threads {
        chain += &format!(".worker_threads({})", Literal::usize_suffixed(n));
    }
    if let Some(paused) = config.start_paused {
        chain += &format!(".start_paused({paused})");
    }
    if let Some(variant) = config.unhandled_panic {
        chain += &format!(".unhandled_panic($krate::runtime::UnhandledPanic::{variant})");
    }
    if let Some(name) = &config.name {
        chain += &format!(".name({})", string(name));
    }
    chain += match config.flavor {
        Flavor::Local => ".enable_all().build_local(::core::default::Default::default())",
        _ => ".enable_all().build()",
    };
    fill(&chain, at, &[krate])
}
