//! What happens to a message after it was accepted: sent, delivered, read, or failed.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Sandbox, Sent, SentStatus, digits_of, errors::notification_error, webhooks::Attempt};
use crate::sandbox::faults::{Circumstance, FaultKind, Target};

const OUTSIDE_WINDOW: i64 = 131_047;
const DAY: i64 = 24 * 60 * 60;

/// One status that will come.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Planned {
    status: &'static str,
    /// After the message was accepted.
    after: Duration,
    /// With `failed`.
    code: Option<i64>,
}

impl Sandbox {
    /// Starts sending the statuses of an accepted message.
    pub(super) fn follow_up(self: &Arc<Self>, sent: Sent, person: String, by_user_id: bool) {
        let plan = self.plan(&sent, &person);
        let sandbox = Arc::clone(self);
        tokio::spawn(async move {
            let started = tokio::time::Instant::now();
            for planned in plan {
                tokio::time::sleep_until(started + planned.after).await;
                let status = status_of(&sent, &person, by_user_id, planned.status, planned.code);
                sandbox.send_status(&sent.phone_number_id, status).await;
            }
        });
    }

    fn plan(&self, sent: &Sent, person: &str) -> Vec<Planned> {
        let settings = self.whatsapp.settings(&sent.phone_number_id);
        let text = sent.body.to_string();
        let fault = self.faults.of_statuses(
            Target::Webhooks,
            &Circumstance {
                phone_number_id: Some(&sent.phone_number_id),
                to: Some(&sent.to),
                token: None,
                text: &text,
                step: None,
            },
        );
        let free_form = sent.body["type"] != "template";
        let now = sent.at.as_second();
        let closed = free_form && self.whatsapp.window_closed(&sent.phone_number_id, person, now);
        let code = match &fault {
            Some(FaultKind::NoStatus) => return Vec::new(),
            Some(FaultKind::FailedStatus { code }) => Some(*code),
            _ => closed.then_some(OUTSIDE_WINDOW),
        };
        let delays = settings.delays_ms.map(Duration::from_millis);
        if code.is_some() {
            return vec![Planned { status: "failed", after: delays[0], code }];
        }
        if !settings.statuses {
            return Vec::new();
        }
        let mut order = vec!["sent", "delivered", "read"];
        if !settings.read_receipts || sent.body["type"] == "reaction" {
            order.pop();
        }
        if fault == Some(FaultKind::Reorder) {
            order.reverse();
        }
        let planned = |(status, after)| Planned { status, after, code: None };
        order.into_iter().zip(delays).map(planned).collect()
    }

    /// Notifies of a status and records it with its message.
    pub(super) async fn send_status(self: &Arc<Self>, phone_number_id: &str, status: Value) -> Attempt {
        let id = status["id"].as_str().unwrap_or_default().to_owned();
        let name = status["status"].as_str().unwrap_or_default().to_owned();
        let at = Timestamp::now();
        let body = self.envelope(phone_number_id, "messages", json!({"statuses": [status]}));
        let attempt = self.notify(phone_number_id, body, true).await;
        let recorded = SentStatus { status: name, at, answered: attempt.status };
        self.whatsapp.sent.change(|sent| sent.id == id, |sent| sent.statuses.push(recorded));
        attempt
    }
}

/// An element of `statuses`.
pub(super) fn status_of(sent: &Sent, person: &str, by_user_id: bool, status: &str, code: Option<i64>) -> Value {
    let now = Timestamp::now().as_second();
    let mut element = json!({"id": sent.id, "status": status, "timestamp": now.to_string()});
    if by_user_id {
        element["recipient_user_id"] = json!(person);
    } else {
        element["recipient_id"] = json!(person);
        element["recipient_user_id"] = json!(user_id_of(person));
    }
    if let Some(data) = sent.body.get("biz_opaque_callback_data") {
        element["biz_opaque_callback_data"] = data.clone();
    }
    if let Some(code) = code {
        element["errors"] = json!([notification_error(code)]);
        return element;
    }
    let free = sent.body["type"] != "template";
    let category = if free { "service" } else { "utility" };
    element["conversation"] = json!({"id": digits_of(person, 16), "origin": {"type": category}});
    if status == "sent" {
        element["conversation"]["expiration_timestamp"] = json!((now + DAY).to_string());
    }
    element["pricing"] = json!({
        "billable": !free,
        "pricing_model": "PMP",
        "type": if free { "free_customer_service" } else { "regular" },
        "category": category,
    });
    element
}

/// The made-up business-scoped id of a person; always the same for the same number.
pub(super) fn user_id_of(wa_id: &str) -> String {
    format!("BR.{}", digits_of(wa_id, 16))
}
