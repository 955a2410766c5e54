//! The attribute macros of wasio, and the procedural half of its `select!`.
//!
//! Programs do not name this crate: `wasio` and the drop-in named `tokio` re-export the variants that fit their name
//! and features. Each attribute has three variants, because a procedural macro cannot see the features of the crate
//! that re-exports it: plain; `_rt`, without the multi-thread flavour; `_fail`, without any runtime.
//!
//! The crate parses by hand instead of with `syn`, because it examines few tokens and every guest's build waits for it.

mod args;
mod entry;
mod error;
mod item;
mod literal;
mod select;
mod template;

use std::fmt;

use proc_macro::{Span, TokenStream};

/// Which attribute is expanded, for which facade.
#[derive(Clone, Copy)]
struct Attribute {
    /// The facade's name.
    krate: &'static str,
    is_test: bool,
    /// Whether the feature `rt-multi-thread` is on.
    has_multi_thread: bool,
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.krate, if self.is_test { "test" } else { "main" })
    }
}

/// The variant that only reports the missing feature.
fn fail(name: &str) -> TokenStream {
    let message = format!("The #[{name}] macro requires rt or rt-multi-thread.");
    error::Error::new(Span::call_site(), message).into_tokens()
}

macro_rules! attributes {
    ($(
        $krate:literal, $is_test:literal, $full_name:literal:
        $(#[$docs:meta])* $full:ident $rt:ident $fail:ident;
    )*) => { $(
        $(#[$docs])*
        #[proc_macro_attribute]
        pub fn $full(args: TokenStream, item: TokenStream) -> TokenStream {
            let a = Attribute { krate: $krate, is_test: $is_test, has_multi_thread: true };
            entry::expand(a, args, item)
        }

        $(#[$docs])*
        ///
        /// Without the feature `rt-multi-thread`: a multi-thread runtime is a compile error.
        #[proc_macro_attribute]
        pub fn $rt(args: TokenStream, item: TokenStream) -> TokenStream {
            let a = Attribute { krate: $krate, is_test: $is_test, has_multi_thread: false };
            entry::expand(a, args, item)
        }

        /// Says at compile time that the feature `rt` is missing.
        #[proc_macro_attribute]
        pub fn $fail(_args: TokenStream, _item: TokenStream) -> TokenStream {
            fail($full_name)
        }
    )* };
}

attributes! {
    "wasio", false, "wasio::main":
    #[doc = include_str!("../docs/main.md")]
    main main_rt main_fail;

    "wasio", true, "wasio::test":
    #[doc = include_str!("../docs/test.md")]
    test test_rt test_fail;

    "tokio", false, "tokio::main":
    #[doc = include_str!("../docs/main.md")]
    tokio_main tokio_main_rt tokio_main_fail;

    "tokio", true, "tokio::test":
    #[doc = include_str!("../docs/test.md")]
    tokio_test tokio_test_rt tokio_test_fail;
}

/// Generates the code of a `select!` whose branches `macro_rules!` has taken apart.
///
/// Its input is private between this crate and `wasio-runtime`.
#[doc(hidden)]
#[proc_macro]
pub fn select_branches(input: TokenStream) -> TokenStream {
    select::expand(input)
}
