//! Contacts in messages, as `Cloud` writes them: names and numbers of a vCard.

use serde_json::{Value, json};

/// Numbers of one contact that are read.
const MOST_NUMBERS: usize = 20;

/// A contact of a message; what the card does not say is left out.
pub(super) fn contact(display_name: &str, card: &str) -> Value {
    let mut formatted = String::new();
    let mut phones = Vec::new();
    for line in card.lines() {
        let Some((property, value)) = line.split_once(':') else { continue };
        let mut parameters = property.split(';');
        // A group may stand before the name, as in `item1.TEL`.
        let property = parameters.next().unwrap_or_default().rsplit('.').next().unwrap_or_default();
        if property.eq_ignore_ascii_case("FN") && formatted.is_empty() {
            value.trim().clone_into(&mut formatted);
        } else if property.eq_ignore_ascii_case("TEL") && phones.len() < MOST_NUMBERS {
            let wa_id =
                parameters.find_map(|parameter| parameter.strip_prefix("waid=").or_else(|| parameter.strip_prefix("WAID=")));
            let mut phone = json!({"phone": value.trim()});
            if let Some(wa_id) = wa_id {
                phone["wa_id"] = json!(wa_id);
            }
            phones.push(phone);
        }
    }
    if formatted.is_empty() {
        display_name.clone_into(&mut formatted);
    }
    json!({"name": {"formatted_name": formatted}, "phones": phones})
}
