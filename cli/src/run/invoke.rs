//! `--invoke`: calls one exported function of a module with numbers from the command line.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use wasio_host::prelude::{Val, ValType};
use wasio_host::{Error, Exit, Guest};

/// Calls `name` with `args` and prints the returned values, one a line.
///
/// # Errors
///
/// [`Error`] if the guest ends otherwise than by returning. Another error if the arguments do not fit.
pub(crate) async fn invoke(guest: Guest, name: &str, args: &[String]) -> anyhow::Result<Exit> {
    match call(guest, name, args).await {
        Err(error) => match error.downcast_ref() {
            Some(Error::Exited(exit)) => Ok(*exit),
            _ => Err(error),
        },
        Ok(results) => {
            let mut out = std::io::stdout().lock();
            for result in &results {
                writeln!(out, "{}", shown(result)).context("cannot print the results")?;
            }
            Ok(Exit::default())
        }
    }
}

async fn call(guest: Guest, name: &str, args: &[String]) -> anyhow::Result<Vec<Val>> {
    let mut instance = guest.instantiate().await?;
    let ty = instance.signature(name)?;
    let types: Vec<ValType> = ty.params().collect();
    if types.len() != args.len() {
        bail!(
            "`{name}` is a function {ty}: it takes {} argument{}, and {} {} given",
            types.len(),
            if types.len() == 1 { "" } else { "s" },
            args.len(),
            if args.len() == 1 { "was" } else { "were" }
        );
    }
    let values: anyhow::Result<Vec<Val>> =
        types.iter().zip(args).map(|(ty, arg)| value(ty, arg)).collect();
    Ok(instance.call_dynamic_async(name, &values?).await?)
}

/// Parses `text` as a value of type `ty`. Integers may be signed or unsigned, in decimal or, after `0x`, in
/// hexadecimal.
fn value(ty: &ValType, text: &str) -> anyhow::Result<Val> {
    let integer = || -> Option<i128> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        if digits.starts_with(['+', '-']) && sign < 0 {
            return None;
        }
        let number = match digits.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok()?,
            None => digits.parse::<u64>().ok()?,
        };
        Some(sign * i128::from(number))
    };
    let value = match ty {
        ValType::I32 => integer()
            .and_then(|n| {
                i32::try_from(n).ok().or_else(|| Some(u32::try_from(n).ok()?.cast_signed()))
            })
            .map(Val::I32),
        ValType::I64 => integer()
            .and_then(|n| {
                i64::try_from(n).ok().or_else(|| Some(u64::try_from(n).ok()?.cast_signed()))
            })
            .map(Val::I64),
        ValType::F32 => text.parse().ok().map(|number: f32| Val::F32(number.to_bits())),
        ValType::F64 => text.parse().ok().map(|number: f64| Val::F64(number.to_bits())),
        other => bail!(
            "an argument of type {other} cannot be given on the command line: only numbers can"
        ),
    };
    value.with_context(|| format!("`{text}` is not of type {ty}"))
}

fn shown(value: &Val) -> String {
    match value {
        Val::I32(number) => number.to_string(),
        Val::I64(number) => number.to_string(),
        Val::F32(bits) => f32::from_bits(*bits).to_string(),
        Val::F64(bits) => f64::from_bits(*bits).to_string(),
        Val::V128(bits) => format!("{:#034x}", bits.as_u128()),
        other => format!("{other:?}"),
    }
}
