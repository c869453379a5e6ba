//! Names in double braces that stand for something, in texts that a company says again and again.

use shared::prelude::*;

/// What the names stand for.
#[derive(Clone, Debug, Default, FromRow)]
pub struct Variables {
    pub client_name: Option<String>,
    pub agent_name: Option<String>,
    pub protocol: Option<String>,
}

impl Variables {
    /// The text with what is known in the place of `{{client.name}}`, `{{agent.name}}` and `{{protocol}}`. Other names stay as they were
    /// written, and so does what a value has in braces: it is put in once.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        let mut said = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, begun)) = rest.split_once("{{") {
            said.push_str(before);
            let known = begun.split_once("}}").and_then(|(name, after)| Some((self.value(name.trim())?, after)));
            if let Some((value, after)) = known {
                said.push_str(value);
                rest = after;
            } else {
                // A brace at a time, so that what begins behind the first of three is found.
                said.push('{');
                rest = &rest[before.len() + 1..];
            }
        }
        said.push_str(rest);
        said
    }

    fn value(&self, name: &str) -> Option<&str> {
        match name {
            "client.name" => self.client_name.as_deref(),
            "agent.name" => self.agent_name.as_deref(),
            "protocol" => self.protocol.as_deref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Variables;

    #[test]
    fn known_names_are_put_in_once_and_others_stay() {
        let variables =
            Variables { client_name: Some("Ana {{agent.name}}".into()), agent_name: Some("Bruna".into()), protocol: None };
        for (text, said) in [
            ("Oi, {{client.name}}!", "Oi, Ana {{agent.name}}!"),
            ("{{agent.name}}{{ agent.name }}", "BrunaBruna"),
            ("{{{agent.name}}}", "{Bruna}"),
            ("Protocolo {{protocol}}", "Protocolo {{protocol}}"),
            ("{{client.phone}} {{", "{{client.phone}} {{"),
            ("{{x {{agent.name}} }}", "{{x Bruna }}"),
            ("{{ç}} {", "{{ç}} {"),
            ("", ""),
        ] {
            assert_eq!(variables.render(text), said, "{text}");
        }
    }
}
