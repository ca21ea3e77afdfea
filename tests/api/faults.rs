//! The fault matrix: whatever goes wrong at a provider, in each protocol and each reply form. `docs/faults.md` is its result.

use std::{collections::BTreeMap, fmt::Write};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, document, error_message, hello,
    provider::{Answer, FakeProvider},
    text_of,
    wire::Wire,
};

mod surroundings;
mod table;

/// How a reply ends for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    /// "Once upon" with `stop`.
    Whole,
    /// A status and a code, before anything else.
    Refused(u16, &'static str),
    /// 200 and "Once", then one error with this code and nothing more. Of a stream only.
    CutOff(&'static str),
}

/// What goes wrong, and what has to come of it.
pub struct Fault {
    /// The part of the answer in which it happens.
    pub place: &'static str,
    pub name: String,
    pub answer: Answer,
    pub buffered: Ends,
    pub streamed: Ends,
    /// How often the provider is called for a reply.
    pub calls: usize,
}

impl Fault {
    fn is_a_timeout(&self) -> bool {
        self.buffered == Ends::Refused(504, "provider_timeout")
    }
}

/// How many replies are under way at once.
const AT_ONCE: usize = 32;

async fn start(wire: Wire, faults: &[Fault], settings: &[(&str, &str)]) -> (TestApp, Vec<String>) {
    let answers: Vec<_> = faults.iter().map(|fault| fault.answer.clone()).collect();
    let provider = FakeProvider::seeing(move |request| {
        let model = wire.requested_model(request);
        answers[model.strip_prefix("fault-").unwrap().parse::<usize>().unwrap()].clone()
    });
    let app = wire.in_front_of(provider.await, settings).await;
    let mut tokens = Vec::new();
    for at in 0..faults.len() {
        let model = format!("{}/fault-{at}", wire.provider());
        tokens.push(app.assistant_with(json!({"type==agent/model": model})).await);
    }
    (app, tokens)
}

/// How a reply ended; panics where cut-off text looks complete or an error has not OpenAI's form.
fn ending(reply: &Reply, stream: bool) -> String {
    if reply.status != 200 {
        let code = reply.body()["error"]["code"].as_str().unwrap_or("null").to_owned();
        reply.error(reply.status.as_u16(), &code);
        return format!("{} `{code}`", reply.status.as_u16());
    }
    if !stream {
        let choice = &reply.json()["choices"][0];
        assert_eq!(choice["message"]["content"], "Once upon", "{}", reply.text);
        assert_eq!(choice["finish_reason"], "stop");
        return "the whole answer".into();
    }
    let events = reply.events();
    if reply.is_done() {
        assert_eq!(text_of(&events), "Once upon", "{}", reply.text);
        assert_eq!(reply.text.matches("\"finish_reason\":\"stop\"").count(), 1);
        return "the whole answer".into();
    }
    assert!(
        !reply.text.contains("[DONE]") && !reply.text.contains("\"stop\""),
        "{}",
        reply.text
    );
    let code = events.last().unwrap()["error"]["code"]
        .as_str()
        .unwrap_or("null")
        .to_owned();
    error_message(events.last().unwrap(), &code);
    assert!(text_of(&events).starts_with("Once"), "{}", reply.text);
    format!("error event `{code}`")
}

impl Ends {
    fn words(self) -> String {
        match self {
            Self::Whole => "the whole answer".into(),
            Self::Refused(status, code) => format!("{status} `{code}`"),
            Self::CutOff(code) => format!("error event `{code}`"),
        }
    }
}

/// Each cell of a protocol that is not as it has to be. Only where a timeout is expected is the limit short: elsewhere a busy
/// machine would be taken for a silent provider.
async fn red_cells(wire: Wire) -> Vec<String> {
    let (timeouts, others): (Vec<_>, Vec<_>) = table::faults(wire).into_iter().partition(Fault::is_a_timeout);
    let mut red = red_cells_of(wire, &timeouts, &[("PROVIDER_IDLE_TIMEOUT_SECONDS", "1")]).await;
    red.extend(red_cells_of(wire, &others, &[]).await);
    red
}

async fn red_cells_of(wire: Wire, faults: &[Fault], settings: &[(&str, &str)]) -> Vec<String> {
    let (app, tokens) = start(wire, faults, settings).await;
    let app = &app;
    let cells = faults.iter().zip(&tokens).flat_map(|(fault, token)| {
        [(false, fault.buffered), (true, fault.streamed)].map(|(stream, expected)| async move {
            let reply = app.chat(token, &hello(stream)).await;
            let found = ending(&reply, stream);
            let form = if stream { "streamed" } else { "buffered" };
            let about = format!("{wire:?}, {form}, {}: {}", fault.place, fault.name);
            (found != expected.words()).then(|| format!("{about}: {found}, not {}", expected.words()))
        })
    });
    let ended: Vec<_> = stream::iter(cells).buffer_unordered(AT_ONCE).collect().await;
    let mut red: Vec<_> = ended.into_iter().flatten().collect();
    for (at, fault) in faults.iter().enumerate() {
        let is_its = |model: String| model == format!("fault-{at}");
        let calls = app
            .provider
            .received()
            .iter()
            .filter(|request| is_its(wire.requested_model(request)))
            .count();
        if calls != 2 * fault.calls {
            let (place, name) = (fault.place, &fault.name);
            red.push(format!(
                "{wire:?}, {place}: {name}: {calls} calls for both forms, not {}",
                2 * fault.calls
            ));
        }
    }
    red
}

macro_rules! protocols {
    ($($name:ident: $wire:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let red = red_cells($wire).await;
            assert!(red.is_empty(), "{} red cells:\n{}", red.len(), red.join("\n"));
        })*
    };
}

