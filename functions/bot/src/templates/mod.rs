//! Flows to start from. The first is the one that companies are set up with.

use shared::prelude::*;

/// A flow to start from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BotTemplate {
    pub key: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    /// What `PUT /bot/flows/{key}` takes.
    pub definition: Map<String, Value>,
}

/// All of them.
#[must_use]
pub fn all() -> Vec<BotTemplate> {
    [
        ("school", "Escola", "Cursos, mensalidades e a escolha do setor.", include_str!("school.json")),
        ("clinic", "Clínica", "Pedido de consulta com paciente, CPF, dia e período.", include_str!("clinic.json")),
        ("shop", "Loja", "Pedidos, ofertas e vendedores, com prioridade para VIP.", include_str!("shop.json")),
    ]
    .into_iter()
    .map(|(key, name, description, text)| BotTemplate {
        key,
        name,
        description,
        definition: serde_json::from_str(text).unwrap_or_default(),
    })
    .collect()
}

/// The flow of a company that has just been set up.
#[must_use]
pub fn starter() -> Value {
    all().into_iter().next().map(|template| Value::Object(template.definition)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::problems;

    #[test]
    fn nothing_is_wrong_with_any_of_them() {
        for template in all() {
            assert!(!template.definition.is_empty(), "{}", template.key);
            assert_eq!(problems::of(&Value::Object(template.definition)), [], "{}", template.key);
        }
    }
}
