//! More than one name in a message, and none.

use super::*;

#[test]
fn two_names_in_one_sentence_are_two_lessons() {
    let sent = json!({"temperature": 1, "top_p": 1, "seed": 7, "presence_penalty": 1});
    let lessons = |message: &str| {
        let rejected = ProviderError::Rejected {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            param: None,
            code: None,
        };
        lessons_of(&rejected, |_| false, &sent)
    };
    let omit = |parameters: &[Parameter]| -> Vec<_> { parameters.iter().copied().map(Lesson::Omit).collect() };
    for (message, expected) in [
        (
            "Model incompatible request argument supplied: temperature, top_p",
            omit(&[Parameter::Temperature, Parameter::TopP]),
        ),
        (
            "Model incompatible request arguments supplied: `top_p` and `presence_penalty`.",
            omit(&[Parameter::TopP, Parameter::PresencePenalty]),
        ),
        (
            "Unsupported parameters: 'temperature', 'logit_bias'",
            omit(&[Parameter::Temperature]),
        ),
        (
            "Unrecognized request argument supplied: temperature",
            omit(&[Parameter::Temperature]),
        ),
        // Without a colon, with other names than the request's, or in sentences of their own.
        (
            "temperature and top_p are not supported with this model.",
            omit(&[Parameter::Temperature, Parameter::TopP]),
        ),
        (
            "Parameters topP, presencePenalty are not supported",
            omit(&[Parameter::TopP, Parameter::PresencePenalty]),
        ),
        (
            "Model grok-4 does not support parameters presencePenalty, frequencyPenalty.",
            omit(&[Parameter::PresencePenalty]),
        ),
        (
            "litellm.UnsupportedParamsError: openai does not support parameters: ['temperature', 'top_p'], for model=gpt-5. To drop these, set `litellm.drop_params=True`",
            omit(&[Parameter::Temperature, Parameter::TopP]),
        ),
        // <https://github.com/Alishahryar1/free-claude-code/issues/1548>, read 2026-11
        (
            "Invalid JSON payload received. Unknown name \"seed\": Cannot find field.\nInvalid JSON payload received. Unknown name \"presence_penalty\": Cannot find field.",
            omit(&[Parameter::PresencePenalty, Parameter::Seed]),
        ),
        // A condition is no fault, nor what to do instead.
        (
            "'top_p' is not supported when 'temperature' is set.",
            omit(&[Parameter::TopP]),
        ),
        ("Nothing of this: is about them", vec![]),
        ("The seed of a user's thinking is not theirs", vec![]),
    ] {
        assert_eq!(lessons(message), expected, "{message}");
    }
}

/// Messages that mean the effort without naming it.
#[test]
fn the_effort_has_many_names() {
    let sent = json!({"reasoning_effort": "low", "temperature": 1});
    for message in [
        "The thinking budget (52428) is invalid.",
        "Unable to submit request because The model does not support setting thinking_budget to 0",
        "Budget 0 is invalid. This model only works in thinking mode.",
        "\"llama3.1:8b\" does not support thinking",
        "think value \"medium\" is not supported for this model",
        "grok-3 doesn't support parameter reasoning_effort",
    ] {
        let rejected = ProviderError::Rejected {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            param: None,
            code: None,
        };
        let lesson = Lesson::Omit(Parameter::ReasoningEffort);
        assert_eq!(lessons_of(&rejected, |_| false, &sent), [lesson], "{message}");
    }
}
