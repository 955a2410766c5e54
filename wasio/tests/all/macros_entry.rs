//! `#[wasio::main]` and `#[wasio::test]`: the functions and arguments that they accept.
#![allow(unreachable_pub)] // A macro's input has it.

use wasio::runtime::{Handle, RuntimeFlavor};

#[wasio::main(flavor = "current_thread")]
async fn one_thread() -> RuntimeFlavor {
    Handle::current().runtime_flavor()
}

#[wasio::main(flavor = "multi_thread", worker_threads = 2)]
async fn many_threads() -> RuntimeFlavor {
    Handle::current().runtime_flavor()
}

#[wasio::main]
async fn with_parameters<'a, F>(f: F, s: &'a str) -> (&'a str, String)
where
    F: Fn(&str) -> String,
{
    wasio::task::yield_now().await;
    (s, f(s))
}

#[wasio::main(flavor = "local")]
async fn local() -> u8 {
    let not_send = std::rc::Rc::new(4);
    wasio::task::spawn_local(async move { *not_send }).await.unwrap()
}

#[wasio::main(flavor = "current_thread")]
async fn not_nameable() -> impl Fn() -> u8 {
    || 3
}

#[wasio::main(name = "a \"quoted\" name")]
pub(crate) async fn named() -> Option<String> {
    Handle::current().name().map(str::to_owned)
}

#[test]
fn functions_of_all_kinds() {
    assert!(matches!(one_thread(), RuntimeFlavor::CurrentThread));
    assert!(matches!(many_threads(), RuntimeFlavor::MultiThread));
    assert_eq!(with_parameters(|s| s.to_uppercase(), "up"), ("up", "UP".to_owned()));
    assert_eq!(local(), 4);
    assert_eq!(not_nameable()(), 3);
    assert_eq!(named().as_deref(), Some("a \"quoted\" name"));
}

#[test]
fn methods_and_early_returns() {
    struct Counter(u8);
    impl Counter {
        #[wasio::main(flavor = "current_thread")]
        async fn add(&mut self, n: u8) -> Result<u8, std::num::ParseIntError> {
            if n == 0 {
                return Ok(0);
            }
            self.0 += n;
            let again: u8 = self.0.to_string().parse()?;
            Ok(again)
        }
    }
    let mut counter = Counter(1);
    assert_eq!(counter.add(0), Ok(0));
    assert_eq!(counter.add(4), Ok(5));
}

#[wasio::main(flavor = "current_thread")]
#[allow(unreachable_code)]
async fn never_returns() -> ! {
    panic!("as expected")
}

#[test]
#[should_panic(expected = "as expected")]
fn a_function_that_does_not_return() {
    never_returns()
}

mod renamed {
    pub(crate) mod deep {
        pub(crate) use ::wasio as runtime_crate;
    }
    #[deep::runtime_crate::test(crate = "deep::runtime_crate")]
    async fn other_path() {
        deep::runtime_crate::spawn(async {}).await.unwrap();
    }

    #[wasio::test(crate = "::wasio")]
    async fn global_path() {}
}

macro_rules! through_a_macro {
    ($(#[$attr:meta])* $vis:vis $name:ident $body:block $value:literal) => {
        #[wasio::test(name = $value)]
        $(#[$attr])*
        $vis async fn $name() $body
    };
}

through_a_macro! {
    /// The body is passed as one fragment.
    pub inside_a_macro {
        assert_eq!(Handle::current().name(), Some("from a macro"));
    } "from a macro"
}

#[wasio::test(start_paused = true)]
async fn the_clock_stands_still() {
    let start = wasio::time::Instant::now();
    wasio::time::sleep(std::time::Duration::from_secs(3600)).await;
    assert_eq!(start.elapsed().as_secs(), 3600);
}

#[wasio::test(flavor = "multi_thread", worker_threads = 0x1_0)]
async fn a_test_on_many_threads() -> Result<(), String> {
    wasio::spawn(async {}).await.map_err(|e| e.to_string())
}

#[wasio::test(unhandled_panic = "ignore")]
#[should_panic(expected = "in the body")]
async fn attributes_stay() {
    #![allow(clippy::let_unit_value)]
    let _unit = ();
    panic!("in the body")
}

mod shadowed {
    use wasio::test;

    #[test]
    async fn imported_as_test() {
        wasio::spawn(async {}).await.unwrap();
    }
}
