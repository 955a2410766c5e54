//! Suggests subcommands for mistyped ones. clap compares shared letters, and so misses transposed ones: `rnu`.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The maximum number of letters that are wrong, missing, superfluous or transposed with their neighbour.
const DISTANCE: usize = 2;

/// Adds the nearest subcommand of `command` to clap's `error`, if it suggests none.
pub(crate) fn improve(mut error: clap::Error, command: &clap::Command) -> clap::Error {
    let unknown = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(name)) if error.kind() == ErrorKind::InvalidSubcommand => {
            name.clone()
        }
        _ => return error,
    };
    if error.get(ContextKind::SuggestedSubcommand).is_some() {
        return error;
    }
    let nearest = command
        .get_subcommands()
        .filter(|known| !known.is_hide_set())
        .map(|known| (strsim::osa_distance(&unknown, known.get_name()), known.get_name()))
        .filter(|(distance, name)| *distance <= DISTANCE && *distance < name.len())
        .min();
    if let Some((_, name)) = nearest {
        error
            .insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![name.to_owned()]));
    }
    error
}
