//! What the attributes say about wrong input, and at which token: each case is given to rustc.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The macro library that this test was built with: the newest one beside it.
fn library() -> PathBuf {
    let deps = env::current_exe().unwrap().parent().unwrap().to_owned();
    let prefix = format!("{}wasio_macros-", env::consts::DLL_PREFIX);
    fs::read_dir(deps)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with(&prefix) && name.ends_with(env::consts::DLL_SUFFIX)
        })
        .max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap())
        .expect("the macros were built before their tests")
}

/// Compiles `source` and returns the errors, one line each: `line:column: error: message`.
fn errors(source: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = env::temp_dir().join(format!("wasio-macros-{}-{n}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let file = dir.join("case.rs");
    fs::write(&file, source).unwrap();
    let output = Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args(["--edition=2021", "--crate-type=lib", "--test", "--emit=metadata"])
        .args(["--error-format=short", "--cap-lints=allow", "--extern"])
        .arg(format!("wasio_macros={}", library().display()))
        .arg("--out-dir")
        .arg(&dir)
        .arg(&file)
        .output()
        .unwrap();
    fs::remove_dir_all(&dir).unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    text.lines()
        .filter_map(|line| line.split_once("case.rs:"))
        .map(|l| l.1.to_owned() + "\n")
        .collect()
}

/// Expects `message` at `at`.
#[track_caller]
fn case(source: &str, at: &str, message: &str) {
    const TOKIO: &str =
        "mod tokio { pub use wasio_macros::{tokio_main as main, tokio_test as test}; }";
    let errors = errors(&format!("{source}\n{TOKIO}"));
    let expected = format!("{at}: error: {message}\n");
    assert!(errors.contains(&expected), "expected\n{expected}in\n{errors}\nof\n{source}");
}

#[test]
fn functions() {
    case(
        "#[tokio::main]\nfn f() {}",
        "2:1",
        "the `async` keyword is missing from the function declaration",
    );
    case(
        "#[tokio::test]\npub(crate) fn f() {}",
        "2:12",
        "the `async` keyword is missing from the function declaration",
    );
    case(
        "#[tokio::main]\nasync fn main(x: u8) {}",
        "2:10",
        "the main function cannot accept arguments",
    );
    let second = "second test attribute is supplied, consider removing or changing the order of your \
                  test attributes";
    case("#[tokio::test]\n#[test]\nasync fn f() {}", "2:1", second);
    case("#[tokio::test]\n#[::core::prelude::v1::test]\nasync fn f() {}", "2:1", second);
    case("#[tokio::test]\n#[std::prelude::rust_2021::test]\nasync fn f() {}", "2:1", second);
    case("#[tokio::main]\nstruct S;", "2:9", "expected a function with a body");
    case("#[tokio::main]\nstruct S {}", "2:1", "expected a function");
}

#[test]
fn unknown_arguments() {
    let known = "expected one of: `flavor`, `worker_threads`, `start_paused`, `crate`, \
                 `unhandled_panic`, `name`.";
    let unknown = format!("Unknown attribute foo is specified; {known}");
    case("#[tokio::main(foo)]\nasync fn f() {}", "1:15", &unknown);
    case("#[tokio::test(foo = 4)]\nasync fn f() {}", "1:15", &unknown);
    case("#[tokio::main(pool::bar)]\nasync fn f() {}", "1:15", "Must have specified ident");
    case("#[tokio::main(pool::bar = 1)]\nasync fn f() {}", "1:15", "Must have specified ident");
    case("#[tokio::main(foo(1))]\nasync fn f() {}", "1:15", "Unknown attribute inside the macro");
    case("#[tokio::main(4)]\nasync fn f() {}", "1:15", "expected identifier");
    case("#[tokio::main(,)]\nasync fn f() {}", "1:15", "expected identifier");
    case(
        "#[tokio::main(core_threads = 4)]\nasync fn f() {}",
        "1:15",
        "Attribute `core_threads` is renamed to `worker_threads`",
    );
}

#[test]
fn words_without_a_value() {
    for name in ["flavor", "worker_threads", "start_paused", "crate", "unhandled_panic", "name"] {
        case(
            &format!("#[tokio::main({name})]\nasync fn f() {{}}"),
            "1:15",
            &format!("The `{name}` attribute requires an argument."),
        );
    }
    case(
        "#[tokio::main(threaded_scheduler)]\nasync fn f() {}",
        "1:15",
        "Set the runtime flavor with #[tokio::main(flavor = \"multi_thread\")].",
    );
    case(
        "#[tokio::test(basic_scheduler)]\nasync fn f() {}",
        "1:15",
        "Set the runtime flavor with #[tokio::test(flavor = \"current_thread\")].",
    );
    case(
        "#[wasio_macros::main(current_thread)]\nasync fn f() {}",
        "1:22",
        "Set the runtime flavor with #[wasio::main(flavor = \"current_thread\")].",
    );
}

#[test]
fn values() {
    let flavors = "The runtime flavors are `current_thread`, `local`, and `multi_thread`.";
    for (argument, at, message) in [
        ("flavor = 123", 24, "Failed to parse value of `flavor` as string."),
        ("flavor = \"foo\"", 24, &*format!("No such runtime flavor `foo`. {flavors}")),
        (
            "flavor = \"single_thread\"",
            24,
            "The single threaded runtime flavor is called `current_thread`.",
        ),
        (
            "flavor = \"basic_scheduler\"",
            24,
            "The `basic_scheduler` runtime flavor has been renamed to `current_thread`.",
        ),
        (
            "flavor = \"threaded_scheduler\"",
            24,
            "The `threaded_scheduler` runtime flavor has been renamed to `multi_thread`.",
        ),
        ("flavor = concat!(\"local\")", 24, "Must be a literal"),
        ("worker_threads = -1", 32, "Must be a literal"),
        ("worker_threads = \"4\"", 32, "Failed to parse value of `worker_threads` as integer."),
        ("worker_threads = 0", 32, "`worker_threads` may not be 0."),
        (
            "worker_threads = 99999999999999999999",
            32,
            "Failed to parse value of `worker_threads` as integer: number too large to fit in target type",
        ),
        ("start_paused = 1", 30, "Failed to parse value of `start_paused` as bool."),
        ("crate = 456", 23, "Failed to parse value of `crate` as path."),
        ("crate = \"456\"", 23, "Failed to parse value of `crate` as path: \"456\""),
        ("crate = \"abc::\"", 23, "Failed to parse value of `crate` as path: \"abc::\""),
        ("crate = \"a-b\"", 23, "Failed to parse value of `crate` as path: \"a-b\""),
        ("name = true", 22, "Failed to parse value of `name` as string."),
        (
            "unhandled_panic = \"foo\"",
            33,
            "No such unhandled panic behavior `foo`. The unhandled panic behaviors are `ignore` and \
             `shutdown_runtime`.",
        ),
    ] {
        case(
            &format!("#[tokio::test({argument})]\nasync fn f() {{}}"),
            &format!("1:{at}"),
            message,
        );
    }
}

#[test]
fn contradictions() {
    let requires = |option, flavor, attribute| {
        format!(
            "The `{option}` option requires the `{flavor}` runtime flavor. Use \
             `#[tokio::{attribute}(flavor = \"{flavor}\")]`"
        )
    };
    case(
        "#[tokio::test(worker_threads = 4)]\nasync fn f() {}",
        "1:32",
        &requires("worker_threads", "multi_thread", "test"),
    );
    case(
        "#[tokio::main(flavor = \"local\", worker_threads = 4)]\nasync fn f() {}",
        "1:50",
        &requires("worker_threads", "multi_thread", "main"),
    );
    case(
        "#[tokio::main(start_paused = true)]\nasync fn f() {}",
        "1:30",
        &requires("start_paused", "current_thread", "main"),
    );
    case(
        "#[tokio::test(flavor = \"multi_thread\", unhandled_panic = \"ignore\")]\nasync fn f() {}",
        "1:58",
        &requires("unhandled_panic", "current_thread", "test"),
    );
    case(
        "#[tokio::main(flavor = \"current_thread\", flavor = \"current_thread\")]\nasync fn f() {}",
        "1:51",
        "`flavor` set multiple times.",
    );
}

#[test]
fn missing_features() {
    case(
        "#[wasio_macros::tokio_main_rt]\nasync fn f() {}",
        "1:1",
        "The default runtime flavor is `multi_thread`, but the `rt-multi-thread` feature is disabled.",
    );
    case(
        "#[wasio_macros::tokio_test_rt(flavor = \"multi_thread\")]\nasync fn f() {}",
        "1:1",
        "The runtime flavor `multi_thread` requires the `rt-multi-thread` feature.",
    );
    case(
        "#[wasio_macros::main_fail]\nasync fn f() {}",
        "1:1",
        "The #[wasio::main] macro requires rt or rt-multi-thread.",
    );
}

#[test]
fn a_function_with_wrong_arguments_is_still_there() {
    let errors = errors(
        "#[wasio_macros::main(foo)]\nasync fn f() -> u8 { 1 }\nfn g() -> u8 { f() }\n\
         mod wasio { pub mod runtime { pub struct Builder; } }",
    );
    assert!(errors.contains("Unknown attribute foo"), "{errors}");
    assert!(!errors.contains("cannot find function `f`"), "{errors}");
}

#[test]
fn a_select_has_at_most_64_branches() {
    let branch = "({_} {f} {} {()})";
    let source = format!(
        "fn f() {{ wasio_macros::select_branches!([s] [fair] {{()}} {}) }}",
        branch.repeat(65)
    );
    assert!(errors(&source).contains("up to 64 branches supported"));
}
