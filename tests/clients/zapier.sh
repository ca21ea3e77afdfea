#!/usr/bin/env bash
# Zapier, as "Webhooks by Zapier" sends it (every value a string), and the document's own curl commands.

set -euo pipefail

URL="$BASE_URL/chat/completions"
REPLY=$(mktemp)
trap 'rm -f "$REPLY"' EXIT

# Status errors before the first byte: token, status, code.
ERRORS="invalid        401 invalid_api_key
not_public     403 public_access_disabled
deleted        404 assistant_not_found
rejected       400 context_length_exceeded
bad_key        502 provider_authentication_failed
unknown_model  502 provider_model_not_found
rate_limited   429 rate_limit_exceeded
quota          429 insufficient_quota
outage         502 provider_error
overloaded     503 provider_overloaded
silent         504 provider_timeout
misconfigured  500 assistant_misconfigured"

# Cut off after the first byte: token, status of the buffered reply, code.
CUT_OFF="cut          502 provider_error
ends         502 provider_error
error_event  502 provider_error
stall        504 provider_timeout"

# What "Custom Request" sends with the fields of a Zap in it.
fields() {
  echo '{
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "Hello! What can you do?"}],
    "stream": "'"$1"'",
    "temperature": "0.7",
    "max_tokens": "100",
    "top_p": ""
  }'
}

# Each of TOKENS as a variable TOKEN_<name>.
eval "$(python3 -c 'import json, os, shlex
for name, token in json.loads(os.environ["TOKENS"]).items(): print(f"TOKEN_{name}={shlex.quote(token)}")')"

token() {
  local variable="TOKEN_$1"
  echo "${!variable}"
}

# custom_request <token> <body>: sets STATUS, and leaves the reply's body in $REPLY.
custom_request() {
  STATUS=$(curl -sS -o "$REPLY" -w '%{http_code}' -X POST "$URL" \
    -H "Authorization: Bearer $(token "$1")" -H "Content-Type: application/json" --data "$2")
}

# expect <status> <what must hold, in Python, of `reply`, its `json`, or its `events`, `chunks` and `text`>
expect() {
  python3 - "$STATUS" "$@" "$REPLY" <<'PYTHON' || { cat "$REPLY"; exit 1; }
import json as parser, os, sys
status, wanted, condition, path = sys.argv[1:]
reply, TEXT = open(path, encoding="utf-8").read(), os.environ["TEXT"]
json = parser.loads(reply) if reply.startswith("{") else None
events = [line[len("data: "):] for line in reply.splitlines() if line.startswith("data: ")]
chunks = [parser.loads(event) for event in events if event != "[DONE]"]
choices = [chunk["choices"][0] for chunk in chunks if "choices" in chunk]
text = "".join(choice["delta"].get("content", "") for choice in choices)
finish_reasons = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
assert status == wanted and eval(f"({condition})"), f"{status}, expected {wanted} and {condition}"
PYTHON
}

custom_requests() {
  custom_request story "$(fields false)"
  expect 200 'json["choices"][0]["message"]["content"] == TEXT and json["usage"]["total_tokens"] == 21'
  for reason in length content_filter; do
    custom_request "$reason" "$(fields false)"
    expect 200 "json['choices'][0]['finish_reason'] == '$reason'"
  done
}

messages_as_a_string() {
  local hello='{\"role\":\"user\",\"content\":\"My name is Alice\"},{\"role\":\"assistant\",\"content\":\"Hello\"}'
  local question='{\"role\":\"user\",\"content\":\"What is my name?\"}'
  custom_request echo "{\"messages\": \"[$hello,$question]\", \"stream\": \"false\"}"
  expect 200 'json["choices"][0]["message"]["content"] == "4|You are Ada.|What is my name?"'
}

form_encoded() {
  STATUS=$(curl -sS -o "$REPLY" -w '%{http_code}' "$URL" -H "Authorization: Bearer $(token story)" \
    -d model=gpt-4o -d stream=false --data-urlencode 'messages=[{"role": "user", "content": "Hi"}]')
  expect 400 'all(word in json["error"]["message"] for word in ["JSON", "payload", "Zapier"])'
}

errors() {
  local name status code
  while read -r name status code; do
    custom_request "$name" "$(fields false)"
    expect "$status" "json['error']['code'] == '$code' and json['error']['message'] and 'param' in json['error']"
  done <<<"$ERRORS"$'\n'"$CUT_OFF"
  STATUS=$(curl -sS -o "$REPLY" -w '%{http_code}' "$URL" -H "Content-Type: application/json" --data "$(fields false)")
  expect 401 'json["error"]["message"].startswith("Missing authentication token")'
}

cut_off() {
  local name code
  while read -r name _ code; do
    custom_request "$name" "$(fields true)"
    expect 200 "text == 'Once upon' and chunks[-1]['error']['code'] == '$code'
      and finish_reasons == [] and '[DONE]' not in events"
  done <<<"$CUT_OFF"
}

# The document's commands, but for the address and the token.
document_buffered() {
  STATUS=$(curl "$URL" \
    -H "Authorization: Bearer $(token story)" \
    -H "Content-Type: application/json" \
    -d '{
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "What is EpsimoAI?"}],
    "stream": false
  }' -sS -o "$REPLY" -w '%{http_code}')
  expect 200 'json["id"].startswith("chatcmpl-") and json["object"] == "chat.completion"
    and json["choices"][0]["index"] == 0 and json["choices"][0]["finish_reason"] == "stop"
    and json["choices"][0]["message"] == {"role": "assistant", "content": TEXT, "refusal": None}'
}

document_streamed() {
  STATUS=$(curl -N "$URL" \
    -H "Authorization: Bearer $(token story)" \
    -H "Content-Type: application/json" \
    -d '{
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "Tell me a story"}],
    "stream": true
  }' -sS -o "$REPLY" -w '%{http_code}')
  expect 200 'text == TEXT and finish_reasons == ["stop"] and events[-1] == "[DONE]"
    and choices[0]["delta"] == {"role": "assistant", "content": "Once"}
    and all(chunk["object"] == "chat.completion.chunk" and "usage" not in chunk for chunk in chunks)'
}

CHECKS="custom_requests messages_as_a_string form_encoded errors cut_off document_buffered document_streamed"
for check in $CHECKS; do
  $check
done
set -- $CHECKS
echo "$# passed, 0 failed"
