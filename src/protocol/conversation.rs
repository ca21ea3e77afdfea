//! A prompt's messages for providers that are stricter than OpenAI: a system prompt of its own, then turns in
//! alternation, a user's first and last, none of them blank.

use crate::chat::message::{Message, Part, Role};

/// What a user says where OpenAI needs no user's turn and the others do: a conversation begins with one, and models
/// such as Claude from 4.6 on turn down a conversation that ends with the assistant's.
const SILENT_TURN: &str = "Continue.";

/// All system messages, and the turns between user and assistant.
#[derive(Debug, PartialEq)]
pub(super) struct Conversation<'a> {
    /// In their order, none blank.
    pub system: Vec<&'a str>,
    /// At least one.
    pub turns: Vec<Turn<'a>>,
}

/// What one side says in one go, never empty.
#[derive(Debug, PartialEq)]
pub(super) struct Turn<'a> {
    /// Never [`Role::System`].
    pub role: Role,
    /// In their order, no text blank.
    pub pieces: Vec<Piece<'a>>,
}

/// A [`Part`] that says something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Piece<'a> {
    /// Not blank.
    Text(&'a str),
    /// `https:`, `http:` or `data:`.
    Image(&'a str),
}

impl<'a> Conversation<'a> {
    /// Sorts messages. Where a model has no place for a system prompt, the first turn begins with it.
    pub(super) fn of(messages: &'a [Message], takes_system: bool) -> Self {
        let mut system = Vec::new();
        let mut turns: Vec<Turn> = Vec::new();
        for message in messages {
            let mut pieces: Vec<_> = message.parts.iter().filter_map(piece).collect();
            match (message.role, turns.last_mut()) {
                _ if pieces.is_empty() => {}
                (Role::System, _) => system.extend(pieces.iter().filter_map(text)),
                (role, Some(turn)) if turn.role == role => turn.pieces.append(&mut pieces),
                (role, _) => turns.push(Turn { role, pieces }),
            }
        }
        let silent = || Turn {
            role: Role::User,
            pieces: vec![Piece::Text(SILENT_TURN)],
        };
        if turns.first().is_none_or(|turn| turn.role == Role::Assistant) {
            turns.insert(0, silent());
        }
        if turns.last().is_some_and(|turn| turn.role == Role::Assistant) {
            turns.push(silent());
        }
        if !takes_system && let Some(first) = turns.first_mut() {
            first.pieces.splice(0..0, system.drain(..).map(Piece::Text));
        }
        Self { system, turns }
    }
}

fn piece(part: &Part) -> Option<Piece<'_>> {
    match part {
        // Python's blanks, by which providers go, have some control characters among them.
        Part::Text(text) if text.chars().all(|one| one.is_whitespace() || one.is_control()) => None,
        Part::Text(text) => Some(Piece::Text(text)),
        Part::Image { url, .. } => Some(Piece::Image(url)),
    }
}

fn text<'a>(piece: &Piece<'a>) -> Option<&'a str> {
    match piece {
        Piece::Text(text) => Some(text),
        Piece::Image(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_prompt_without_a_place_begins_the_first_turn() {
        let messages = [
            Message::text(Role::System, "Be brief."),
            Message::text(Role::Assistant, "Hello!"),
            Message::text(Role::User, " \u{1c}\n"),
        ];
        let conversation = Conversation::of(&messages, false);
        assert!(conversation.system.is_empty());
        let texts: Vec<_> = conversation.turns.iter().map(|turn| turn.pieces.clone()).collect();
        assert_eq!(
            texts,
            [
                vec![Piece::Text("Be brief."), Piece::Text(SILENT_TURN)],
                vec![Piece::Text("Hello!")],
                vec![Piece::Text(SILENT_TURN)],
            ]
        );
    }
}
