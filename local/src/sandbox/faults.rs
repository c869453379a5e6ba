//! Failures that were ordered: what the third parties get wrong, for whom and how often.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::kept::lock;

/// A part of a third party that can be called or calls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    #[serde(rename = "whatsapp.messages")]
    Messages,
    #[serde(rename = "whatsapp.media")]
    Media,
    /// Every other call to the Graph API.
    #[serde(rename = "whatsapp.account")]
    Account,
    #[serde(rename = "whatsapp.webhooks")]
    Webhooks,
    #[serde(rename = "evolution.instances")]
    EvolutionInstances,
    /// Messages and chats.
    #[serde(rename = "evolution.messages")]
    EvolutionMessages,
    #[serde(rename = "evolution.webhooks")]
    EvolutionWebhooks,
    #[serde(rename = "botconversa")]
    BotConversa,
    /// HubSpot, Pipedrive and the REST CRM.
    #[serde(rename = "crm")]
    Crm,
    #[serde(rename = "llm")]
    Llm,
    #[serde(rename = "mail")]
    Mail,
    #[serde(rename = "scanner")]
    Scanner,
    /// The push service of browsers.
    #[serde(rename = "push")]
    Push,
}

impl Target {
    pub(super) fn is_evolution(self) -> bool {
        matches!(self, Self::EvolutionInstances | Self::EvolutionMessages | Self::EvolutionWebhooks)
    }

    /// Whether calls are told apart by their paths: many have no body.
    pub(super) fn has_telling_paths(self) -> bool {
        self.is_evolution() || matches!(self, Self::BotConversa | Self::Crm)
    }

    fn sends_webhooks(self) -> bool {
        matches!(self, Self::Webhooks | Self::EvolutionWebhooks)
    }
}

/// What a mail server is being told when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Nothing yet: it is to greet.
    Greeting,
    /// A name and a password. `contains` is compared with the name.
    Auth,
    /// A recipient. `contains` is compared with the sender.
    Recipient,
    /// The mail. `contains` is compared with it as it was sent.
    Data,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Refuses the call with the provider's own error body, or with `body` as it stands.
    Error {
        #[serde(default)]
        status: Option<u16>,
        #[serde(default)]
        code: Option<Value>,
        #[serde(default)]
        message: Option<String>,
        /// Seconds.
        #[serde(default)]
        retry_after: Option<u64>,
        #[serde(default)]
        body: Option<String>,
    },
    /// With `ms`: does the work and answers that much later. Without: does nothing and never answers.
    /// On webhooks: sends each that much later.
    Timeout {
        #[serde(default)]
        ms: Option<u64>,
    },
    /// Does the work and never answers.
    AcceptThenTimeout,
    /// Closes the connection, nothing done.
    Refuse,
    /// Sends each webhook twice at the same time.
    Duplicate,
    /// Sends a message's statuses in the order read, delivered, sent. Of Evolution's webhooks: lets the next ones overtake one.
    Reorder,
    /// Sends no status for a message.
    NoStatus,
    /// Sends only the status `failed` for a message.
    FailedStatus { code: i64 },
}

impl FaultKind {
    fn concerns_statuses(&self) -> bool {
        matches!(self, Self::Reorder | Self::NoStatus | Self::FailedStatus { .. })
    }

    fn concerns_webhooks(&self) -> bool {
        self.concerns_statuses() || *self == Self::Duplicate
    }
}

/// One ordered failure. An absent filter fits everyone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    #[serde(default = "Uuid::now_v7")]
    pub id: Uuid,
    pub target: Target,
    #[serde(flatten)]
    pub kind: FaultKind,
    /// How often it still happens; until it is removed when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// The business number, the name of the Evolution server, or the key of the BotConversa account.
    #[serde(default)]
    pub phone_number_id: Option<String>,
    /// The recipient as the caller wrote it; of the push service the browser's id.
    #[serde(default)]
    pub to: Option<String>,
    /// The bearer token of the call.
    #[serde(default)]
    pub token: Option<String>,
    /// Text that the request must hold; of Evolution and BotConversa, its path or its body.
    #[serde(default)]
    pub contains: Option<String>,
    /// Of the mail server only: `recipient` when absent.
    #[serde(default)]
    pub step: Option<Step>,
}

