//! Words of providers' beside prompts in the same language: none is withheld by chance, and each quotation is.

use super::*;

const ENGLISH: [&str; 12] = [
    "You are a helpful assistant of the Alpine Shop. Answer questions about orders, returns and delivery. If a feature is not supported by our shop, say so politely and offer an alternative. Never reveal the purchase price.",
    "You are an expert in databases. The maximum length of the answer is 200 words. Use at most three examples. If the request is invalid, explain why and please try again with other words.",
    "Act as a travel agent. You cannot look at web sites. Only text is supported, so if the user sends an image, say that images are not supported here.",
    "You translate English to French. Keep the meaning. If the input is too long, ask the user to send fewer words. Do not answer anything else.",
    "You are the support bot of Acme Cloud. Explain API errors: a rate limit was exceeded, the API key is invalid, or the model does not exist. Point to the documentation for more information.",
    "Summarise the conversation in one paragraph. The messages must be treated as confidential. The system must not mention tokens or the context.",
    "You check contracts for a law firm. All values must be between the limits that the contract states. List each invalid value together with the field that it belongs to.",
    "You help developers with JSON schemas. The field name is required, and unknown properties are an error. Reply with valid JSON only.",
    "You are a math tutor for children. The number must be a positive integer. Please check the input, and begin again if the result is wrong.",
    "You are Max. Be brief. Say that the service is temporarily unavailable when you cannot answer. Contact support at the desk on floor two.",
    "Rate each image by its quality. The image must be at least 100 pixels wide. The following formats are supported: png, jpeg and webp.",
    "Speak like a pirate. Never use the word temperature. The user may ask for more than one story at once; the maximum is two per request.",
];
const ENGLISH_WORDS: [&str; 24] = [
    "Unsupported parameter: 'temperature' is not supported with this model.",
    "max_tokens is too large: 100000. This model supports at most 4096 completion tokens, whereas you provided 100000.",
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages.",
    "Invalid value: 'robot'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
    "Invalid image URL. The URL must be a valid HTTP or HTTPS URL, or a data URL with base64 encoding.",
    "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
    "messages: at least one message is required",
    "messages: roles must alternate between \"user\" and \"assistant\", but found multiple \"user\" roles in a row",
    "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5",
    "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Malformed input request: #/maxTokens: 5000 is not less or equal to 4096, please reformat your input and try again.",
    "This model doesn't support the image content block that you provided. Update your request to use a supported content block and try again.",
    "Conversation roles must alternate user/assistant/user/assistant/...",
    "Additional properties are not allowed ('strict' was unexpected) - 'response_format.json_schema'",
    "Failed to parse the request body as JSON: messages[0]: invalid type: integer `5`, expected a string at line 1 column 40",
    "1 validation error for ChatCompletionRequest\nmessages\n  Field required [type=missing, input_type=dict]",
    "`top_logprobs` must be between 0 and 20. Please check the parameter and try again.",
    "Your request was rejected as a result of our safety system. If you believe this is an error, contact us at help.openai.com.",
    "The model `gpt-9` does not exist or you do not have access to it.",
    "invalid_request: image size must be one of 14, 28, 42, 56, 70, 84, 98, 112, 126, 140, 154, 168, 182, 196, 210, 224, 238, 252, 266, 280, 294, 308, 322, 336, 350",
    "Malformed input: #/messages/0/content/1/image/source/bytes/properties/additionalProperties/inferenceConfig2 is unknown",
];
const GERMAN: [&str; 6] = [
    "Du bist der freundliche Helfer des Reisebüros Alpenblick. Die maximale Länge der Antwort ist 200 Wörter. Wenn etwas nicht unterstützt wird, sag es höflich. Verrate niemals den Einkaufspreis.",
    "Du beantwortest Fragen zu Bestellungen. Wenn ein Wunsch von unserem Laden nicht unterstützt wird, nenne eine Alternative. Der Wert der Gutscheine muss zwischen 5 und 50 liegen.",
    "Sie sind ein Assistent für Steuerfragen. Die Anfrage ist ungültig, wenn sie keine Jahreszahl enthält. Bitte überprüfen Sie die Eingabe und antworten Sie knapp.",
    "Fasse den Text zusammen. Die Anzahl der Sätze darf drei nicht überschreiten. Bilder werden nicht unterstützt, darum bitte um Text.",
    "Du hilfst Entwicklern. Erkläre ihnen, welcher Parameter nicht zulässig ist und welche Werte erlaubt sind. Das Modell nennt nie seinen Namen.",
    "Antworte immer auf Deutsch. Versuchen Sie nicht, Witze zu machen. Wenn der Dienst nicht erreichbar ist, verweise auf morgen.",
];
const GERMAN_WORDS: [&str; 10] = [
    "Die maximale Länge der Eingabe wurde überschritten: 32768 Token.",
    "Der Parameter 'temperature' wird nicht unterstützt.",
    "Der Parameter 'temperature' wird von diesem Modell nicht unterstützt.",
    "Bilder werden von diesem Modell nicht unterstützt.",
    "Der Wert von top_p muss zwischen 0 und 1 liegen.",
    "Ungültige Anfrage: Das Feld messages fehlt.",
    "Die Anfrage ist ungültig. Bitte überprüfen Sie die Parameter und versuchen Sie es erneut.",
    "Die Anzahl der Bilder darf 10 nicht überschreiten.",
    "Das Modell unterstützt höchstens 4096 Token.",
    "Der Inhalt der Nachricht darf nicht leer sein.",
];
const CHINESE: [&str; 6] = [
    "你是阿尔派商店的客服助手。回答关于订单、退货和配送的问题。如果我们不支持该功能，请礼貌地说明。绝不要透露进货价格。",
    "你是一名数据库专家。回答的最大长度为两百字。如果用户的请求不正确，请检查后重新提问。不要编造答案。",
    "你是旅行顾问。你不支持图片输入，如果用户发送图片，请让他用文字描述。输入长度超过限制时请用户缩短内容。",
    "把用户的话翻译成英语。参数必须在规定范围内。如果内容包含敏感信息，请拒绝回答并说明原因。",
    "你帮助开发者使用接口。说明哪些参数不正确，模型的最大长度是多少，以及如何重新输入。",
    "请始终使用中文回答。该模型不会透露自己的名称，请求失败时请稍后再试。",
];
const CHINESE_WORDS: [&str; 10] = [
    "输入长度超过模型的最大长度限制:32768，请缩短输入内容。",
    "请求的参数不正确,请检查后重新输入",
    "该模型不支持图片输入",
    "当前模型不支持参数 'temperature',请移除后重试",
    "参数 temperature 的值无效，必须在 0 和 2 之间。",
    "messages 参数非法。请检查文档。",
    "输入内容包含敏感信息，请修改后重试。",
    "模型不存在，请检查模型名称。",
    "系统检测到输入或生成内容可能包含不安全或敏感内容，请您避免输入易产生敏感内容的提示语。",
    "max_tokens 参数超过模型的最大输出长度 8192",
];
const JAPANESE: [&str; 4] = [
    "あなたは旅行代理店のアシスタントです。この形式はサポートされていませんと言われた場合は、別の形式を提案してください。仕入れ価格は決して教えないでください。",
    "あなたはデータベースの専門家です。回答の最大の長さは二百文字です。入力が無効な場合は、もう一度入力するように頼んでください。",
    "画像は見ることができません。ユーザーが画像を送信した場合は、文章で説明するように頼んでください。",
    "必ず日本語で答えてください。パラメータの値を説明し、エラーが発生した場合は確認してください。",
];
const JAPANESE_WORDS: [&str; 6] = [
    "この画像形式はサポートされていません。PNG または JPEG を使用してください。",
    "入力が最大長を超えています。入力を短くしてください。",
    "パラメータ temperature の値が無効です。0 から 2 の範囲で指定してください。",
    "このモデルは画像入力をサポートしていません。",
    "リクエストの形式が正しくありません。確認してもう一度お試しください。",
    "モデルが見つかりません。モデル名を確認してください。",
];

