//! The first flow of a company's bot: a menu, two answers, and the way to its people.

use shared::prelude::*;

/// The key it has.
pub const KEY: &str = "menu";

/// Departments on its menu; WhatsApp shows ten options, one of which leads back.
const MOST_DEPARTMENTS: usize = 9;

/// Characters of an option's title that WhatsApp shows.
const LONGEST_TITLE: usize = 24;

const HANDOVER: &str = "Um momento, já vou chamar alguém da equipe.";
const CLOSED: &str = "Nossa equipe responde assim que abrirmos.";

/// The flow's definition, for a company with these departments. With one, or none, nobody is asked which.
#[must_use]
pub fn definition(company_name: &str, departments: &[(Uuid, String)]) -> Value {
    let named = &departments[..departments.len().min(MOST_DEPARTMENTS)];
    let asks = named.len() > 1;
    let option = |id: &str, title: &str, go_to: &str| json!({"id": id, "title": title, "go_to": go_to});
    let handover = |department: Option<Uuid>| json!({"type": "handover", "text": HANDOVER, "closed_text": CLOSED, "department_id": department});
    let only = if asks { None } else { named.first().map(|(id, _)| *id) };
    let mut flow = json!({
        "start": "main",
        "nodes": {
            "main": {
                "type": "menu",
                "text": format!("Olá, {{{{client_name}}}}! Aqui é a {company_name}. Como podemos ajudar?"),
                "closed_text": "Olá, {{client_name}}! Estamos fora do horário, mas você já pode deixar sua mensagem.",
                "options": [
                    option("courses", "Conhecer os cursos", "courses"),
                    option("fees", "Mensalidades", "fees"),
                    option("human", "Falar com atendente", if asks { "departments" } else { "human" }),
                ],
            },
            "courses": {"type": "message", "text": "Temos inglês, espanhol e mentoria de carreira.", "go_to": "main"},
            "fees": {
                "type": "message",
                "text": "As mensalidades vencem no dia 10. A segunda via está no portal do aluno.",
                "go_to": "main",
            },
            "human": handover(only),
        },
    });
    if asks {
        let mut options = Vec::new();
        for (number, (id, name)) in named.iter().enumerate() {
            let node = format!("department_{}", number + 1);
            let title: String = name.chars().take(LONGEST_TITLE).collect();
            options.push(option(&node, &title, &node));
            flow["nodes"][node.as_str()] = handover(Some(*id));
        }
        options.push(option("back", "Voltar ao menu", "main"));
        flow["nodes"]["departments"] = json!({"type": "menu", "text": "Com qual setor você quer falar?", "options": options});
    }
    flow
}

#[cfg(test)]
mod tests {
    use bot::flow::{Flow, Node};

    use super::*;

    fn flow(departments: usize) -> Flow {
        let departments: Vec<(Uuid, String)> = (0..departments)
            .map(|number| (Uuid::from_u128(number as u128), format!("Setor com um nome bem comprido {number}")))
            .collect();
        serde_json::from_value(definition("Escola {{x}}", &departments)).unwrap()
    }

    /// Every node that another names is there, and every one is named.
    #[test]
    fn it_leads_somewhere_whatever_departments_there_are() {
        for departments in [0, 1, 2, 9, 30] {
            let flow = flow(departments);
            let mut named = vec![flow.start.clone()];
            for node in flow.nodes.values() {
                match node {
                    Node::Menu { options, .. } => {
                        assert!((2..=10).contains(&options.len()), "{departments}");
                        assert!(options.iter().all(|option| option.title.chars().count() <= LONGEST_TITLE));
                        named.extend(options.iter().map(|option| option.go_to.clone()));
                    }
                    Node::Message { go_to, .. } => named.push(go_to.clone()),
                    _ => {}
                }
            }
            assert!(named.iter().all(|name| flow.nodes.contains_key(name)), "{departments}");
            let unnamed: Vec<_> = flow.nodes.keys().filter(|name| !named.contains(name) && *name != "human").collect();
            assert!(unnamed.is_empty(), "{departments}: {unnamed:?}");
        }
    }

    #[test]
    fn who_has_one_department_is_not_asked_which() {
        let flow = flow(1);
        assert!(!flow.nodes.contains_key("departments"));
        assert!(matches!(&flow.nodes["human"], Node::Handover { department_id: Some(_), .. }));
    }
}
