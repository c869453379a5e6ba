//! Templates as WhatsApp has them: fetched as a whole, and changed one by one by what it tells meanwhile.

use conversations::{TemplateCategory, TemplateQuality, TemplateStatus};
use shared::{
    prelude::*,
    whatsapp::{Account, Failure, TemplatePage, list_templates},
};

use crate::{
    channel::{Channel, Done},
    cloud::template::{category, quality, status},
    item::TemplateChange,
    statements::{CHANGE_TEMPLATE, KEEP_TEMPLATES},
};

/// Pages of a hundred: more templates than an account can have.
const MOST_PAGES: usize = 70;

pub const WHATSAPP_SILENT: Problem = Problem::new(
    503,
    "whatsapp_silent",
    "O WhatsApp não respondeu. Os modelos continuam como estavam; tente de novo em instantes.",
    "WhatsApp did not answer. The templates are as they were; try again shortly.",
);

pub const REFUSED_BY_WHATSAPP: Problem = Problem::new(
    409,
    "refused_by_whatsapp",
    "O WhatsApp recusou o acesso aos modelos deste número. Salve o canal de novo com um token válido.",
    "WhatsApp refused access to this number's templates. Save the channel again with a valid token.",
)
.showing::<RefusedNumber>();

/// A number whose templates WhatsApp does not show us.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RefusedNumber {
    pub channel_account_id: Uuid,
    /// WhatsApp's code and words.
    pub code: String,
    pub detail: String,
}

/// All templates of one number, and as of when.
#[derive(Debug)]
pub struct Fetched {
    channel_account_id: Uuid,
    at: Timestamp,
    templates: Vec<Value>,
}

/// What fetching the templates of a number has changed.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Synced {
    pub channel_account_id: Uuid,
    pub total: i64,
    pub added: i64,
    pub changed: i64,
    /// Deleted at WhatsApp.
    pub removed: i64,
}

impl Synced {
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.added + self.changed + self.removed > 0
    }
}

/// The templates of a number are others than before.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TemplatesSynced {
    pub channel_account_id: Uuid,
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
}
event!(TemplatesSynced = "templates.synced");

impl From<&Synced> for TemplatesSynced {
    fn from(synced: &Synced) -> Self {
        let Synced { channel_account_id, added, changed, removed, .. } = *synced;
        Self { channel_account_id, added, changed, removed }
    }
}

/// WhatsApp has told what became of a template.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
pub struct TemplateUpdated {
    pub id: Uuid,
    pub channel_account_id: Uuid,
    pub name: String,
    pub language: String,
    pub category: TemplateCategory,
    pub status: TemplateStatus,
    pub quality: Option<TemplateQuality>,
    pub reason: Option<String>,
}
event!(TemplateUpdated = "template.updated");

/// Fetches all pages, or nothing.
///
/// # Errors
/// 503 when WhatsApp does not answer, 409 when it shows us nothing.
pub async fn fetch(context: &Context, account: &Account, number: Uuid, business_account: &str) -> Result<Fetched, Error> {
    let at = context.now();
    let mut templates = Vec::new();
    let mut after = None;
    for _ in 0..MOST_PAGES {
        let (page, _) = list_templates(context, account, business_account, after.as_deref()).await;
        let TemplatePage { templates: found, after: next } = page.map_err(|failure| refuse(number, failure))?;
        templates.extend(found.iter().filter_map(|template| read(context.new_id(), template)));
        after = next;
        if after.is_none() {
            return Ok(Fetched { channel_account_id: number, at, templates });
        }
    }
    Err(WHATSAPP_SILENT.caused_by("the pages of templates do not end"))
}

fn refuse(channel_account_id: Uuid, failure: Failure) -> Error {
    match failure {
        Failure::Refused { code, detail } | Failure::Blocked { code, detail } => {
            REFUSED_BY_WHATSAPP.with_current(&RefusedNumber { channel_account_id, code, detail })
        }
        Failure::Busy { code: reason, .. } | Failure::Unknown { reason } => WHATSAPP_SILENT.caused_by(reason),
    }
}

/// A row of it; `None` without a name.
fn read(id: Uuid, template: &Value) -> Option<Value> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let reason = text(&template["rejected_reason"]).filter(|reason| reason != "NONE");
    Some(json!({
        "id": id,
        "provider_id": text(&template["id"])?,
        "name": text(&template["name"])?,
        "language": text(&template["language"])?,
        "category": category(template["category"].as_str().unwrap_or_default()),
        "status": status(template["status"].as_str().unwrap_or_default()),
        "quality": quality(template["quality_score"]["score"].as_str().unwrap_or_default()),
        "reason": reason,
        "components": template["components"].as_array().cloned().unwrap_or_default(),
    }))
}

/// Keeps the templates of a number as they were when they were fetched. What WhatsApp has told since stays.
///
/// # Errors
/// As the database fails.
pub async fn keep(transaction: &Transaction, fetched: &Fetched) -> Result<Synced, Error> {
    let Fetched { channel_account_id, at, templates } = fetched;
    transaction.one(KEEP_TEMPLATES, &[channel_account_id, at, &json!(templates)]).await
}

/// Changes a template as WhatsApp tells.
pub async fn change(transaction: &Transaction, channel: &Channel, change: &TemplateChange) -> Result<Done, Error> {
    let TemplateChange { provider_id, status, quality, has_quality, category, reason, at } = change;
    let status = status.map(TemplateStatus::as_str);
    let category = category.map(TemplateCategory::as_str);
    let quality = quality.map(TemplateQuality::as_str);
    let changed: Vec<TemplateUpdated> =
        transaction.all(CHANGE_TEMPLATE, &[provider_id, &status, has_quality, &quality, &category, reason, at]).await?;
    if changed.is_empty() {
        return Ok(Done::Ignored("of a template that is not known here, or is so already".into()));
    }
    for updated in changed {
        transaction.emit(Event::new(Topic::Company(channel.company_id), Audience::staff(), &updated));
    }
    Ok(Done::Stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_is_no_template() {
        assert!(read(Uuid::nil(), &json!({"id": "1"})).is_none());
        let row = read(Uuid::nil(), &json!({"id": "1", "name": "a", "language": "pt_BR", "rejected_reason": "NONE"})).unwrap();
        assert_eq!((&row["status"], &row["reason"], &row["components"]), (&json!("other"), &Value::Null, &json!([])));
    }
}