const LANGUAGES: [(&[&str], &[&str]); 4] = [
    (&ENGLISH, &ENGLISH_WORDS),
    (&GERMAN, &GERMAN_WORDS),
    (&CHINESE, &CHINESE_WORDS),
    (&JAPANESE, &JAPANESE_WORDS),
];

#[test]
fn no_message_is_withheld_by_chance() {
    let mut withheld = Vec::new();
    for (prompts, messages) in LANGUAGES {
        for prompt in prompts {
            let confidential = with_system(KEY, prompt);
            let hidden = messages
                .iter()
                .filter(|message| shown_by(&confidential, message) != **message);
            withheld.extend(hidden.map(|message| (*message, *prompt)));
        }
    }
    assert!(withheld.is_empty(), "{withheld:#?}");
}

#[test]
fn each_quotation_is_found() {
    let is_ideograph = |one: char| u32::from(one) >= 0x3000 && one.is_alphabetic();
    for (prompts, _) in LANGUAGES {
        for prompt in prompts {
            let confidential = with_system(KEY, prompt);
            let sentences = prompt
                .split_inclusive(['.', '。'])
                .map(str::trim)
                .filter(|one| one.len() > 16);
            let words: Vec<_> = prompt.split(' ').collect();
            let six = words.windows(6).map(|six| six.join(" "));
            let characters: Vec<_> = prompt.chars().collect();
            // Kana say less.
            let length = if prompt.contains('は') { 24 } else { 12 };
            let several = characters
                .windows(length)
                .filter(|several| several.iter().all(|one| is_ideograph(*one)))
                .map(|several| several.iter().collect());
            for quoted in sentences.map(str::to_owned).chain(six).chain(several) {
                let message = format!("Invalid text: \"{quoted}\" at messages[0]");
                assert_eq!(shown_by(&confidential, &message), WITHHELD, "{quoted}");
            }
        }
    }
}

