//! How guests end, under `cargo wasio run`: exit codes, what was printed before a panic, threads.
#![cfg(unix)]

mod cargo_support;

use cargo_support::{Output, Project, finish};

const ENDS: &str = "\
#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = args.get(2).map_or(0, |number| number.parse().unwrap());
    print!(\"no newline\");
    match args[1].as_str() {
        \"exit\" => std::process::exit(number),
        \"task\" => tokio::spawn(async move { std::process::exit(number) }).await.unwrap(),
        \"panic\" => panic!(\"on purpose\"),
        \"thread\" => drop(std::thread::spawn(|| {})),
        _ => {}
    }
}
";

fn ended(project: &Project, wasi: &str, args: &[&str]) -> Output {
    let mut command = project.command();
    command.args(["run", "--quiet", "--wasi", wasi, "--"]).args(args);
    command.env_remove("RUST_BACKTRACE").env("WASIO_BIN", env!("CARGO_BIN_EXE_wasio"));
    finish(&mut command)
}

#[test]
fn exit_codes_are_those_of_a_native_run() {
    let project = Project::new("ends", "tokio = { version = \"1\", features = [\"full\"] }", ENDS);
    for wasi in ["p1", "p2"] {
        for code in [0, 1, 2, 42, 101, 126, 200, 255, 256, -1] {
            for way in ["exit", "task"] {
                let out = ended(&project, wasi, &[way, &code.to_string()]);
                assert_eq!(out.code, Some(code & 0xff), "{wasi} {way} {code}: {}", out.stderr);
                assert_eq!(out.stdout, "no newline", "{wasi} {way} {code}");
            }
        }
        let out = ended(&project, wasi, &["panic"]).fails_with(134, "on purpose");
        assert_eq!(out.stdout, "no newline", "{wasi}: what was printed is not lost");
        let out = ended(&project, wasi, &["thread"]).fails_with(134, "WASI cannot start one");
        let out =
            out.says("by the crate `ends`").says("frames of the standard library are left out");
        assert!(!out.stderr.contains("core::result::unwrap_failed"), "{}", out.stderr);
        let mut command = project.command();
        command.args(["run", "--quiet", "--wasi", wasi, "--", "thread"]);
        command.env("RUST_BACKTRACE", "full").env("WASIO_BIN", env!("CARGO_BIN_EXE_wasio"));
        let out = finish(&mut command);
        out.fails_with(134, "core::result::unwrap_failed");
    }
}

/// A program of std alone.
#[test]
fn exit_codes_do_not_need_tokio() {
    let exits = "fn main() { std::process::exit(std::env::args().nth(2).unwrap().parse().unwrap()) }\n\
                 #[test] fn passes() {}\n#[test] fn exits() { std::process::exit(3) }\n";
    let project = Project::new("without-tokio", "", exits);
    for wasi in ["p1", "p2"] {
        for code in [0, 1, 2, 42, 255, 256] {
            let out = ended(&project, wasi, &["exit", &code.to_string()]);
            assert_eq!(out.code, Some(code & 0xff), "{wasi} {code}: {}", out.stderr);
        }
        let mut command = project.command();
        command.args(["test", "--wasi", wasi]).env("WASIO_BIN", env!("CARGO_BIN_EXE_wasio"));
        let out = finish(&mut command).fails_with(101, "");
        assert!(out.stdout.contains("test exits ... FAILED\n"), "{wasi}: {}", out.stdout);
        assert!(out.stdout.contains("1 passed; 1 failed"), "{wasi}: {}", out.stdout);
    }
}
