//! Turns: everybody does the same thing, one after the other, and again.

use anyhow::Result;

use super::field::{Contender, Field};
use super::measured::Measured;

/// Runs `once` for every contender, `runs` times, interleaved: a slow moment of the machine hits all. Who fails
/// is out, and the benchmark fails in the end.
///
/// # Errors
/// None of its own: failures are the field's.
pub(super) fn turns(
    field: &mut Field<'_>,
    group: &str,
    step: &str,
    runs: usize,
    contenders: &mut Vec<Contender>,
    measured: &mut Measured,
    mut once: impl FnMut(&Contender, &mut Measured) -> Result<()>,
) -> Result<()> {
    let mut failures = Vec::new();
    field.steps.run(step, "all", |progress| {
        for run in 0..runs {
            let mut order: Vec<usize> = (0..contenders.len()).collect();
            // Whoever comes right after somebody else should not always do.
            if run % 2 == 1 {
                order.reverse();
            }
            let mut out = Vec::new();
            for at in order {
                let who = &contenders[at];
                progress(&format!("run {} of {runs}: {}", run + 1, who.name()));
                if let Err(e) = once(who, measured) {
                    measured.forget_begun(group, who, runs);
                    failures.push((who.name(), e.context(step.to_owned())));
                    out.push(at);
                }
            }
            out.sort_unstable();
            for at in out.into_iter().rev() {
                contenders.remove(at);
            }
        }
        Ok(((), format!("{runs} runs of {}", contenders.len())))
    })?;
    for (who, why) in failures {
        field.failed(group, &who, &why);
    }
    Ok(())
}
