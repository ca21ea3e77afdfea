//! A prompt's messages in the order that a model's server takes: a system prompt of its own, then turns.

use crate::{
    chat::message::{Message, Part, Role},
    provider::capabilities::{Capabilities, Order},
};

/// What a user says where OpenAI needs no user's turn and others do: a conversation begins with one, and models such as
/// Claude from 4.6 on reject a conversation that ends with the assistant's.
const SILENT_TURN: &str = "Continue.";

/// All system messages, and the turns between user and assistant.
#[derive(Debug, PartialEq)]
pub(super) struct Conversation<'a> {
    /// In their order, none blank.
    pub system: Vec<&'a str>,
    /// In the order that the server takes.
    pub turns: Vec<Turn<'a>>,
}

/// What one side says in one go.
#[derive(Debug, PartialEq)]
pub(super) struct Turn<'a> {
    /// Never [`Role::System`].
    pub role: Role,
    /// The participant's name, where one is given.
    pub name: Option<&'a str>,
    /// The index of the message that the turn was made of, if it was one.
    pub from: Option<usize>,
    /// In their order, no text blank. Empty only where [`Order::Alternating`] is not asked for, and in users' turns only.
    pub pieces: Vec<Piece<'a>>,
}

/// A piece of a turn, as it stands in the message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Piece<'a> {
    /// Text.
    Text(&'a str),
    /// An image.
    Image {
        /// `https:`, `http:` or `data:`.
        url: &'a str,
        /// `low`, `high` or `auto`.
        detail: Option<&'a str>,
    },
}

impl<'a> Conversation<'a> {
    /// Sorts messages as the model's server takes them. Where a model has no place for a system prompt, the first turn begins
    /// with it.
    pub(super) fn of(messages: &'a [Message], capabilities: &Capabilities) -> Self {
        let alternates = capabilities.order == Order::Alternating;
        let mut system = Vec::new();
        let mut turns: Vec<Turn> = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            let mut pieces: Vec<_> = message
                .parts
                .iter()
                .filter(|part| !part.is_blank())
                .map(Piece::of)
                .collect();
            let name = message.name.as_deref();
            match (message.role, turns.last_mut()) {
                (Role::System, _) => system.extend(pieces.iter().filter_map(text)),
                (role, _) if pieces.is_empty() && (alternates || role == Role::Assistant) => {}
                (role, Some(turn)) if alternates && turn.role == role => {
                    turn.pieces.append(&mut pieces);
                    turn.name = turn.name.filter(|first| name == Some(first));
                    turn.from = None;
                }
                (role, _) => turns.push(Turn {
                    role,
                    name,
                    from: Some(at),
                    pieces,
                }),
            }
        }
        let is_assistants = |turn: &Turn| turn.role == Role::Assistant;
        if alternates && turns.first().is_none_or(is_assistants) {
            turns.insert(0, silent_turn());
        }
        if alternates && turns.last().is_some_and(is_assistants) {
            turns.push(silent_turn());
        }
        if !capabilities.system && !system.is_empty() {
            if turns.first().is_none_or(is_assistants) {
                turns.insert(0, silent_turn());
            }
            turns[0].pieces.splice(0..0, system.drain(..).map(Piece::Text));
            turns[0].from = None;
        }
        Self { system, turns }
    }
}

fn silent_turn<'a>() -> Turn<'a> {
    Turn {
        role: Role::User,
        name: None,
        from: None,
        pieces: vec![Piece::Text(SILENT_TURN)],
    }
}

impl<'a> Piece<'a> {
    pub(super) fn of(part: &'a Part) -> Self {
        match part {
            Part::Text(text) => Self::Text(text),
            Part::Image { url, detail } => Self::Image {
                url,
                detail: detail.as_deref(),
            },
        }
    }
}

fn text<'a>(piece: &Piece<'a>) -> Option<&'a str> {
    match piece {
        Piece::Text(text) => Some(text),
        Piece::Image { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::choose;

    /// A conversation as `role: text` lines, the system prompt first.
    fn lines(messages: &[(Role, &str)], model: &str, change: impl Fn(&mut Capabilities)) -> Vec<String> {
        let messages: Vec<_> = messages
            .iter()
            .map(|(role, text)| Message::text(*role, *text))
            .collect();
        let mut capabilities = Capabilities::of(&choose(model, None, None).unwrap());
        change(&mut capabilities);
        let conversation = Conversation::of(&messages, &capabilities);
        let system = conversation.system.iter().map(|text| format!("system: {text}"));
        let turns = conversation.turns.iter().map(|turn| {
            let texts: Vec<_> = turn.pieces.iter().filter_map(text).collect();
            format!("{}: {}", turn.role.as_str(), texts.join(" + "))
        });
        system.chain(turns).collect()
    }

    const ALTERNATING: [&str; 5] = [
        "user: Continue.",
        "assistant: Hello!",
        "user: One + two",
        "assistant: Three",
        "user: Continue.",
    ];

    const MESSAGES: [(Role, &str); 7] = [
        (Role::System, "Be brief."),
        (Role::Assistant, "Hello!"),
        (Role::User, "One"),
        (Role::User, "two"),
        (Role::Assistant, ""),
        (Role::System, "Be kind."),
        (Role::Assistant, "Three"),
    ];

    #[test]
    fn messages_go_in_the_order_that_a_server_takes() {
        let system = ["system: Be brief.", "system: Be kind."];
        for (model, expected) in [
            (
                "gpt-4o",
                &["assistant: Hello!", "user: One", "user: two", "assistant: Three"][..],
            ),
            ("groq/any", &ALTERNATING),
            ("mistral/any", &ALTERNATING),
            ("claude-opus-5", &ALTERNATING),
        ] {
            assert_eq!(
                lines(&MESSAGES, model, |_| {}),
                [&system[..], expected].concat(),
                "{model}"
            );
        }
    }

    #[test]
    fn a_conversation_without_turns_has_one_where_it_must() {
        let only_system = [(Role::System, "Be brief.")];
        assert_eq!(lines(&only_system, "gpt-4o", |_| {}), ["system: Be brief."]);
        for model in ["groq/any", "mistral/any", "claude-opus-5"] {
            assert_eq!(
                lines(&only_system, model, |_| {}),
                ["system: Be brief.", "user: Continue."],
                "{model}"
            );
        }
        let blank = [(Role::User, " \u{1c}\n")];
        assert_eq!(lines(&blank, "gpt-4o", |_| {}), ["user: "]);
        assert_eq!(lines(&blank, "claude-opus-5", |_| {}), ["user: Continue."]);
    }

    #[test]
    fn a_system_prompt_without_a_place_begins_the_first_turn() {
        let without_system = |capabilities: &mut Capabilities| capabilities.system = false;
        assert_eq!(
            lines(&MESSAGES[..2], "claude-opus-5", without_system),
            ["user: Be brief. + Continue.", "assistant: Hello!", "user: Continue."]
        );
        assert_eq!(
            lines(&MESSAGES[..3], "gpt-4o", without_system),
            ["user: Be brief. + Continue.", "assistant: Hello!", "user: One"]
        );
        assert_eq!(
            lines(&[MESSAGES[2], MESSAGES[0]], "groq/any", without_system),
            ["user: Be brief. + One"]
        );
    }
}
