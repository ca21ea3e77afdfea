//! What is known of a model from its errors, and what follows for the next request.

use crate::{
    chat::{
        parameters::{Parameter, ParameterSet},
        prompt::Prompt,
    },
    provider::capabilities::{Capabilities, Order},
};

/// One thing that a model's error says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// The model does not take this parameter.
    Omit(Parameter),
    /// The model wants the token limit by its newer name, `max_completion_tokens`.
    NewerTokenLimit,
    /// The server does not know `stream_options`.
    OmitStreamOptions,
    /// The most tokens that an answer of this model can have.
    MaxOutput(u64),
    /// The model has no place for a system prompt.
    NoSystem,
    /// User and assistant have to take turns.
    Alternate,
}

/// All that a model's errors said about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a lesson of its own")]
pub struct Learned {
    omitted: ParameterSet,
    /// Whether the token limit goes as `max_completion_tokens`. Only servers that speak OpenAI's API ask for it.
    pub newer_token_limit: bool,
    /// Whether `stream_options` is left out. Only servers that speak OpenAI's API get it.
    pub omits_stream_options: bool,
    max_output: Option<u64>,
    has_no_system: bool,
    alternates: bool,
}

impl Learned {
    /// Adds a lesson; whether it says something new.
    pub fn add(&mut self, lesson: Lesson) -> bool {
        match lesson {
            Lesson::Omit(parameter) => self.omitted.insert(parameter),
            Lesson::NewerTokenLimit => !std::mem::replace(&mut self.newer_token_limit, true),
            Lesson::OmitStreamOptions => !std::mem::replace(&mut self.omits_stream_options, true),
            Lesson::NoSystem => !std::mem::replace(&mut self.has_no_system, true),
            Lesson::Alternate => !std::mem::replace(&mut self.alternates, true),
            Lesson::MaxOutput(limit) => {
                let is_new = self.max_output.is_none_or(|known| limit < known);
                if is_new {
                    self.max_output = Some(limit);
                }
                is_new
            }
        }
    }

    /// A prompt without what the model does not take. Encoders see only this, so that none of them can send it.
    pub fn without_omitted(&self, prompt: &Prompt) -> Prompt {
        Prompt {
            messages: prompt.messages.clone(),
            parameters: prompt.parameters.without(self.omitted),
            // A model that rejects the fields for thinking cannot be asked to show its thinking either.
            show_reasoning: prompt.show_reasoning && !self.omitted.contains(Parameter::ReasoningEffort),
        }
    }

    /// A model's capabilities with what was learned of them: the lower limit of the one that the tables know and the one that
    /// the model stated, and the stricter order of messages.
    pub fn apply(&self, capabilities: Capabilities) -> Capabilities {
        let stated = self.max_output;
        Capabilities {
            max_output: stated
                .map(|limit| capabilities.at_most(limit))
                .or(capabilities.max_output),
            system: capabilities.system && !self.has_no_system,
            order: if self.alternates {
                Order::Alternating
            } else {
                capabilities.order
            },
            ..capabilities
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_a_lesson() {
        let mut learned = Learned::default();
        for lesson in [
            Lesson::Omit(Parameter::Seed),
            Lesson::Omit(Parameter::TopP),
            Lesson::NewerTokenLimit,
            Lesson::OmitStreamOptions,
            Lesson::MaxOutput(4096),
            Lesson::NoSystem,
            Lesson::Alternate,
        ] {
            assert!(learned.add(lesson), "{lesson:?}");
            assert!(!learned.add(lesson), "{lesson:?}");
        }
        assert!(!learned.add(Lesson::MaxOutput(8192)) && learned.add(Lesson::MaxOutput(1024)));
    }
}
