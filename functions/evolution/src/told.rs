//! What webhooks tell of the instance itself: how it stands with its phone, and the code to link one.

use serde_json::Value;
use shared::{
    evolution::{Code, InstanceState, Profile},
    phone,
    prelude::*,
};

use crate::Seen;

/// What is seen of an instance by this webhook; `None` of one that tells something else.
#[must_use]
pub fn seen(body: &[u8], now: Timestamp) -> Option<Seen> {
    let envelope: Value = serde_json::from_slice(body).ok()?;
    let event = envelope["event"].as_str()?.to_lowercase().replace(['_', '-'], ".");
    let data = &envelope["data"];
    let mut seen = Seen::told(now);
    match event.as_str() {
        "connection.update" => {
            seen.state = Some(match data["state"].as_str()? {
                "open" => InstanceState::Open,
                "connecting" => InstanceState::Connecting,
                _ => InstanceState::Close,
            });
            seen.profile = profile(data).filter(|_| seen.state == Some(InstanceState::Open));
        }
        "status.instance" if data["status"] == "closed" => seen.state = Some(InstanceState::Close),
        "logout.instance" | "remove.instance" => seen.state = Some(InstanceState::Close),
        "qrcode.updated" => {
            seen.code = Code::read(&data["qrcode"]);
            // Without one the limit of codes is reached: nobody has scanned any.
            seen.state = Some(if seen.code.is_some() { InstanceState::Connecting } else { InstanceState::Close });
        }
        _ => return None,
    }
    Some(seen)
}

fn profile(data: &Value) -> Option<Profile> {
    let digits = data["wuid"].as_str()?.split(['@', ':']).next().unwrap_or_default();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let name = data["profileName"].as_str().filter(|name| !name.is_empty());
    Some(Profile {
        number: is_number.then(|| phone::canonical(digits)),
        name: name.map(|name| name.replace('\0', "").chars().take(200).collect()),
        token: None,
        id: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(event: &str, data: &Value) -> Option<Seen> {
        seen(json!({"event": event, "data": data}).to_string().as_bytes(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn states_and_codes_are_told_and_messages_are_not_for_here() {
        let open = json!({"state": "open", "wuid": "551140000000:3@s.whatsapp.net", "profileName": "Loja"});
        let open = of("connection.update", &open).unwrap();
        assert_eq!(open.state, Some(InstanceState::Open));
        assert_eq!(open.profile.unwrap().number.as_deref(), Some("551140000000"));
        for (event, data, state) in [
            ("CONNECTION_UPDATE", json!({"state": "connecting"}), InstanceState::Connecting),
            ("connection.update", json!({"state": "refused"}), InstanceState::Close),
            ("status.instance", json!({"status": "closed"}), InstanceState::Close),
            ("logout.instance", Value::Null, InstanceState::Close),
            ("qrcode.updated", json!({"qrcode": {"base64": "data:image/png;base64,AA=="}}), InstanceState::Connecting),
            ("qrcode.updated", json!({"message": "QR code limit reached", "statusCode": 500}), InstanceState::Close),
        ] {
            assert_eq!(of(event, &data).and_then(|seen| seen.state), Some(state), "{event} {data}");
        }
        assert!(of("messages.upsert", &json!({})).is_none());
        assert!(of("connection.update", &json!({})).is_none());
    }
}
