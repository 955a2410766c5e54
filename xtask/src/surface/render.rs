//! Types and signatures as short texts that can be compared across crates.
//!
//! Signatures that a caller cannot distinguish have the same text: paths are reduced to their last name, lifetimes are
//! left out, every generic parameter and `impl Trait` is `_`, and an `async fn` is a function that returns a future.

use serde_json::Value;

/// A function's signature, seen from its caller.
pub(super) fn signature(function: &Value, self_type: &str) -> String {
    let header = &function["header"];
    let mut text = String::new();
    for (flag, word) in [("is_const", "const "), ("is_unsafe", "unsafe ")] {
        if header[flag] == true {
            text += word;
        }
    }
    let inputs: Vec<String> = array(&function["sig"]["inputs"])
        .map(|input| match input[0].as_str() {
            Some("self") => format!("self: {}", ty(&input[1])),
            _ => ty(&input[1]),
        })
        .collect();
    let output = &function["sig"]["output"];
    let (is_async, output) = match future_output(output) {
        Some(output) => (true, output),
        None => (header["is_async"] == true, ty(output)),
    };
    text += if is_async { "async fn(" } else { "fn(" };
    text += &inputs.join(", ");
    text += ") -> ";
    text += &output;
    if self_type.len() > 1 { text.replace(self_type, "Self") } else { text }
}

/// The output of a type that is written `impl Future<Output = …>`.
fn future_output(output: &Value) -> Option<String> {
    array(&output["impl_trait"]).find_map(|bound| {
        let bound = &bound["trait_bound"]["trait"];
        if !bound["path"].as_str()?.ends_with("Future") {
            return None;
        }
        array(&bound["args"]["angle_bracketed"]["constraints"])
            .find(|c| c["name"] == "Output")
            .map(|c| ty(&c["binding"]["equality"]["type"]))
    })
}

/// A type.
pub(super) fn ty(value: &Value) -> String {
    let Value::Object(object) = value else {
        return if value.is_null() { "()".to_owned() } else { "_".to_owned() };
    };
    let Some((kind, inner)) = object.iter().next() else { return "()".to_owned() };
    match kind.as_str() {
        "resolved_path" => path(inner),
        "generic" => if inner == "Self" { "Self" } else { "_" }.to_owned(),
        "primitive" => text(inner),
        "tuple" => format!("({})", list(inner)),
        "slice" => format!("[{}]", ty(inner)),
        "array" => format!("[{}; {}]", ty(&inner["type"]), text(&inner["len"])),
        "borrowed_ref" => {
            let mutable = if inner["is_mutable"] == true { "mut " } else { "" };
            format!("&{mutable}{}", ty(&inner["type"]))
        }
        "raw_pointer" => {
            let mutable = if inner["is_mutable"] == true { "mut" } else { "const" };
            format!("*{mutable} {}", ty(&inner["type"]))
        }
        "dyn_trait" => {
            let traits = array(&inner["traits"]).map(|t| path(&t["trait"]));
            format!("dyn {}", traits.collect::<Vec<_>>().join(" + "))
        }
        "qualified_path" => format!("{}::{}", ty(&inner["self_type"]), text(&inner["name"])),
        "function_pointer" => "fn".to_owned(),
        // `impl Trait` and whatever the compiler infers.
        _ => "_".to_owned(),
    }
}

/// A path with its generic arguments.
pub(super) fn path(value: &Value) -> String {
    let full = value["path"].as_str().or(value["name"].as_str()).unwrap_or("");
    let name = full.rsplit("::").next().unwrap_or(full);
    let args = &value["args"]["angle_bracketed"]["args"];
    let mut args: Vec<String> = array(args)
        .filter_map(|arg| match arg {
            Value::Object(arg) if arg.contains_key("type") => Some(ty(&arg["type"])),
            Value::Object(arg) if arg.contains_key("const") => Some(text(&arg["const"]["expr"])),
            _ => None,
        })
        .collect();
    // `io::Result<T>` and `Result<T, io::Error>` are the same type.
    if name == "Result" && args.len() == 2 && args[1] == "Error" {
        args.pop();
    }
    if args.is_empty() { name.to_owned() } else { format!("{name}<{}>", args.join(", ")) }
}

/// How many lifetimes, types and constants an item is generic over.
pub(super) fn parameters(generics: &Value) -> String {
    let count = |kind: &str| {
        array(&generics["params"])
            .filter(|p| p["kind"].get(kind).is_some())
            // The anonymous ones of `impl Trait` arguments.
            .filter(|p| !p["name"].as_str().is_some_and(|n| n.starts_with("impl ")))
            .count()
    };
    let (lifetimes, types, constants) = (count("lifetime"), count("type"), count("const"));
    if lifetimes + types + constants == 0 {
        return String::new();
    }
    let mut names = vec!["'_"; lifetimes];
    names.extend(vec!["_"; types]);
    names.extend(vec!["const _"; constants]);
    format!("<{}>", names.join(", "))
}

/// The elements of an array; none if it is not one.
pub(super) fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn list(types: &Value) -> String {
    array(types).map(ty).collect::<Vec<_>>().join(", ")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("_").to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(path: &str, args: Value) -> Value {
        json!({ "resolved_path": { "path": path, "args": { "angle_bracketed": { "args": args } } } })
    }

    fn function(is_async: bool, output: Value) -> Value {
        let receiver =
            json!({ "borrowed_ref": { "is_mutable": true, "type": { "generic": "Self" } } });
        let buffer = json!({ "borrowed_ref": { "is_mutable": true, "type": { "generic": "B" } } });
        json!({
            "header": { "is_const": false, "is_unsafe": false, "is_async": is_async },
            "sig": { "inputs": [["self", receiver], ["buf", buffer]], "output": output },
        })
    }

    #[test]
    fn an_async_fn_is_one_that_returns_a_future() {
        let size = json!({ "type": { "primitive": "usize" } });
        let result = named("io::Result", json!([size]));
        let future = json!({ "impl_trait": [{ "trait_bound": { "trait": {
            "path": "std::future::Future",
            "args": { "angle_bracketed": { "args": [], "constraints": [
                { "name": "Output", "binding": { "equality": { "type": result } } }
            ] } }
        } } }] });
        let expected = "async fn(self: &mut Self, &mut _) -> Result<usize>";
        assert_eq!(signature(&function(true, result), ""), expected);
        assert_eq!(signature(&function(false, future), ""), expected);
        assert_ne!(signature(&function(false, Value::Null), ""), expected);
    }

    #[test]
    fn the_type_itself_is_self() {
        let this = named("crate::net::TcpStream", json!([]));
        assert_eq!(
            signature(&function(false, this), "TcpStream"),
            "fn(self: &mut Self, &mut _) -> Self"
        );
    }

    #[test]
    fn an_io_result_is_the_same_in_both_spellings() {
        let error = json!({ "type": named("std::io::Error", json!([])) });
        let unit = json!({ "type": { "tuple": [] } });
        assert_eq!(
            ty(&named("Result", json!([unit, error]))),
            ty(&named("io::Result", json!([unit])))
        );
    }
}
