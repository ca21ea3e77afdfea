//! Log probabilities as the Responses API has them: a list of tokens, each with its bytes.

use serde::Deserialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

/// The tokens of chat completions' `logprobs` object of one delta.
pub(super) fn of_delta(logprobs: &Value) -> Vec<Box<RawValue>> {
    let tokens = logprobs["content"].as_array().into_iter().flatten();
    tokens.filter_map(|token| complete(token.clone())).collect()
}

/// The tokens of a whole answer. They are read one by one: as values they take ten times the memory.
pub(super) fn of_whole(logprobs: &RawValue) -> Vec<Box<RawValue>> {
    #[derive(Default, Deserialize)]
    struct Tokens<'a> {
        #[serde(borrow)]
        content: Option<Vec<&'a RawValue>>,
    }
    let tokens: Tokens = serde_json::from_str(logprobs.get()).unwrap_or_default();
    let tokens = tokens.content.into_iter().flatten();
    tokens
        .filter_map(|token| complete(serde_json::from_str(token.get()).ok()?))
        .collect()
}

/// A token with the lists that OpenAI's schema requires here, and chat completions may leave out or `null`.
fn complete(mut token: Value) -> Option<Box<RawValue>> {
    token.as_object()?;
    for name in ["bytes", "top_logprobs"] {
        if !token[name].is_array() {
            token[name] = json!([]);
        }
    }
    for likely in token["top_logprobs"].as_array_mut().into_iter().flatten() {
        if likely.is_object() && !likely["bytes"].is_array() {
            likely["bytes"] = json!([]);
        }
    }
    to_raw_value(&token).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_gets_its_lists() {
        let given = json!({"content": [
            {"token": "a", "logprob": -0.5, "bytes": null, "top_logprobs": [{"token": "b", "logprob": -1, "bytes": null}]},
            {"token": "c", "logprob": 0, "bytes": [99], "top_logprobs": []},
            {"token": "d", "logprob": 0}, "not a token"], "refusal": null});
        let expected = json!([
            {"token": "a", "logprob": -0.5, "bytes": [], "top_logprobs": [{"token": "b", "logprob": -1, "bytes": []}]},
            {"token": "c", "logprob": 0, "bytes": [99], "top_logprobs": []},
            {"token": "d", "logprob": 0, "bytes": [], "top_logprobs": []}]);
        assert_eq!(json!(of_delta(&given)), expected);
        assert_eq!(json!(of_whole(&to_raw_value(&given).unwrap())), expected);
        for none in [json!({"content": null, "refusal": null}), json!(null), json!([])] {
            assert_eq!(json!(of_delta(&none)), json!([]));
            assert_eq!(json!(of_whole(&to_raw_value(&none).unwrap())), json!([]));
        }
    }
}
