//! Settings of channels as front ends of other back ends write them: `platform`, `apiKey`, `status` in capitals, and `extraConfig` with whatever
//! else there is. Pure.

use shared::prelude::*;

use crate::{ChannelKind, Integration};

/// What their platforms are here.
const PLATFORMS: [(&str, ChannelKind); 2] = [("CloudAPI", ChannelKind::WhatsappCloud), ("EvolutionAPI", ChannelKind::Evolution)];

/// Whether a body uses them.
#[must_use]
pub fn are_in(body: &Value) -> bool {
    let names = ["platform", "apiKey", "extraConfig"];
    names.iter().any(|name| body.get(name).is_some()) || ["ACTIVE", "INACTIVE"].iter().any(|status| body["status"] == **status)
}

/// The same body in our names, of a channel of this kind or one that is to be saved. One of our names that is there already stays; so does what is unknown, to be refused by its name.
pub fn take(body: &mut Value, kind: Option<ChannelKind>) {
    let Some(fields) = body.as_object_mut() else { return };
    let named = fields.get("platform").and_then(Value::as_str);
    let platform = PLATFORMS.iter().find(|(platform, _)| named == Some(platform)).map(|(_, kind)| *kind);
    if platform.is_some() {
        fields.remove("platform");
    }
    if let (Some(platform), None) = (platform, kind) {
        give(fields, "kind", json!(platform));
    }
    if let Some(Value::Object(more)) = fields.get("extraConfig") {
        let more = more.clone();
        fields.remove("extraConfig");
        more.into_iter().for_each(|(name, value)| give(fields, &name, value));
    }
    if let Some(key) = fields.remove("apiKey") {
        let of_whatsapp =
            kind.map_or_else(|| fields.get("kind") == Some(&json!("whatsapp_cloud")), |kind| kind == ChannelKind::WhatsappCloud);
        give(fields, if of_whatsapp { "access_token" } else { "api_key" }, key);
    }
    let status = match fields.get("status").and_then(Value::as_str) {
        Some("ACTIVE") => "active",
        Some("INACTIVE") => "disabled",
        _ => return,
    };
    fields.insert("status".into(), json!(status));
}

fn give(fields: &mut Map<String, Value>, name: &str, value: Value) {
    if fields.get(name).is_none_or(Value::is_null) {
        fields.insert(name.to_owned(), value);
    }
}

/// The kind of a channel that is to be saved, where nothing says which of them.
#[must_use]
pub fn names_none(body: &Value) -> Option<ChannelKind> {
    let identity: &[&str] = match body["kind"].as_str()? {
        "whatsapp_cloud" => &["phone_number_id"],
        "evolution" => &["base_url", "instance"],
        _ => return None,
    };
    let is_named = identity.iter().any(|name| !body[name].is_null());
    (!is_named).then(|| serde_json::from_value(body["kind"].clone()).ok()).flatten()
}

/// What the only channel of its kind has, where nothing else is said.
pub fn complete(body: &mut Value, only: &Integration) {
    let Some(fields) = body.as_object_mut() else { return };
    let kept: &[&str] = match only.kind {
        ChannelKind::WhatsappCloud => &["phone_number_id", "waba_id", "display_phone_number"],
        _ => &["base_url", "instance"],
    };
    for name in kept {
        give(fields, name, only.settings[name].clone());
    }
    give(fields, "name", json!(only.name));
    for (name, value) in [("department_id", json!(only.department_id)), ("bot_flow_key", json!(only.bot_flow_key))] {
        // Null is said, and clears it.
        if !fields.contains_key(name) {
            fields.insert(name.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(mut body: Value) -> Value {
        take(&mut body, None);
        body
    }

    #[test]
    fn other_names_become_ours() {
        let body = json!({"platform": "CloudAPI", "name": "Vendas", "apiKey": "EAAG", "status": "INACTIVE",
            "extraConfig": {"phone_number_id": "1", "waba_id": "2", "name": "Outra"}});
        let ours = json!({"kind": "whatsapp_cloud", "name": "Vendas", "access_token": "EAAG", "status": "disabled",
            "phone_number_id": "1", "waba_id": "2"});
        assert_eq!(taken(body), ours);
        assert_eq!(taken(ours.clone()), ours, "ours stay");
        let body = json!({"platform": "EvolutionAPI", "apiKey": "k", "api_key": "ours", "extraConfig": {"instance": "a"}});
        assert_eq!(taken(body), json!({"kind": "evolution", "api_key": "ours", "instance": "a"}));
    }

    #[test]
    fn what_nobody_knows_is_left_to_be_refused() {
        for body in
            [json!({"platform": "Telegram"}), json!({"extraConfig": "x"}), json!({"status": "PAUSED"}), json!([1]), json!(null)]
        {
            assert_eq!(taken(body.clone()), body);
        }
    }

    #[test]
    fn a_changed_channels_key_goes_by_its_kind() {
        for (kind, name) in [(ChannelKind::WhatsappCloud, "access_token"), (ChannelKind::Evolution, "api_key")] {
            let mut body = json!({"platform": "CloudAPI", "apiKey": "k"});
            take(&mut body, Some(kind));
            assert_eq!(body, json!({name: "k"}));
        }
    }

    #[test]
    fn a_channel_is_named_by_what_makes_it_one() {
        assert_eq!(names_none(&json!({"kind": "evolution", "name": "x"})), Some(ChannelKind::Evolution));
        for body in [json!({"kind": "evolution", "instance": "x"}), json!({"kind": "widget"}), json!({}), json!({"kind": 1})] {
            assert_eq!(names_none(&body), None, "{body}");
        }
    }
}
