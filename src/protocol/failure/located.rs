//! Finds the field at fault in the caller's own body, and with it the reason.

use serde_json::Value;

use crate::{
    chat::{
        message::{Message, Part},
        parameters::Parameter,
        prompt::Prompt,
    },
    error::{Failure, ProviderError, Reason},
    protocol::{
        Protocol,
        conversation::Conversation,
        names::{Named, says_unsupported},
    },
    provider::capabilities::Capabilities,
};

/// Sets the rejection's field, and its reason if nothing else tells it.
///
/// The field's name is a path in the caller's body, made of our own names and of keys that the caller sent, cut to its deepest
/// part that is there. An assistant's own setting or message has no field, nor has an uncertain place.
pub(crate) fn locate(error: &mut ProviderError, prompt: &Prompt, protocol: Protocol, capabilities: &Capabilities) {
    let ProviderError {
        failure: Failure::Rejected(rejected),
        words,
        ..
    } = error
    else {
        return;
    };
    let text = words.text();
    // Anthropic and others begin a message with the path: `messages.0.content.1.image.source.base64: …`.
    let path = words.param().or_else(|| {
        let (path, _) = text.split_once(": ")?;
        (!path.contains(' ')).then_some(path)
    });
    let located = path.and_then(|path| by_path(path, prompt, protocol, capabilities));
    let located = located.or_else(|| by_name(text, prompt));
    if rejected.reason == Reason::Other {
        rejected.reason = match &located {
            Some(Located { is_image: true, .. }) => Reason::Image,
            Some(_) if says_unsupported(text) => Reason::Parameter,
            Some(_) => Reason::Value,
            None => Reason::Other,
        };
    }
    if rejected.reason != Reason::ContextLength {
        rejected.field = located.map(|located| located.path);
    }
}

struct Located {
    path: String,
    is_image: bool,
}

fn by_path(path: &str, prompt: &Prompt, protocol: Protocol, capabilities: &Capabilities) -> Option<Located> {
    let segments: Vec<_> = path
        .split(['.', '[', ']', '\'', '"', '/'])
        .filter(|segment| !segment.is_empty())
        .collect();
    let mut named = segments.iter().enumerate();
    let (at, named) = named.find_map(|(at, segment)| Some((at, Named::of(segment)?)))?;
    let rest = &segments[at + 1..];
    match named {
        Named::Parameter(parameter) => in_parameter(parameter, rest, prompt),
        Named::Messages => {
            let (index, rest) = rest.split_first()?;
            let is_kept = protocol == Protocol::OpenAi && capabilities.keeps_messages();
            let sent = index.parse().ok()?;
            let index = if is_kept {
                sent
            } else {
                message_index(sent, prompt, protocol, capabilities)?
            };
            let own = index.checked_sub(prompt.own_messages)?;
            Some(in_message(own, prompt.messages.get(index)?, rest, is_kept))
        }
        Named::Stream | Named::StreamOptions => None,
    }
}

/// The one parameter of the caller's that a text names.
fn by_name(text: &str, prompt: &Prompt) -> Option<Located> {
    let mut named: Vec<_> = Named::all_in(text)
        .into_iter()
        .filter_map(|named| match named {
            Named::Parameter(parameter) => Some(parameter),
            _ => None,
        })
        .collect();
    named.sort_unstable();
    named.dedup();
    match named[..] {
        [parameter] => in_parameter(parameter, &[], prompt),
        _ => None,
    }
}

fn in_parameter(parameter: Parameter, rest: &[&str], prompt: &Prompt) -> Option<Located> {
    let (name, value) = prompt.parameters.own(parameter)?;
    let mut starts = vec![(name.to_owned(), value)];
    if parameter == Parameter::ResponseFormat {
        // Providers have the schema at other places.
        for step in ["json_schema", "schema"] {
            let (path, outer) = &starts[starts.len() - 1];
            if let Some(inner) = outer.get(step) {
                starts.push((format!("{path}.{step}"), inner));
            }
        }
    }
    let fits = |(_, value): &&(String, &Value)| rest.first().is_some_and(|key| value.get(key).is_some());
    let (path, value) = starts.iter().find(fits).or(starts.first())?;
    Some(Located {
        path: descended(path, value, rest),
        is_image: false,
    })
}

/// The path with as many of the segments as the value has.
fn descended(path: &str, value: &Value, rest: &[&str]) -> String {
    let (mut path, mut value) = (path.to_owned(), value);
    for segment in rest {
        let index = segment.parse::<usize>().ok().filter(|_| value.is_array());
        let inner = match index {
            Some(index) => value.get(index),
            None => value.get(segment),
        };
        let Some(inner) = inner else { break };
        path = match index {
            Some(index) => format!("{path}[{index}]"),
            None => format!("{path}.{segment}"),
        };
        value = inner;
    }
    path
}

/// The prompt's message that went as the provider's one at `sent`; `None` if that was made of several or of none.
fn message_index(sent: usize, prompt: &Prompt, protocol: Protocol, capabilities: &Capabilities) -> Option<usize> {
    let Conversation { system, turns } = Conversation::of(&prompt.messages, capabilities);
    let before = usize::from(protocol == Protocol::OpenAi && !system.is_empty());
    turns.get(sent.checked_sub(before)?)?.from
}

/// A place in a message. A message of one text may have been sent as a string, so only its `content` is certain.
fn in_message(index: usize, message: &Message, rest: &[&str], with_blanks: bool) -> Located {
    let mut path = format!("messages[{index}]");
    let mut part = None;
    match rest {
        ["content" | "parts", rest @ ..] => {
            path.push_str(".content");
            let at = rest.first().and_then(|at| at.parse::<usize>().ok());
            let is_list =
                message.parts.len() > 1 || message.parts.iter().any(|part| matches!(part, Part::Image { .. }));
            if let Some(at) = at.filter(|_| is_list) {
                let parts = message.parts.iter().enumerate();
                let mut sent = parts.filter(|(_, part)| with_blanks || !part.is_blank());
                part = sent.nth(at);
            }
            if let Some((at, part)) = part {
                path.extend(["[", &at.to_string(), "]"]);
                path.push_str(match part {
                    Part::Image { .. } => ".image_url",
                    Part::Text(_) => "",
                });
            }
        }
        [field @ ("role" | "name"), ..] => path.extend([".", *field]),
        _ => {}
    }
    Located {
        path,
        is_image: matches!(part, Some((_, Part::Image { .. }))),
    }
}

#[cfg(test)]
mod tests;