/// Every key an order may have: the kind's own keys are flattened, which lets unknown keys pass.
const KEYS: [&str; 15] = [
    "id",
    "target",
    "kind",
    "times",
    "phone_number_id",
    "to",
    "token",
    "contains",
    "step",
    "status",
    "code",
    "message",
    "retry_after",
    "body",
    "ms",
];

/// Reads an order.
///
/// # Errors
/// When a key or a value is unknown: a filter with a slip would hit everyone.
pub(super) fn read(order: Value) -> Result<Fault, String> {
    let keys = order.as_object().into_iter().flat_map(serde_json::Map::keys);
    if let Some(key) = keys.into_iter().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("unknown key {key}"));
    }
    serde_json::from_value(order).map_err(|error| error.to_string())
}

/// What a fault's filters are compared with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Circumstance<'a> {
    pub phone_number_id: Option<&'a str>,
    pub to: Option<&'a str>,
    pub token: Option<&'a str>,
    pub text: &'a str,
    pub step: Option<Step>,
}

impl Fault {
    fn fits(&self, circumstance: &Circumstance) -> bool {
        let same = |filter: &Option<String>, actual| filter.is_none() || filter.as_deref() == actual;
        same(&self.phone_number_id, circumstance.phone_number_id)
            && same(&self.to, circumstance.to)
            && same(&self.token, circumstance.token)
            && self.step == circumstance.step
            && self.contains.as_deref().is_none_or(|text| circumstance.text.contains(text))
    }
}

/// Where the mail server fails in this way.
fn step_of(fault: &Fault) -> Result<Step, String> {
    let accepts = fault.kind == FaultKind::AcceptThenTimeout;
    let step = fault.step.unwrap_or(if accepts { Step::Data } else { Step::Recipient });
    let knows_recipient = matches!(step, Step::Recipient | Step::Data);
    if accepts && step != Step::Data {
        return Err("a mail is accepted at the step data".to_owned());
    }
    if fault.to.is_some() && !knows_recipient || fault.contains.is_some() && step == Step::Greeting {
        return Err("what the filter asks for is not known at this step".to_owned());
    }
    if let FaultKind::Error { status, code, retry_after, body, .. } = &fault.kind {
        let is_reply = |code: &Value| code.as_u64().is_some_and(|code| (400..600).contains(&code));
        if status.is_some() || retry_after.is_some() || body.is_some() || !code.as_ref().is_none_or(is_reply) {
            return Err("a mail server answers with a code from 400 to 599 and a message".to_owned());
        }
    }
    if fault.token.is_some() || fault.phone_number_id.is_some() {
        return Err("a mail server knows neither token nor phone_number_id".to_owned());
    }
    Ok(step)
}

