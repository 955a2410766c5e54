//! Packages with C code: the compiler and the C library's headers are found and named to their build scripts.
#![cfg(unix)]

mod cargo_support;

use std::path::Path;
use std::process::Command;

use cargo_support::{Project, finish};

/// What Debian's packages clang and wasi-libc install.
fn tools() -> bool {
    let listed = Command::new("clang").arg("--print-targets").output();
    let clang = listed.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("wasm32"));
    let both = clang && Path::new("/usr/include/wasm32-wasi/stdlib.h").is_file();
    if !both {
        eprintln!("skipped: clang for wasm32 and wasi-libc's headers are not both here");
    }
    both
}

/// bzip2's C code, from the package as it is published.
#[test]
fn a_package_with_c_code_builds_and_runs() {
    let Some(runner) = option_env!("CARGO_BIN_EXE_wasio") else { return };
    if !tools() {
        return;
    }
    let main = "use std::io::{Read, Write};\n\
        fn main() {\n\
            let text = b\"again and \".repeat(1000);\n\
            let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());\n\
            packer.write_all(&text).unwrap();\n\
            let packed = packer.finish().unwrap();\n\
            let mut out = Vec::new();\n\
            bzip2::read::BzDecoder::new(&packed[..]).read_to_end(&mut out).unwrap();\n\
            println!(\"{} {}\", packed.len() < 200, out == text);\n\
        }\n";
    let project = Project::new("packing", "bzip2 = \"0.5\"", main);
    for wasi in ["p1", "p2"] {
        let mut command = project.command();
        command.args(["run", "--quiet", "--wasi", wasi]).env("WASIO_BIN", runner);
        command.env_remove("CC").env_remove("CFLAGS");
        assert_eq!(finish(&mut command).ok().stdout, "true true\n", "on {wasi}");
    }
    let out = project.wasio(&["doctor"]).ok();
    assert!(out.stdout.contains("headers in /usr/include/wasm32-wasi"), "{}", out.stdout);
}

/// A build script shows what it is told; nothing is compiled.
#[test]
fn the_users_own_variables_win() {
    if !tools() {
        return;
    }
    let project = Project::empty();
    let script = "fn main() {\n\
        for name in [\"CC\", \"CFLAGS\", \"BINDGEN_EXTRA_CLANG_ARGS\"] {\n\
            let name = format!(\"{name}_wasm32_wasip1\");\n\
            println!(\"cargo::warning={name}={:?}\", std::env::var(&name));\n\
        }\n\
    }\n";
    project.package(".", "told", "", "src/main.rs", "fn main() {}");
    let manifest = project.read("Cargo.toml").unwrap();
    project.write(
        "Cargo.toml",
        &format!("{manifest}\n[build-dependencies]\ncc = {{ path = \"cc\" }}\n"),
    );
    project.package("cc", "cc", "", "src/lib.rs", "");
    project.write("build.rs", script);
    let build = |variables: &[(&str, &str)]| {
        project.write("build.rs", &format!("{script}// {variables:?}\n"));
        let mut command = project.command();
        command.arg("check").env_remove("CC").env_remove("CFLAGS").envs(variables.iter().copied());
        finish(&mut command).ok()
    };
    let flag = "-isystem /usr/include/wasm32-wasi";
    let out = build(&[]);
    let out = out.says(&format!("CFLAGS_wasm32_wasip1=Ok(\"{flag}\")"));
    out.says(&format!(
        "BINDGEN_EXTRA_CLANG_ARGS_wasm32_wasip1=Ok(\"{flag} -fvisibility=default\")"
    ));
    // What is meant for every target is kept.
    build(&[("TARGET_CFLAGS", "-DX=1")])
        .says(&format!("CFLAGS_wasm32_wasip1=Ok(\"{flag} -DX=1\")"));
    build(&[("CFLAGS_wasm32_wasip1", "-DY")]).says("CFLAGS_wasm32_wasip1=Ok(\"-DY\")");
    build(&[("CC_wasm32_wasip1", "mine")]).says("CFLAGS_wasm32_wasip1=Err(NotPresent)");
    build(&[("WASI_SDK_PATH", "/opt/sdk")]).says("CC_wasm32_wasip1=Err(NotPresent)");
}