protocols! {
    no_fault_of_openais_api_looks_like_anything_else: Wire::OpenAi;
    no_fault_of_anthropics_api_looks_like_anything_else: Wire::Anthropic;
    no_fault_of_bedrock_looks_like_anything_else: Wire::Bedrock;
    no_fault_of_geminis_api_looks_like_anything_else: Wire::Gemini;
}

/// Where a fault happens, in the order of an answer, and how it ends: buffered, streamed, calls.
type Row = (usize, &'static str, String, String, usize);

/// The table as a document: faults that end alike share a row.
fn document() -> String {
    let mut rows: BTreeMap<Row, BTreeMap<String, Vec<Wire>>> = BTreeMap::new();
    let mut places = Vec::new();
    let mut cells = 0;
    for wire in Wire::ALL {
        for fault in table::faults(wire) {
            if !places.contains(&fault.place) {
                places.push(fault.place);
            }
            let order = places.iter().position(|place| *place == fault.place).unwrap();
            let row = (
                order,
                fault.place,
                fault.buffered.words(),
                fault.streamed.words(),
                fault.calls,
            );
            rows.entry(row).or_default().entry(fault.name).or_default().push(wire);
            cells += 2;
        }
    }
    let mut document = format!(
        "# What comes of a provider's faults\n\n\
         Written by the test suite (`UPDATE_DOCS=1 cargo test --features cli --test api -- faults`) from the table that it checks: \
         {cells} cells, each a fault of a provider's API in one of its four protocols and one of the two reply forms. A fault that \
         names no protocol ends alike in all. \"Calls\" is how often the provider is asked for one reply.\n\n\
         | where | fault | buffered reply | streamed reply | calls |\n| --- | --- | --- | --- | --- |\n"
    );
    for ((_, place, buffered, streamed, calls), names) in rows {
        let names: Vec<_> = names
            .into_iter()
            .map(|(name, wires)| {
                let named: Vec<_> = wires.iter().map(|wire| wire.provider()).collect();
                let is_in_all = wires.len() == Wire::ALL.len();
                if is_in_all {
                    name
                } else {
                    format!("{name} ({})", named.join(", "))
                }
            })
            .collect();
        writeln!(
            document,
            "| {place} | {} | {buffered} | {streamed} | {calls} |",
            names.join("; ")
        )
        .unwrap();
    }
    document + &over_http2() + &around()
}

/// What comes of the faults of HTTP/2, from the table that the unit tests of the client check.
fn over_http2() -> String {
    let mut table = String::from(
        "\n## Over HTTP/2\n\nFaults of a connection that many calls share. A call that ends with an error here is the \"cut\" or \
         \"reset\" of the table above: nothing of it looks complete, and the next call to the same host is well.\n\n\
         | fault | the call | the next call |\n| --- | --- | --- |\n",
    );
    let rows: Value = serde_json::from_str(include_str!("../fixtures/http2_faults.json")).unwrap();
    for row in rows.as_array().unwrap() {
        let [fault, call, next] = ["fault", "call", "next"].map(|name| row[name].as_str().unwrap());
        writeln!(table, "| {fault} | {call} | {next} |").unwrap();
    }
    table
}

/// What goes wrong around a reply, as a table: what ends alike shares a row.
fn around() -> String {
    let mut table = String::from(
        "\n## Around it\n\nFaults of what a reply needs beside a provider, in both reply forms. Without its Usage table a reply is \
         not counted and otherwise whole.\n\n| where | fault | the reply |\n| --- | --- | --- |\n",
    );
    let same = |one: &(&str, &str, &str), other: &(&str, &str, &str)| (one.0, one.2) == (other.0, other.2);
    for rows in surroundings::ROWS.chunk_by(same) {
        let names: Vec<_> = rows.iter().map(|(_, name, _)| *name).collect();
        let (place, _, end) = rows[0];
        writeln!(table, "| {place} | {} | {end} |", names.join("; ")).unwrap();
    }
    table
}

#[test]
fn the_document_is_the_table() {
    document::check("docs/faults.md", &document());
}
