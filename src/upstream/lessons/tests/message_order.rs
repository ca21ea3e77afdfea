//! What a rejection says about the order of messages.

use super::*;

#[test]
fn the_order_of_messages_is_learned() {
    for (message, lesson) in [
        (
            "Developer instruction is not enabled for models/gemma-3-27b-it",
            Lesson::NoSystem,
        ),
        ("System role not supported", Lesson::NoSystem),
        (
            "Only user, assistant and tool roles are supported, got system.",
            Lesson::NoSystem,
        ),
        (
            "Conversation roles must alternate user/assistant/user/assistant/...",
            Lesson::Alternate,
        ),
        (
            "After the optional system message, conversation roles must alternate user/assistant/user/assistant/...",
            Lesson::Alternate,
        ),
        (
            "deepseek-reasoner does not support successive user or assistant messages (messages[1] and messages[2] in your input).",
            Lesson::Alternate,
        ),
        (
            "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
            Lesson::Alternate,
        ),
        ("Last message must have role `user`.", Lesson::Alternate),
        (
            "This model does not support assistant message prefill. The conversation must end with a user message.",
            Lesson::Alternate,
        ),
        (
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
            Lesson::NoSystem,
        ),
        ("System message must be at the beginning.", Lesson::Alternate),
    ] {
        let rejected = ProviderError::Rejected {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            param: None,
            code: None,
        };
        assert_eq!(lessons_of(&rejected, |_| false, &json!({})), [lesson], "{message}");
        assert_eq!(lessons_of(&rejected, |_| true, &json!({})), [], "{message}");
    }
}

/// Whoever asks about such a rejection writes its words too; more of them is a quotation.
#[test]
fn the_phrases_themselves_are_no_quotation() {
    let rejected = ProviderError::Rejected {
        status: StatusCode::BAD_REQUEST,
        message: "Conversation roles must alternate user/assistant/user/assistant/...".into(),
        param: None,
        code: None,
    };
    let quotes = |quoted: &'static str| move |message: &str| message.contains(quoted);
    assert_eq!(
        lessons_of(&rejected, quotes("roles must alternate"), &json!({})),
        [Lesson::Alternate]
    );
    assert_eq!(lessons_of(&rejected, quotes("user/assistant/user"), &json!({})), []);
}

#[test]
fn the_next_request_has_the_order_that_was_asked_for() {
    let prompt = Prompt {
        messages: vec![
            Message::text(Role::System, "Be brief."),
            Message::text(Role::User, "One"),
            Message::text(Role::User, "two"),
        ]
        .into(),
        parameters: Parameters::default(),
        show_reasoning: false,
    };
    let messages = |model: &str, lesson: Lesson| {
        let model = choose(model, None, None).unwrap();
        let mut learned = Learned::default();
        learned.add(lesson);
        let body = Protocol::of(&model).encode(&prompt, &model, learned).unwrap();
        body.get("messages").or(body.get("contents")).unwrap().clone()
    };
    for model in ["groq/any", "gpt-4o"] {
        assert_eq!(
            messages(model, Lesson::Alternate),
            json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "One\ntwo"}])
        );
        assert_eq!(
            messages(model, Lesson::NoSystem),
            json!([{"role": "user", "content": "Be brief.\nOne"}, {"role": "user", "content": "two"}])
        );
    }
    assert_eq!(
        messages("gemini-4-new", Lesson::NoSystem),
        json!([{"role": "user", "parts": [{"text": "Be brief."}, {"text": "One"}, {"text": "two"}]}])
    );
}
