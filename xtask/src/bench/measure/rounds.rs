//! Rounds: in each, every candidate is measured once, one after the other.
//!
//! A measurement during which other virtual machines used the processors is repeated.

use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::Result;

use super::machine::Stolen;
use super::results::Results;
use super::session::{Candidate, Session};

/// The largest part of the processors' time that may have gone to other machines.
const MOST_STOLEN: f64 = 0.02;
/// The maximum number of attempts at one measurement. The least disturbed one counts.
const ATTEMPTS: usize = 4;

/// Runs `once` for every candidate, `runs` times, interleaved: a slow moment of the machine affects all. A candidate
/// that fails is removed, and the benchmark fails in the end.
///
/// # Errors
/// Fails as the session does. A candidate that fails is no error.
pub(crate) fn interleave<C: AsRef<Candidate>>(
    session: &mut Session<'_>,
    group: &str,
    step: &str,
    runs: usize,
    candidates: &mut Vec<C>,
    results: &mut Results,
    mut once: impl FnMut(&mut C, &mut Results) -> Result<()>,
) -> Result<()> {
    let _inside = session.network.enter();
    let mut failures = Vec::new();
    let mut repeated = 0;
    session.steps.run(step, "all", |progress| {
        for run in 0..runs {
            let mut order: Vec<usize> = (0..candidates.len()).collect();
            // The order changes, so that no candidate always follows the same one.
            order.sort_by_cached_key(|at| {
                let mut shuffled = DefaultHasher::new();
                (run, at).hash(&mut shuffled);
                shuffled.finish()
            });
            let mut out = Vec::new();
            for at in order {
                let who = &mut candidates[at];
                progress(&format!("run {} of {runs}: {}", run + 1, who.as_ref().name()));
                match undisturbed(&mut repeated, || {
                    let mut round = Results::default();
                    once(who, &mut round).map(|()| round)
                }) {
                    Ok(round) => results.append(round),
                    Err(e) => {
                        let who = who.as_ref();
                        results.forget_begun(group, who, runs);
                        failures.push((who.name(), e.context(step.to_owned())));
                        out.push(at);
                    }
                }
            }
            out.sort_unstable();
            for at in out.into_iter().rev() {
                candidates.remove(at);
            }
        }
        let again = if repeated > 0 { format!(", {repeated} again") } else { String::new() };
        Ok(((), format!("{runs} runs of {}{again}", candidates.len())))
    })?;
    for (who, why) in failures {
        session.failed(group, &who, &why);
    }
    Ok(())
}

/// Repeats a measurement until the machine was undisturbed. Returns the number of repetitions.
fn undisturbed<T>(repeated: &mut usize, mut measure: impl FnMut() -> Result<T>) -> Result<T> {
    let mut attempt = || {
        let stolen = Stolen::begin();
        measure().map(|done| (stolen.part(), done))
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
