//! Any conversation that OpenAI accepts is within the constraints that the other providers document.

use assistant_endpoint::{
    chat::{
        image::normal_url,
        message::{Message, Part, Role},
        parameters::Parameters,
        prompt::Prompt,
    },
    protocol::{Protocol, learned::Learned},
    provider::choose,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn part() -> impl Strategy<Value = Part> {
    let image = |url: &str| Part::Image {
        url: normal_url(url),
        detail: None,
    };
    // The second is a PNG, whatever it says.
    let images = [
        image("data:image/jpg;base64,AA=="),
        image("Data:image/jpeg;base64,iVBORw0KGgoA\nAAANSUhEUg=="),
    ];
    prop_oneof![3 => "[a \n]{0,3}".prop_map(Part::Text), 1 => prop::sample::select(images.to_vec())]
}

fn message() -> impl Strategy<Value = Message> {
    let role = prop_oneof![Just(Role::System), Just(Role::User), Just(Role::Assistant)];
    (role, prop::collection::vec(part(), 1..3)).prop_map(|(role, mut parts)| {
        if role != Role::User {
            parts.retain(|part| matches!(part, Part::Text(_)));
            parts.push(Part::Text(String::new()));
        }
        Message {
            role,
            parts,
            name: None,
        }
    })
}

fn optional(values: Vec<Value>) -> impl Strategy<Value = Value> {
    prop::sample::select([vec![Value::Null], values].concat())
}

/// Schemas as OpenAI takes them, strict and not.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop::sample::select(vec![
        json!({"type": "integer", "minimum": 0, "multipleOf": 2}),
        json!({"type": ["string", "null"], "pattern": "^a", "format": "colour"}),
        json!({"enum": ["a", 1, null]}),
    ]);
    let schema = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), any::<bool>()).prop_map(|(inner, open)| {
                json!({"type": "object", "properties": {"a": inner}, "required": ["a"], "additionalProperties": open})
            }),
            inner.clone().prop_map(|inner| json!({"properties": {"a": inner}})),
            inner
                .clone()
                .prop_map(|inner| json!({"type": "array", "items": inner, "minItems": 2, "uniqueItems": true})),
            prop::collection::vec(inner, 1..3).prop_map(|inner| json!({"oneOf": inner})),
        ]
    });
    let format = |schema: Value| json!({"type": "json_schema", "json_schema": {"name": "a", "schema": schema}});
    prop_oneof![Just(Value::Null), schema.prop_map(format)]
}

/// "Structured outputs", "JSON Schema limitations": objects are closed, and no limits.
fn check_schema(schema: &Value) -> Result<(), TestCaseError> {
    let Some(fields) = schema.as_object() else {
        return Ok(());
    };
    let is_object = fields.contains_key("properties") || schema["type"] == "object";
    prop_assert!(!is_object || schema["additionalProperties"] == false);
    for name in ["minimum", "multipleOf", "pattern", "uniqueItems", "oneOf"] {
        prop_assert!(!fields.contains_key(name), "{name}");
    }
    prop_assert!(fields.get("minItems").is_none_or(|least| least.as_u64() <= Some(1)));
    prop_assert!(fields.get("format").is_none_or(|format| format != "colour"));
    let each = fields
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::values);
    let any = fields.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    each.chain(any).chain(fields.get("items")).try_for_each(check_schema)
}

/// Every parameter over the whole of OpenAI's range.
fn parameters() -> impl Strategy<Value = Parameters> {
    (
        optional(vec![json!(0), json!(0.7), json!(2)]),
        optional(vec![json!(0), json!(1)]),
        optional(vec![json!(1), json!(1024), json!(2048), json!(100_000)]),
        optional(
            ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
                .map(Value::from)
                .to_vec(),
        ),
        optional(vec![json!("END"), json!(["a", "b", "c", "d"])]),
        optional(vec![json!(i64::MAX), json!(-1)]),
        optional(vec![json!(2), json!(-2)]),
        optional(vec![json!("u"), json!("jane@example.com"), json!("x".repeat(300))]),
        schema(),
    )
        .prop_map(|(temperature, top_p, max_tokens, effort, stop, seed, penalty, user, format)| {
            let body = json!({"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens,
                "reasoning_effort": effort, "stop": stop, "seed": seed, "presence_penalty": penalty, "user": user, "response_format": format});
            Parameters::read(|name| body.get(name)).unwrap()
        })
}

fn encode(model: &str, messages: Vec<Message>, parameters: Parameters) -> Result<Value, TestCaseError> {
    let model = choose(model, None, None).unwrap();
    let prompt = Prompt {
        messages: messages.into(),
        parameters,
        own_messages: 0,
        show_reasoning: false,
        for_owner: false,
    };
    let encoded = Protocol::of(&model).encode(&prompt, &model, Learned::default());
    // A 400 of our own says what to do, and nothing is asked of the provider.
    encoded.map_err(|error| {
        assert_eq!(error.status(), 400, "{error}");
        TestCaseError::reject(error.to_string())
    })
}

