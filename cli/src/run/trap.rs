//! Describes a trap: what happened, and the part of the backtrace that the guest's author wrote.

use std::fmt::Write as _;

use wasio_host::Trap;

/// Crates whose frames are left out.
const STANDARD: [&str; 6] = ["std", "core", "alloc", "panic_abort", "__rustc", "test"];
/// Functions without a path that are left out as well.
const HIDDEN: [&str; 6] =
    ["abort", "exit", "rust_panic", "rust_begin_unwind", "__rust_start_panic", "__rust_abort"];

/// Describes `trap`, with every frame of the backtrace if `full`.
pub(crate) fn describe(trap: &Trap, full: bool) -> String {
    let mut text = format!("the guest trapped: {}", trap.reason());
    let frames = trap.frames();
    if let Some(asking) = thread_asked_for(frames) {
        let _ = write!(
            text,
            "\na thread was requested{asking}, and WASI cannot start one. Use tokio's tasks, `spawn_blocking` for \
             blocking work, or turn off the feature that starts the thread"
        );
    }
    let shown: Vec<_> =
        frames.iter().enumerate().filter(|(_, name)| full || !is_standard(name)).collect();
    if !shown.is_empty() {
        text += "\nwasm backtrace, innermost first:";
    }
    for (i, frame) in &shown {
        let _ = write!(text, "\n{i:>4}: {frame}");
    }
    if shown.len() < frames.len() {
        let left_out = frames.len() - shown.len();
        let _ = write!(
            text,
            "\n{left_out} frames of the standard library are left out: RUST_BACKTRACE=full shows them"
        );
    }
    text
}

/// Returns the function that tried to start a thread, if the guest died of that.
fn thread_asked_for(frames: &[String]) -> Option<String> {
    let spawn = frames.iter().position(|name| {
        name.starts_with("std::thread::") && name.contains("spawn") && !name.contains("{{closure}}")
    })?;
    let failed = frames[..spawn]
        .iter()
        .any(|name| name.contains("unwrap_failed") || name.contains("expect_failed"));
    let asking = frames[spawn..].iter().find(|name| !is_standard(name));
    failed.then(|| match asking.map(|name| (krate(name), name)) {
        Some((Some(krate), name)) => format!(" by the crate `{krate}`, in `{name}`"),
        _ => String::new(),
    })
}

fn is_standard(name: &str) -> bool {
    // The standard library's wrapper that calls a function passed to it.
    if name.starts_with("<fn(") {
        return true;
    }
    match krate(name) {
        Some(krate) => STANDARD.contains(&krate),
        None => HIDDEN.contains(&name),
    }
}

/// Returns the crate that a demangled path begins with. For `<T as Trait>::method`, it is the crate of `T`.
fn krate(name: &str) -> Option<&str> {
    let mut path = name.trim_start_matches(['<', '&', '*', '(', '[']);
    for word in ["mut ", "const ", "dyn "] {
        path = path.strip_prefix(word).unwrap_or(path).trim_start_matches(['<', '&', '(', '[']);
    }
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    // The full form is `crate[a1b2…]::path`.
    path[end..].starts_with(['[', ':']).then(|| &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_belong_to_crates() {
        assert_eq!(krate("<app::Thing as core::fmt::Display>::fmt"), Some("app"));
        assert_eq!(krate("<&mut std::io::Stdout as std::io::Write>::flush"), Some("std"));
        assert_eq!(krate("<dyn core::any::Any>::type_id"), Some("core"));
        assert_eq!(krate("<function 12>"), None);
        assert_eq!(krate("_start"), None);
        for standard in [
            "core::panicking::panic_fmt",
            "abort",
            "__rustc[7d42]::rust_panic",
            "<alloc::vec::Vec<T> as X>::y",
        ] {
            assert!(is_standard(standard), "{standard}");
        }
        for own in ["app::main", "_start", "<function 3>", "main"] {
            assert!(!is_standard(own), "{own}");
        }
    }

    #[test]
    fn a_thread_is_asked_for_by_a_crate() {
        let frames = [
            "abort",
            "core::result::unwrap_failed",
            "std::thread::functions::spawn",
            "indicatif::progress_bar::ProgressBar::enable_steady_tick",
            "app::main",
        ]
        .map(str::to_owned);
        let asked = thread_asked_for(&frames).unwrap();
        assert!(
            asked.starts_with(" by the crate `indicatif`, in `indicatif::progress_bar"),
            "{asked}"
        );
        assert_eq!(thread_asked_for(&frames[2..]), None, "it did not fail");
        assert_eq!(thread_asked_for(&frames[..2]), None);
    }
}
