//! E-mail addresses of people: what is taken as one, and the one way it is written.

use std::ops::Deref;

use garde::{Validate, rules::email::parse_email};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::rule;

/// What the rules below come to, but for the 64 characters of an account.
const ADDRESS: &str = concat!(
    "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+([.][A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*",
    "@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?[.])+[A-Za-z][A-Za-z0-9]{1,62}$"
);

/// An address that mail can be sent to, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Validate, JsonSchema)]
#[garde(transparent)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Email(
    #[garde(length(max = 254), custom(is_on_the_internet))]
    #[schemars(email, regex(pattern = ADDRESS))]
    String,
);

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.to_lowercase()))
    }
}

impl Deref for Email {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The characters and lengths are judged by garde's rule, which also takes `a@b`, `a@[127.0.0.1]`, `a@127.0.0.1` and `.a.@b.c`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn is_on_the_internet(address: &str, (): &()) -> garde::Result {
    let refusal = || rule("invalid_email", "E-mail inválido.", "Invalid e-mail address.");
    parse_email(address).map_err(|_| refusal())?;
    let (account, domain) = address.rsplit_once('@').ok_or_else(refusal)?;
    let (_, last_label) = domain.rsplit_once('.').ok_or_else(refusal)?;
    let is_a_name = last_label.len() >= 2 && !last_label.bytes().all(|byte| byte.is_ascii_digit()) && !domain.starts_with('[');
    if is_a_name && account.split('.').all(|part| !part.is_empty()) { Ok(()) } else { Err(refusal()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Option<String> {
        let email: Email = serde_json::from_value(json!(text)).unwrap();
        email.validate().is_ok().then(|| email.to_string())
    }

    #[test]
    fn addresses_are_kept_in_lower_case() {
        assert_eq!(read("Ana.Souza+CRM@Escola.com.BR").as_deref(), Some("ana.souza+crm@escola.com.br"));
        for text in ["a@b.co", "o'neil_99@xn--ao-cela.example", "1@2.ai", "a-b@c-d.e2e"] {
            assert_eq!(read(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_mail_cannot_be_sent_to_is_refused() {
        let long = [format!("{}@example.com", "a".repeat(65)), format!("a@{}.com", "b.".repeat(130).trim_end_matches('.'))];
        let refused = [
            "",
            "a",
            "@",
            "a@",
            "@b.co",
            "a@b",
            "a@localhost",
            "a@.b",
            "a@b.",
            "a@b..co",
            "a@-b.co",
            "a@b-.co",
            ".a@b.co",
            "a.@b.co",
            "a..b@c.de",
            "a b@c.de",
            "a@b c.de",
            "a@b@c.de",
            "\"a\"@b.co",
            "\"a b\"@c.de",
            "a@[127.0.0.1]",
            "a@[::1]",
            "a@127.0.0.1",
            "a@b.1",
            "a@b.c",
            "ana@ação.com",
            "açã@b.co",
            "a@b.co\n",
            "a,b@c.de",
            "Ana <a@b.co>",
            "a@b.co, c@d.ef",
        ];
        for text in refused.into_iter().chain(long.iter().map(String::as_str)) {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn its_schema_is_that_of_an_address() {
        assert_eq!(serde_json::to_value(schemars::schema_for!(Email)).unwrap()["format"], "email");
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in ".{0,60}@?.{0,40}") {
            if let Some(email) = read(&text) {
                prop_assert!(email.len() <= 254 && email.is_ascii() && email == email.to_lowercase());
                prop_assert_eq!(email.matches('@').count(), 1);
            }
        }
    }
}
