//! A page that plays a company's flows as a client has them, by `POST /bot/simulate`: nothing is sent, and nobody is called.

use std::sync::LazyLock;

use axum::{
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::page::{STYLE, hash};

const SCRIPT: &str = include_str!("flows.js");
const OWN_STYLE: &str = include_str!("flows.css");

/// This very script and its styles, requests to where the page is from, and nothing else.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {} {}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE),
        hash(OWN_STYLE)
    );
    HeaderValue::try_from(policy).expect("it is plain text")
});

const CHANNELS: [&str; 4] = ["whatsapp_cloud", "evolution", "botconversa", "widget"];

pub(super) async fn page() -> Response {
    ([(header::CONTENT_SECURITY_POLICY, POLICY.clone())], Html(markup().into_string())).into_response()
}

fn markup() -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Flows · Balcão · local" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
                style { (PreEscaped(OWN_STYLE)) }
            }
            body {
                header {
                    h1 { "Flows" small { "played, not sent" } }
                    nav { a href="/_local/" { "console" } }
                    span #trouble role="alert" {}
                }
                main {
                    section #entrance {
                        h2 { "Sign in as a supervisor" }
                        div.fields {
                            label { "E-mail " input #email type="email" autocomplete="username"; }
                            label { "Password " input #password type="password" autocomplete="current-password"; }
                            button #enter type="button" { "sign in" }
                        }
                    }
                    div #stage hidden {
                        section {
                            h2 { "Conversation" }
                            div.fields {
                                label { "Flow " select #flow {} }
                                label { "Version " select #version {} }
                                label { "Time " input #at type="datetime-local"; }
                                label { "Channel " select #channel { @for kind in CHANNELS { option { (kind) } } } }
                                label { "Client " input #client value="Maria" maxlength="120"; }
                                label { "Fields (JSON) " input #fields placeholder="{}"; }
                                button #begin type="button" { "begin anew" }
                            }
                            ol #talk aria-live="polite" {}
                            div #ways {}
                            div.fields {
                                label.wide { "What the client writes, a message on each line " textarea #words rows="2" {} }
                                button #say type="button" { "say" }
                                button #file type="button" { "send a file" }
                                button #time type="button" { "let time pass" }
                            }
                        }
                        section {
                            h2 { "Trace" }
                            ol #trace {}
                            pre #run {}
                        }
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}
