//! The console's page: tables that a small script keeps fresh.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};
use serde_json::Value;

const SCRIPT: &str = include_str!("page.js");
pub(super) const STYLE: &str = include_str!("page.css");

/// The `Content-Security-Policy`: this very script and style, requests to where the page is from, and nothing else.
pub(super) static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    HeaderValue::try_from(policy).expect("it is plain text")
});

pub(super) fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

/// Heading, key in the state, and the columns that are shown.
const TABLES: [(&str, &str, &[&str]); 7] = [
    ("Invocations", "invocations", &["at", "function", "trigger", "status", "ms", "cold", "error"]),
    ("Queues", "queues", &["queue", "waiting", "in_flight", "oldest_seconds", "dead_letter"]),
    ("Sockets", "sockets", &["connection_id", "connected_at", "last_active_at", "frames_sent", "frames_received"]),
    ("Calls to third parties", "calls", &["at", "target", "call", "to", "status", "fault"]),
    ("Evolution instances", "evolution", &["server", "instance", "state", "number", "scan"]),
    ("BotConversa accounts", "botconversa", &["key", "subscribers", "tags", "fields", "received"]),
    ("Mails", "mails", &["at", "from", "to", "subject", "encrypted", "login"]),
];

const LINKS: [(&str, &str); 9] = [
    ("flows", "/_local/flows"),
    ("state", "/_local/state"),
    ("info", "/_local/info"),
    ("metrics", "/_local/metrics"),
    ("function output", "/_local/lines"),
    ("WhatsApp messages sent", "/_local/sandbox/whatsapp/sent"),
    ("WhatsApp notifications", "/_local/sandbox/whatsapp/deliveries"),
    ("Evolution webhooks", "/_local/sandbox/evolution/deliveries"),
    ("ordered failures", "/_local/sandbox/faults"),
];

pub(super) fn page(info: &Value, secrets: &Value, state: &Value) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Balcão · local" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Balcão" small { "local cloud" } }
                    nav { @for (name, address) in LINKS { a href=(address) { (name) } } }
                    span #fresh { "live" }
                }
                main {
                    (facts(info, secrets))
                    @for (heading, key, columns) in TABLES {
                        section {
                            h2 { (heading) " " span.count data-count=(key) {} }
                            div.scroll {
                                table data-key=(key) {
                                    thead { tr { @for column in columns {
                                        th data-column=(column) { (column.replace('_', " ")) }
                                    } } }
                                    tbody {}
                                }
                            }
                        }
                    }
                }
                script #state type="application/json" { (PreEscaped(inside_script(state))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn facts(info: &Value, secrets: &Value) -> Markup {
    html! {
        dl {
            @for (name, value) in info.as_object().into_iter().flatten() {
                div {
                    dt { (name.replace('_', " ")) }
                    @let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    dd {
                        @if text.starts_with("http") { a href=(text) { (text) } } @else { span data-fact=(name) { (text) } }
                        @if secrets[name].is_string() { " " button type="button" { "show password" } }
                    }
                }
            }
        }
    }
}

/// Nothing in the data may end the script element.
fn inside_script(state: &Value) -> String {
    state.to_string().replace('<', "\\u003c")
}
