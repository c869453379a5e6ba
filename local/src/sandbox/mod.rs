//! Stands in for the third parties: answers as their contracts say, records, and fails when told to.

pub mod botconversa;
pub mod calls;
mod control;
pub mod crm;
pub mod evolution;
pub mod faults;
mod kept;
pub mod llm;
pub mod mail;
pub mod push;
mod refusal;
mod scanner;
pub mod whatsapp;

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit};

use botconversa::BotConversa;
use calls::Call;
use crm::Crms;
use evolution::Evolution;
use faults::Faults;
use kept::Kept;
use llm::Llm;
use mail::Mail;
use push::Push;
use uuid::Uuid;
use whatsapp::WhatsApp;

/// The largest request read: a document of 100 MB and its multipart frame.
const LARGEST_REQUEST: usize = 101 * 1024 * 1024;

/// Where the sandbox is and what it shares with the functions.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Where WhatsApp notifications go, for example `http://127.0.0.1:8787/webhooks/whatsapp`.
    pub webhook_url: String,
    /// Key of the notifications' signatures.
    pub app_secret: String,
    /// What the endpoint of the notifications expects in its verification.
    pub verify_token: String,
    /// Base address of [`Sandbox::router`], without a slash at the end; links to media start with it.
    pub public_url: String,
    /// Where it is written what WhatsApp has accepted, for a later start of the same cloud; in memory only without.
    pub kept: Option<PathBuf>,
}

/// The third parties. Of each record the newest entries are kept, in memory but for what WhatsApp has accepted.
pub struct Sandbox {
    options: SandboxOptions,
    calls: Kept<Call>,
    faults: Faults,
    whatsapp: WhatsApp,
    evolution: Evolution,
    botconversa: BotConversa,
    crms: Crms,
    llm: Llm,
    mails: Kept<Mail>,
    pushes: Kept<Push>,
    mail_identity: mail::Identity,
}

impl Sandbox {
    /// # Panics
    /// When what was kept cannot be opened.
    #[must_use]
    pub fn new(options: SandboxOptions) -> Arc<Self> {
        let whatsapp = WhatsApp::new(options.kept.as_deref()).expect("what WhatsApp has accepted is opened");
        Arc::new(Self {
            options,
            calls: Kept::new(5000),
            faults: Faults::default(),
            whatsapp,
            evolution: Evolution::new(),
            botconversa: BotConversa::new(),
            crms: Crms::default(),
            llm: Llm::default(),
            mails: Kept::new(1000),
            pushes: Kept::new(1000),
            mail_identity: mail::Identity::new(),
        })
    }

    /// What the functions call: `/graph/{version}/…`, `/graph-media/{token}`, `/evolution/{server}/…`, `/botconversa/…`, `/hubspot/…`, `/pipedrive/…`, `/rest-crm/…`, `/llm/v1/…`, `/push/{id}` and `/scanner/v2/scan`.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .merge(whatsapp::router())
            .merge(evolution::router())
            .merge(botconversa::router())
            .merge(crm::router())
            .nest("/llm/v1", llm::router())
            .nest("/push", push::router())
            .nest("/scanner/v2", scanner::router())
            .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
            .with_state(Arc::clone(self))
    }

    /// What people and tests steer it with; belongs under `/_local/sandbox`.
    pub fn control_router(self: &Arc<Self>) -> Router {
        control::router().layer(DefaultBodyLimit::max(LARGEST_REQUEST)).with_state(Arc::clone(self))
    }

    /// Calls the functions made, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.list(|_| true)
    }

    /// Mails the functions sent, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.list(|_| true)
    }

    /// One of them.
    pub fn mail(&self, id: Uuid) -> Option<Mail> {
        self.mails.find(|mail| mail.id == id)
    }

    /// Forgets what happened and what was set for one business number, server or key, or for everyone.
    pub fn reset(&self, phone_number_id: Option<&str>) {
        self.faults.clear(None, phone_number_id);
        self.whatsapp.reset(phone_number_id);
        self.evolution.reset(phone_number_id);
        self.botconversa.reset(phone_number_id);
        self.crms.reset(phone_number_id);
        if phone_number_id.is_some() {
            self.calls.remove(|call| call.phone_number_id.as_deref() == phone_number_id);
        } else {
            self.calls.remove(|_| true);
            self.mails.remove(|_| true);
            self.pushes.remove(|_| true);
            self.llm.clear(None);
        }
    }
}

/// Waits until `found` gives at least `count` entries or the time has passed; then gives what there is.
async fn wait_for<T>(count: usize, longest: Duration, found: impl Fn() -> Vec<T>) -> Vec<T> {
    let deadline = tokio::time::Instant::now() + longest;
    loop {
        let entries = found();
        if entries.len() >= count || tokio::time::Instant::now() >= deadline {
            return entries;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
