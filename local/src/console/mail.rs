//! A mail as its reader sees it. What it holds is somebody else's: it runs nothing, loads nothing, and knows nothing of the page around it.

use std::sync::LazyLock;

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use uuid::Uuid;

use super::{
    ConsoleSources,
    page::{STYLE, hash},
};
use crate::sandbox::mail::Mail;

/// Links open in a page of their own, which is as any other.
const SANDBOX: &str = "allow-popups allow-popups-to-escape-sandbox";

/// The `Content-Security-Policy` of the page around a mail.
static PAGE_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; style-src {}; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(STYLE)
    );
    HeaderValue::try_from(policy).expect("it is plain text")
});

/// That of the mail itself: its own styles and no script, in a frame of the console or alone.
static MAIL_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; \
         sandbox {SANDBOX}"
    );
    HeaderValue::try_from(policy).expect("it is plain text")
});

/// Links are to leave the frame, which may show nothing else.
const OUT_OF_THE_FRAME: &str = "<base target=\"_blank\">";

pub(super) async fn page(State(sources): State<ConsoleSources>, Path(id): Path<Uuid>) -> Response {
    let Some(mail) = sources.sandbox.mail(id) else { return StatusCode::NOT_FOUND.into_response() };
    ([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY.clone())], Html(around(&mail).into_string())).into_response()
}

pub(super) async fn body(State(sources): State<ConsoleSources>, Path(id): Path<Uuid>) -> Response {
    let Some(html) = sources.sandbox.mail(id).and_then(|mail| mail.html) else { return StatusCode::NOT_FOUND.into_response() };
    let shown = match html.split_once("<head>") {
        Some((before, after)) => format!("{before}<head>{OUT_OF_THE_FRAME}{after}"),
        None => format!("{OUT_OF_THE_FRAME}{html}"),
    };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, MAIL_POLICY.clone()),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    ];
    (headers, Html(shown)).into_response()
}

fn around(mail: &Mail) -> Markup {
    let facts = [
        ("from", Some(mail.from.clone())),
        ("to", Some(mail.to.join(", "))),
        ("at", Some(mail.at.to_string())),
        ("message id", mail.message_id.clone()),
        ("encrypted", Some(if mail.encrypted { "yes" } else { "no" }.to_owned())),
        ("login", mail.login.clone()),
    ];
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (mail.subject) " · Balcão · local" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (mail.subject) }
                    nav { a href="/_local/" { "console" } }
                }
                main {
                    dl {
                        @for (name, value) in facts { @if let Some(value) = value { div { dt { (name) } dd { (value) } } } }
                    }
                    @if mail.html.is_some() {
                        section {
                            h2 { "HTML" }
                            iframe sandbox=(SANDBOX) title="HTML" src=(format!("/_local/mails/{}/html", mail.id)) {}
                        }
                    }
                    @if let Some(text) = &mail.text { section { h2 { "Text" } pre { (text) } } }
                    section { h2 { "Source" } pre { (mail.raw) } }
                }
            }
        }
    }
}
