//! Turns: everybody does the same thing, one after the other, and again.
//!
//! A turn in which other machines had the processors of this one says nothing, and is taken again.

use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::Result;

use super::field::{Contender, Field};
use super::machine::Stolen;
use super::measured::Measured;

/// More of the processors' time than this must not have gone to other machines.
const MOST_STOLEN: f64 = 0.02;
/// So often a turn is taken; then the least disturbed counts.
const ATTEMPTS: usize = 4;

/// Runs `once` for every contender, `runs` times, interleaved: a slow moment of the machine hits all. Who fails
/// is out, and the benchmark fails in the end.
///
/// # Errors
/// None of its own: failures are the field's.
pub(super) fn turns<C: AsRef<Contender>>(
    field: &mut Field<'_>,
    group: &str,
    step: &str,
    runs: usize,
    contenders: &mut Vec<C>,
    measured: &mut Measured,
    mut once: impl FnMut(&mut C, &mut Measured) -> Result<()>,
) -> Result<()> {
    let _inside = field.network.enter();
    let mut failures = Vec::new();
    let mut repeated = 0;
    field.steps.run(step, "all", |progress| {
        for run in 0..runs {
            let mut order: Vec<usize> = (0..contenders.len()).collect();
            // Whoever comes right after somebody else should not always do.
            order.sort_by_cached_key(|at| {
                let mut shuffled = DefaultHasher::new();
                (run, at).hash(&mut shuffled);
                shuffled.finish()
            });
            let mut out = Vec::new();
            for at in order {
                let who = &mut contenders[at];
                progress(&format!("run {} of {runs}: {}", run + 1, who.as_ref().name()));
                match undisturbed(&mut repeated, || {
                    let mut turn = Measured::default();
                    once(who, &mut turn).map(|()| turn)
                }) {
                    Ok(turn) => measured.append(turn),
                    Err(e) => {
                        let who = who.as_ref();
                        measured.forget_begun(group, who, runs);
                        failures.push((who.name(), e.context(step.to_owned())));
                        out.push(at);
                    }
                }
            }
            out.sort_unstable();
            for at in out.into_iter().rev() {
                contenders.remove(at);
            }
        }
        let again = if repeated > 0 { format!(", {repeated} again") } else { String::new() };
        Ok(((), format!("{runs} runs of {}{again}", contenders.len())))
    })?;
    for (who, why) in failures {
        field.failed(group, &who, &why);
    }
    Ok(())
}

/// Does it until the machine was left alone meanwhile, and counts how often it was done again.
fn undisturbed<T>(repeated: &mut usize, mut turn: impl FnMut() -> Result<T>) -> Result<T> {
    let mut attempt = || {
        let stolen = Stolen::begin();
        turn().map(|done| (stolen.part(), done))
    };
    let mut best = attempt()?;
    for _ in 1..ATTEMPTS {
        if best.0 <= MOST_STOLEN {
            break;
        }
        *repeated += 1;
        let next = attempt()?;
        if next.0 < best.0 {
            best = next;
        }
    }
    Ok(best.1)
}
