//! The changes to a prompt that a model's rejections have taught.

use std::borrow::Cow;

use crate::{
    chat::{
        parameters::{Parameter, ParameterSet},
        prompt::Prompt,
    },
    provider::{Model, capabilities::Capabilities},
};

/// The parameters without which an answer has the same form: one that a model rejects is left out.
pub(crate) const HINTS: ParameterSet = ParameterSet::of(&[
    Parameter::Temperature,
    Parameter::TopP,
    Parameter::PresencePenalty,
    Parameter::FrequencyPenalty,
    Parameter::Seed,
    Parameter::ReasoningEffort,
    Parameter::Verbosity,
    Parameter::User,
    Parameter::SafetyIdentifier,
    Parameter::PromptCacheKey,
    Parameter::LogitBias,
]);

/// Changes to a prompt, for one request or for all of a model's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Learned {
    /// Hints that are left out.
    pub omitted: ParameterSet,
    /// Whether the answer is asked for in one piece.
    pub omits_stream: bool,
    /// Whether `stream_options` is left out. Only servers that speak OpenAI's API get it.
    pub omits_stream_options: bool,
    /// Whether the token limit goes by OpenAI's other name for it.
    pub other_token_limit: bool,
    /// The most tokens that an answer of the model can have.
    pub max_output: Option<u64>,
}

impl Learned {
    /// Returns the changes of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            omitted: self.omitted.and(other.omitted),
            omits_stream: self.omits_stream || other.omits_stream,
            omits_stream_options: self.omits_stream_options || other.omits_stream_options,
            other_token_limit: self.other_token_limit || other.other_token_limit,
            max_output: self.max_output.into_iter().chain(other.max_output).min(),
        }
    }

    /// The model as it is asked: without a stream if it may not be streamed.
    pub fn of_model<'a>(&self, model: &'a Model) -> Cow<'a, Model> {
        if !self.omits_stream || !model.streams {
            return Cow::Borrowed(model);
        }
        Cow::Owned(Model {
            streams: false,
            ..model.clone()
        })
    }

    /// The prompt without what is left out. Encoders see only this, so that none of them can send it.
    pub fn of_prompt(&self, prompt: &Prompt) -> Prompt {
        Prompt {
            messages: prompt.messages.clone(),
            parameters: prompt.parameters.without(self.omitted),
            // A model that rejects the fields for thinking cannot be asked to show its thinking either.
            show_reasoning: prompt.show_reasoning && !self.omitted.contains(Parameter::ReasoningEffort),
            ..*prompt
        }
    }

    /// The capabilities with the lower limit of the one that the tables have and the one that the model stated.
    pub fn of_capabilities(&self, capabilities: Capabilities) -> Capabilities {
        Capabilities {
            max_output: self
                .max_output
                .map(|limit| capabilities.at_most(limit))
                .or(capabilities.max_output),
            token_limit_field: match capabilities.token_limit_field {
                "max_tokens" if self.other_token_limit => "max_completion_tokens",
                _ if self.other_token_limit => "max_tokens",
                same => same,
            },
            ..capabilities
        }
    }
}
