//! What a client is told when somebody takes their conversation over.

use crate::Variables;

/// The text of a company that has set none.
const DEFAULT_TEXT: &str = "Olá! Meu nome é {{agent.name}} e vou continuar seu atendimento.";

/// The company's words with the agent's name and the conversation's number; `None` when it wants none said.
#[must_use]
pub fn takeover_text(of_company: Option<&str>, agent_name: &str, protocol: &str) -> Option<String> {
    let text = of_company.unwrap_or(DEFAULT_TEXT).trim();
    let (agent_name, protocol) = (Some(agent_name.to_owned()), Some(protocol.to_owned()));
    let variables = Variables { agent_name, protocol, ..Variables::default() };
    if text.is_empty() { None } else { Some(variables.render(text)) }
}

#[cfg(test)]
mod tests {
    use super::takeover_text;

    const NUMBER: &str = "20261128-00001";

    #[test]
    fn companies_have_the_default_another_text_or_none() {
        let default = "Olá! Meu nome é Bruna Lima e vou continuar seu atendimento.";
        assert_eq!(takeover_text(None, "Bruna Lima", NUMBER).as_deref(), Some(default));
        assert_eq!(
            takeover_text(Some("{{agent.name}} aqui! {{protocol}}"), "Bruna", NUMBER).as_deref(),
            Some("Bruna aqui! 20261128-00001")
        );
        assert_eq!(takeover_text(Some(" "), "Bruna", NUMBER), None);
    }
}
