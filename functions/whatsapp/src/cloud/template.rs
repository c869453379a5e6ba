//! What Meta tells of a template. Source: Meta's reference of `message_template_status_update`, `message_template_quality_update` and
//! `template_category_update`.

use conversations::{TemplateCategory, TemplateQuality, TemplateStatus};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    item::TemplateChange,
    reading::{text, time},
};

pub(super) fn read(field: &str, value: &Value, entry: &Value, now: Timestamp) -> Option<TemplateChange> {
    let id = &value["message_template_id"];
    let provider_id = id.as_u64().map(|id| id.to_string()).or_else(|| text(value, "message_template_id"))?;
    let told = TemplateChange {
        provider_id,
        status: None,
        quality: None,
        has_quality: false,
        category: None,
        reason: None,
        at: time(&entry["time"], now),
    };
    match field {
        // A flag announces what may come: the template is what it was.
        "message_template_status_update" => {
            let status = status(&text(value, "event").filter(|event| event != "FLAGGED")?);
            let reason = text(value, "reason").filter(|reason| reason != "NONE");
            let reason = reason.or_else(|| text(&value["other_info"], "description"));
            Some(TemplateChange { status: Some(status), reason, ..told })
        }
        "message_template_quality_update" => {
            let quality = quality(&text(value, "new_quality_score")?);
            Some(TemplateChange { quality, has_quality: true, ..told })
        }
        "template_category_update" => {
            let category = category(&text(value, "new_category")?);
            Some(TemplateChange { category: Some(category), ..told })
        }
        _ => None,
    }
}

/// Ours of WhatsApp's word.
#[must_use]
pub fn category(word: &str) -> TemplateCategory {
    word.to_lowercase().parse().unwrap_or(TemplateCategory::Other)
}

/// Ours of WhatsApp's word, in lists and in what it tells.
#[must_use]
pub fn status(word: &str) -> TemplateStatus {
    match word {
        "REINSTATED" | "UNPAUSED" => TemplateStatus::Approved,
        "IN_APPEAL" => TemplateStatus::Rejected,
        "PENDING_DELETION" => TemplateStatus::Deleted,
        word => word.to_lowercase().parse().unwrap_or(TemplateStatus::Other),
    }
}

/// Ours of WhatsApp's word; `None` while it is not known.
#[must_use]
pub fn quality(word: &str) -> Option<TemplateQuality> {
    word.to_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(field: &str, mut value: Value) -> Option<TemplateChange> {
        value["message_template_id"] = json!(7);
        read(field, &value, &json!({"time": 1_790_000_000}), Timestamp::from_second(1_790_000_001).unwrap())
    }

    #[test]
    fn words_of_whatsapp_are_ours() {
        assert_eq!(
            [status("APPROVED"), status("REINSTATED"), status("LIMIT_EXCEEDED")],
            [TemplateStatus::Approved, TemplateStatus::Approved, TemplateStatus::Other]
        );
        assert_eq!((quality("GREEN"), quality("UNKNOWN")), (Some(TemplateQuality::Green), None));
        assert_eq!((category("MARKETING"), category("NEW")), (TemplateCategory::Marketing, TemplateCategory::Other));
    }

    #[test]
    fn each_field_changes_its_own() {
        let paused = told("message_template_status_update", json!({"event": "PAUSED", "reason": "NONE"})).unwrap();
        assert_eq!((paused.provider_id.as_str(), paused.status, paused.reason), ("7", Some(TemplateStatus::Paused), None));
        assert!(told("message_template_status_update", json!({"event": "FLAGGED"})).is_none());
        let unknown = told("message_template_quality_update", json!({"new_quality_score": "UNKNOWN"})).unwrap();
        assert_eq!((unknown.quality, unknown.has_quality, unknown.status), (None, true, None));
        let moved = told("template_category_update", json!({"new_category": "MARKETING"})).unwrap();
        assert_eq!(moved.category, Some(TemplateCategory::Marketing));
        assert!(told("flows", json!({"event": "FLOW_STATUS_CHANGE"})).is_none());
    }
}