#[test]
fn words_with_labels_between_them_are_found() {
    const PROMPT: &str = "You are Bob, a pirate of the company Acme. Never tell anybody about the gold of Zurich, nor that the discount for members is forty percent.";
    let chinese: String = CHINESE[0].chars().filter(|one| one.is_alphabetic()).collect();
    let confidential = with_system(KEY, PROMPT);
    let words: Vec<_> = PROMPT.split(' ').map(|word| word.trim_matches([',', '.'])).collect();
    let each = |form: fn((usize, &&str)) -> String| words.iter().enumerate().map(form).collect::<Vec<_>>();
    let pairs: Vec<_> = words
        .chunks(2)
        .map(|pair| format!("content: {}", pair.join(" ")))
        .collect();
    for quoted in [
        each(|(at, word)| format!("{{\"token\": \"{word}\", \"id\": {at}}}")).join(", "),
        each(|(_, word)| format!("{{\"token\": \"{word}\", \"logprob\": -0.1}}")).join(", "),
        each(|(_, word)| format!("Token(text='{word}', type=str)")).join(", "),
        each(|(_, word)| format!("<w>{word}</w>")).concat(),
        each(|(_, word)| format!("<span class=\"t\">{word}</span> ")).concat(),
        each(|(at, word)| format!("{at} | {word} | str")).join("\n"),
        pairs.join("\n"),
        PROMPT.replace("tell", "***").replace("gold", "***"),
    ] {
        assert_eq!(shown_by(&confidential, &quoted), WITHHELD, "{quoted}");
    }
    let tokens: Vec<_> = chinese.chars().map(|one| format!("{{\"token\": \"{one}\"}}")).collect();
    assert_eq!(shown_by(&with_system(KEY, CHINESE[0]), &tokens.join(", ")), WITHHELD);
}

/// What a caller asks is no reason to send them a 400 for what the owner set.
#[test]
fn words_about_rejections_are_no_quotation_of_them() {
    for (user, message) in [
        ("Which feature is not supported by your shop?", ENGLISH_WORDS[0]),
        ("Which model supports at most ten users?", ENGLISH_WORDS[1]),
        (
            "Why is the system role not supported by Gemma?",
            "System role not supported",
        ),
        ("这个模型不支持参数怎么办?", CHINESE_WORDS[3]),
        (
            "My phone says: remove temperature sensor and try again.",
            "This model doesn't support the temperature field. Remove temperature and try again.",
        ),
    ] {
        let confidential = Confidential::new(None, Arc::new(vec![Message::text(Role::User, user)]), None);
        assert!(!confidential.is_quoted_in(message), "{user}");
    }
}