/// A user's turn first and last, turns in alternation, none empty.
fn check_turns(turns: &Value, assistant: &str, blocks: &str) -> Result<(), TestCaseError> {
    let turns = turns.as_array().unwrap();
    let role = |turn: &Value| turn["role"].as_str().unwrap().to_owned();
    prop_assert!(role(&turns[0]) == "user" && role(turns.last().unwrap()) == "user");
    prop_assert!(turns.windows(2).all(|pair| role(&pair[0]) != role(&pair[1])));
    prop_assert!(turns.iter().all(|turn| role(turn) == "user" || role(turn) == assistant));
    for turn in turns {
        let blocks = turn[blocks].as_array().unwrap();
        prop_assert!(!blocks.is_empty());
        for block in blocks {
            prop_assert!(
                block
                    .get("text")
                    .is_none_or(|text| !text.as_str().unwrap().trim().is_empty())
            );
        }
    }
    Ok(())
}

fn within(value: &Value, min: f64, max: f64) -> bool {
    value.is_null() || value.as_f64().is_some_and(|value| (min..=max).contains(&value))
}

proptest! {
    /// "Messages" API reference, "Extended thinking", "Migration guide".
    #[test]
    fn anthropic(
        model in prop::sample::select(vec!["claude-3-haiku-20240307", "claude-sonnet-4-20250514", "claude-sonnet-4-5", "claude-sonnet-4-6", "claude-opus-5"]),
        messages in prop::collection::vec(message(), 1..8),
        parameters in parameters(),
    ) {
        let body = encode(model, messages, parameters)?;
        check_turns(&body["messages"], "assistant", "content")?;
        check_schema(&body["output_config"]["format"]["schema"])?;
        let user = body["metadata"]["user_id"].as_str().unwrap_or_default();
        prop_assert!(user.len() <= 256 && !user.contains('@'));
        prop_assert!(!body.to_string().contains("image/jpeg\",\"data\":\"iVBO"));
        prop_assert!(body.get("system").is_none_or(|system| !system.as_str().unwrap().trim().is_empty()));
        let max_tokens = body["max_tokens"].as_u64().unwrap();
        let most = match model {
            "claude-3-haiku-20240307" => 4096,
            "claude-sonnet-4-20250514" | "claude-sonnet-4-5" => 64_000,
            _ => 128_000,
        };
        prop_assert!((1..=most).contains(&max_tokens));
        prop_assert!(within(&body["temperature"], 0.0, 1.0) && within(&body["top_p"], 0.0, 1.0));
        let sampled = body.get("temperature").is_some() || body.get("top_p").is_some();
        if let Some(thinking) = body.get("thinking") {
            prop_assert!(!sampled);
            if let Some(budget) = thinking["budget_tokens"].as_u64() {
                prop_assert!((1024..max_tokens).contains(&budget));
            }
        }
        prop_assert!(model != "claude-opus-5" || !sampled);
        let both = body.get("temperature").is_some() && body.get("top_p").is_some();
        prop_assert!(!both || model < "claude-sonnet-4-5");
        prop_assert!(body.get("stop_sequences").is_none_or(Value::is_array));
    }

    /// "Converse" API reference: ContentBlock, InferenceConfiguration.
    #[test]
    fn bedrock(
        model in prop::sample::select(vec!["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-pro-v1:0", "amazon.titan-text-express-v1", "openai.gpt-oss-20b-1:0"]),
        messages in prop::collection::vec(message(), 1..8),
        parameters in parameters(),
    ) {
        let body = encode(&format!("bedrock/{model}"), messages, parameters)?;
        let schema = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"].as_str();
        if let Some(schema) = schema.filter(|_| model.contains("claude")) {
            check_schema(&serde_json::from_str(schema).unwrap())?;
        }
        check_turns(&body["messages"], "assistant", "content")?;
        for text in body["system"].as_array().into_iter().flatten() {
            prop_assert!(!text["text"].as_str().unwrap().trim().is_empty());
        }
        prop_assert!(!model.contains("titan") || body.get("system").is_none());
        let config = &body["inferenceConfig"];
        prop_assert!(within(&config["temperature"], 0.0, 1.0) && within(&config["topP"], 0.0, 1.0));
        prop_assert!(config["stopSequences"].is_null() || config["stopSequences"].is_array());
        prop_assert!(!model.contains("claude") || config["maxTokens"].as_u64() <= Some(64_000));
        if let Some(budget) = body["additionalModelRequestFields"]["thinking"]["budget_tokens"].as_u64() {
            prop_assert!((1024..config["maxTokens"].as_u64().unwrap()).contains(&budget));
        }
    }

    /// "Gemini API reference": Content, GenerationConfig; "Thinking".
    #[test]
    fn gemini(
        model in prop::sample::select(vec!["gemini-2.0-flash", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-pro-preview", "gemma-3-27b-it"]),
        messages in prop::collection::vec(message(), 1..8),
        parameters in parameters(),
    ) {
        let body = encode(model, messages, parameters)?;
        check_turns(&body["contents"], "model", "parts")?;
        prop_assert!(!model.starts_with("gemma") || body.get("systemInstruction").is_none());
        let config = &body["generationConfig"];
        prop_assert!(within(&config["temperature"], 0.0, 2.0) && within(&config["topP"], 0.0, 1.0));
        prop_assert!(within(&config["presencePenalty"], -2.0, 1.99));
        prop_assert!(within(&config["seed"], i32::MIN.into(), i32::MAX.into()));
        prop_assert!(!model.starts_with("gemini-2.") || within(&config["maxOutputTokens"], 1.0, 65_536.0));
        let thinking = &config["thinkingConfig"];
        prop_assert!(thinking["thinkingBudget"].is_null() || thinking["thinkingLevel"].is_null());
        let least = if model.contains("pro") { 128.0 } else { 0.0 };
        prop_assert!(within(&thinking["thinkingBudget"], least, 24_576.0));
    }
}
