//! Steps with progress: a spinner on a terminal, plain lines anywhere else, records for JSON.

use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

/// One step that was run.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Step {
    /// The name of the step.
    pub step: String,
    /// Where it ran: `wasio`, `wasmedge`, `native`, or `build`.
    pub ran_on: String,
    /// How long it took.
    pub seconds: f64,
    /// Whether it worked.
    pub ok: bool,
    /// A short note on the result.
    pub note: String,
}

/// Runs steps one after the other and reports each.
#[derive(Debug)]
pub struct Steps {
    json: bool,
    terminal: bool,
    done: Vec<Step>,
}

impl Steps {
    /// With `json`, standard output is left to the JSON and everything else goes to standard
    /// error.
    pub fn new(json: bool) -> Steps {
        Steps { json, terminal: std::io::stderr().is_terminal(), done: Vec::new() }
    }

    /// The steps so far.
    pub fn done(&self) -> &[Step] {
        &self.done
    }

    /// Runs one step. `work` may report what it is doing, and returns what to note in the
    /// summary.
    ///
    /// # Errors
    /// The step's own, named after it.
    pub fn run<T>(
        &mut self,
        step: &str,
        ran_on: &str,
        work: impl FnOnce(&dyn Fn(&str)) -> Result<(T, String)>,
    ) -> Result<T> {
        let started = Instant::now();
        let bar = self.terminal.then(|| spinner(step));
        let told = Cell::new(started);
        let result = work(&|now| match &bar {
            Some(bar) => bar.set_message(now.to_owned()),
            // Not a terminal: print progress now and then.
            None if told.get().elapsed() > Duration::from_secs(20) => {
                told.set(Instant::now());
                eprintln!("  …    {step}: {now}");
            }
            None => {}
        });
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        let seconds = started.elapsed().as_secs_f64();
        let (ok, note) = match &result {
            Ok((_, note)) => (true, note.clone()),
            Err(_) => (false, String::new()),
        };
        let word = if ok { "ok" } else { "FAIL" };
        self.say(&format!("  {word:4} {step:44} {ran_on:9} {:>9}  {note}", duration(seconds)));
        self.done.push(Step { step: step.into(), ran_on: ran_on.into(), seconds, ok, note });
        match result {
            Ok((value, _)) => Ok(value),
            Err(e) => Err(e.context(format!("step failed: {step} ({ran_on})"))),
        }
    }

    /// Prints a line of text.
    pub fn say(&self, line: &str) {
        if self.json {
            eprintln!("{line}");
        } else {
            println!("{line}");
        }
    }
}

fn spinner(step: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("  {spinner} {prefix:44} {elapsed:>4}  {wide_msg:.dim}")
            .expect("the template is right");
    let bar = ProgressBar::new_spinner().with_style(style).with_prefix(step.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A duration with a unit that suits it.
pub fn duration(seconds: f64) -> String {
    if seconds < 0.1 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{:.0} min {:.0} s", (seconds / 60.0).floor(), seconds % 60.0)
    }
}