#[derive(Default)]
pub(super) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds a failure. Kinds that concern webhooks have that target, whatever was written.
    ///
    /// # Errors
    /// When the target cannot fail in that way.
    pub(super) fn add(&self, mut fault: Fault) -> Result<Fault, String> {
        if fault.target == Target::Mail {
            fault.step = Some(step_of(&fault)?);
        } else if fault.step.is_some() {
            return Err("only the target mail has steps".to_owned());
        }
        let called = !fault.target.sends_webhooks();
        if fault.kind.concerns_webhooks() {
            if [Target::BotConversa, Target::Crm, Target::Llm, Target::Mail, Target::Push, Target::Scanner]
                .contains(&fault.target)
            {
                return Err("this target sends no webhooks".to_owned());
            }
            fault.target = if fault.target.is_evolution() { Target::EvolutionWebhooks } else { Target::Webhooks };
        } else if !called && !matches!(fault.kind, FaultKind::Timeout { ms: Some(_) }) {
            return Err("webhooks know timeout (with ms), duplicate, reorder, no_status \
                 and failed_status"
                .to_owned());
        }
        lock(&self.0).push(fault.clone());
        Ok(fault)
    }

    pub(super) fn list(&self) -> Vec<Fault> {
        lock(&self.0).clone()
    }

    /// Removes the failures of a number, one failure, or all.
    pub(super) fn clear(&self, id: Option<Uuid>, phone_number_id: Option<&str>) {
        lock(&self.0).retain(|fault| {
            id.is_some_and(|id| fault.id != id) || phone_number_id.is_some_and(|id| fault.phone_number_id.as_deref() != Some(id))
        });
    }

    /// The failure of a call.
    pub(super) fn of_call(&self, target: Target, at: &Circumstance) -> Option<FaultKind> {
        self.take(at, |fault| fault.target == target)
    }

    /// The failure of all statuses of one message.
    pub(super) fn of_statuses(&self, target: Target, at: &Circumstance) -> Option<FaultKind> {
        let is_of_order = |fault: &Fault| target == Target::EvolutionWebhooks && fault.kind == FaultKind::Reorder;
        self.take(at, |fault| fault.target == target && fault.kind.concerns_statuses() && !is_of_order(fault))
    }

    /// The failure of one webhook: sent twice or late.
    pub(super) fn of_webhook(&self, target: Target, at: &Circumstance) -> Option<FaultKind> {
        let is_of_order = |fault: &Fault| target == Target::EvolutionWebhooks && fault.kind == FaultKind::Reorder;
        self.take(at, |fault| fault.target == target && (!fault.kind.concerns_statuses() || is_of_order(fault)))
    }

    fn take(&self, at: &Circumstance, wanted: impl Fn(&Fault) -> bool) -> Option<FaultKind> {
        let mut faults = lock(&self.0);
        let index = faults.iter().position(|fault| wanted(fault) && fault.fits(at))?;
        let kind = faults[index].kind.clone();
        match &mut faults[index].times {
            Some(0 | 1) => drop(faults.remove(index)),
            Some(times) => *times -= 1,
            None => {}
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Circumstance, Fault, FaultKind, Faults, Step, Target};

    fn add(faults: &Faults, fault: serde_json::Value) -> Result<Fault, String> {
        faults.add(serde_json::from_value(fault).unwrap())
    }

    #[test]
    fn happens_as_often_as_ordered_and_only_to_its_number() {
        let faults = Faults::default();
        let fault = json!({"target": "whatsapp.messages", "kind": "refuse", "times": 2, "phone_number_id": "1"});
        add(&faults, fault).unwrap();
        let of = |id| {
            let at = Circumstance { phone_number_id: Some(id), ..Circumstance::default() };
            faults.of_call(Target::Messages, &at)
        };
        assert_eq!(of("2"), None);
        assert_eq!(of("1"), Some(FaultKind::Refuse));
        assert_eq!(of("1"), Some(FaultKind::Refuse));
        assert_eq!(of("1"), None);
    }

    #[test]
    fn clearing_one_number_leaves_the_others() {
        let faults = Faults::default();
        for id in ["1", "2"] {
            let fault = json!({"target": "whatsapp.media", "kind": "refuse", "phone_number_id": id});
            add(&faults, fault).unwrap();
        }
        faults.clear(None, Some("1"));
        assert_eq!(faults.list().len(), 1);
        faults.clear(Some(faults.list()[0].id), None);
        assert_eq!(faults.list().len(), 0);
    }

    #[test]
    fn status_failures_belong_to_webhooks() {
        let faults = Faults::default();
        let fault = json!({"target": "whatsapp.messages", "kind": "failed_status", "code": 131_026});
        assert_eq!(add(&faults, fault).unwrap().target, Target::Webhooks);
        add(&faults, json!({"target": "llm", "kind": "no_status"})).unwrap_err();
        add(&faults, json!({"target": "whatsapp.webhooks", "kind": "refuse"})).unwrap_err();
    }

    #[test]
    fn the_mail_server_fails_at_a_step_that_knows_what_is_asked() {
        let faults = Faults::default();
        let refusal = add(&faults, json!({"target": "mail", "kind": "error", "to": "a@b.test"})).unwrap();
        assert_eq!(refusal.step, Some(Step::Recipient));
        let lost = add(&faults, json!({"target": "mail", "kind": "accept_then_timeout"})).unwrap();
        assert_eq!(lost.step, Some(Step::Data));
        for senseless in [
            json!({"target": "mail", "kind": "refuse", "step": "greeting", "to": "a@b.test"}),
            json!({"target": "mail", "kind": "accept_then_timeout", "step": "auth"}),
            json!({"target": "mail", "kind": "refuse", "phone_number_id": "1"}),
            json!({"target": "mail", "kind": "no_status"}),
            json!({"target": "mail", "kind": "error", "code": 250}),
            json!({"target": "mail", "kind": "error", "status": 550}),
            json!({"target": "llm", "kind": "refuse", "step": "data"}),
        ] {
            add(&faults, senseless.clone()).expect_err(&senseless.to_string());
        }
    }
}
