//! What set-up tells of each step on the way to going live.

use shared::{closed_set, error::Language, prelude::*};

closed_set! {
    /// `missing` is not there yet, `failing` does not work, `warning` works and is not as it should be.
    pub StepState { Ok = "ok", Warning = "warning", Missing = "missing", Failing = "failing" }
}

closed_set! {
    /// What is looked at.
    pub StepKey {
        Channel = "channel",
        Webhooks = "webhooks",
        Bot = "bot",
        Departments = "departments",
        Calendar = "calendar",
        Mail = "mail",
        Ai = "ai",
        Storage = "storage",
        Queue = "queue",
        Scheduler = "scheduler",
        FrontEnd = "front_end",
    }
}

impl StepKey {
    /// Whether nobody can do without.
    #[must_use]
    pub fn is_needed(self) -> bool {
        matches!(self, Self::Channel | Self::Storage | Self::Queue | Self::Scheduler)
    }
}

/// One step. `docs/going-live.md` says what each means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    pub key: StepKey,
    pub state: StepState,
    /// What was found, for people.
    pub detail: String,
    /// What to do; null where there is nothing to do.
    pub action: Option<String>,
    /// The path of this API where that is done.
    pub link: Option<String>,
}

/// What was found, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub key: StepKey,
    pub state: StepState,
    pub detail: (String, String),
    pub action: Option<(&'static str, &'static str)>,
    pub link: &'static str,
}

impl Finding {
    /// All is well.
    #[must_use]
    pub fn ok(key: StepKey, portuguese: impl Into<String>, english: impl Into<String>) -> Self {
        Self { key, state: StepState::Ok, detail: (portuguese.into(), english.into()), action: None, link: "" }
    }

    /// Something is not as it should be.
    #[must_use]
    pub fn other(key: StepKey, state: StepState, portuguese: impl Into<String>, english: impl Into<String>) -> Self {
        Self { state, ..Self::ok(key, portuguese, english) }
    }

    /// What to do, and where.
    #[must_use]
    pub fn to_do(mut self, portuguese: &'static str, english: &'static str, link: &'static str) -> Self {
        self.action = Some((portuguese, english));
        self.link = link;
        self
    }

    /// In the language of who reads it.
    #[must_use]
    pub fn told_in(self, language: Language) -> Step {
        let Self { key, state, detail: (portuguese, english), action, link } = self;
        Step {
            key,
            state,
            detail: language.pick(&portuguese, &english).to_owned(),
            action: action.map(|(portuguese, english)| language.pick(portuguese, english).to_owned()),
            link: Some(link.to_owned()).filter(|link| !link.is_empty()),
        }
    }
}
