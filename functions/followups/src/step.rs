//! Steps of a sequence: what is done, how long after the one before, for whom, in which words. Pure.

use conversations::{LONGEST_TEXT, TemplateToSend, Variables, between_braces};
use shared::{closed_set, error::FieldProblem, prelude::*};

use crate::criteria::Criteria;

closed_set! {
    /// What a step does.
    pub StepKind {
        Email = "email",
        Whatsapp = "whatsapp",
        /// Somebody is to call.
        CallTask = "call_task" | "ligacao",
        Task = "task" | "tarefa",
    }
}

/// Names in braces that stand for something in the words of a step.
const VARIABLES: [&str; 2] = ["client.name", "agent.name"];

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FollowupStep")]
pub struct Step {
    #[garde(skip)]
    pub kind: StepKind,
    /// Minutes after the run of the step before, as time passes; of the first one, after the lead is taken in.
    #[garde(range(min = 0, max = 525_600))]
    #[serde(default)]
    pub delay_minutes: i32,
    /// Of an e-mail, or a task's title.
    #[garde(length(chars, min = 1, max = 200))]
    #[serde(default)]
    pub subject: Option<String>,
    /// What is said, or what whoever has the task is told; with `{{client.name}}` and `{{agent.name}}`.
    #[garde(length(chars, min = 1, max = LONGEST_TEXT))]
    #[serde(default)]
    pub body: Option<String>,
    /// What WhatsApp takes where the client has not written within 24 hours; without it that becomes a task.
    #[garde(dive)]
    #[serde(default)]
    pub template: Option<TemplateToSend>,
    /// Other words for the same step: each execution goes by its own ones or by one of these.
    #[garde(length(max = 3), dive)]
    #[serde(default)]
    pub variants: Vec<Words>,
    /// Whom it is for; of others it is passed over.
    #[garde(dive)]
    #[serde(default)]
    pub condition: Criteria,
}

/// What a step says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FollowupWords")]
pub struct Words {
    #[garde(length(chars, min = 1, max = 200))]
    #[serde(default)]
    pub subject: Option<String>,
    #[garde(length(chars, min = 1, max = LONGEST_TEXT))]
    #[serde(default)]
    pub body: Option<String>,
    #[garde(dive)]
    #[serde(default)]
    pub template: Option<TemplateToSend>,
}

impl Step {
    /// The words that an execution goes by, with the place they have: 0 are the step's own.
    #[must_use]
    pub fn words(&self, execution: Uuid, step: usize) -> (usize, Words) {
        let place = choose(execution, step, self.variants.len() + 1);
        let own = || Words { subject: self.subject.clone(), body: self.body.clone(), template: self.template.clone() };
        (place, place.checked_sub(1).and_then(|place| self.variants.get(place)).cloned().unwrap_or_else(own))
    }
}

/// One of so many, always the same one for an execution's step and each as often as the others.
fn choose(execution: Uuid, step: usize, count: usize) -> usize {
    // The last bits of an id are random, whatever its version.
    let (_, low) = execution.as_u64_pair();
    let mixed = (low ^ (step as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    usize::try_from((mixed >> 33) % count.max(1) as u64).unwrap_or_default()
}

/// What is wrong with steps, by their places.
#[must_use]
pub fn problems(steps: &[Step]) -> Vec<FieldProblem> {
    let of_step = |(place, step): (usize, &Step)| {
        let own = Words { subject: step.subject.clone(), body: step.body.clone(), template: step.template.clone() };
        let variants = step.variants.iter().cloned().enumerate();
        let variants = variants.map(|(variant, words)| (format!("steps[{place}].variants[{variant}]"), words));
        let all = std::iter::once((format!("steps[{place}]"), own)).chain(variants);
        all.flat_map(|(at, words)| wrong(step.kind, &at, &words)).collect::<Vec<_>>()
    };
    steps.iter().enumerate().flat_map(of_step).collect()
}

fn wrong(kind: StepKind, at: &str, words: &Words) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut refuse = |field: &str, code: &str, portuguese: &str, english: &str| {
        problems.push(FieldProblem::new(format!("{at}.{field}"), code, portuguese, english));
    };
    let Words { subject, body, template } = words;
    match kind {
        StepKind::Email => {
            if subject.is_none() {
                refuse("subject", "required", "Um e-mail tem assunto.", "An e-mail has a subject.");
            }
            if body.is_none() {
                refuse("body", "required", "Escreva o e-mail.", "Write the e-mail.");
            }
        }
        StepKind::Whatsapp if body.is_none() && template.is_none() => {
            refuse("body", "required", "Escreva a mensagem ou escolha um modelo.", "Write the message or choose a template.");
        }
        _ => {}
    }
    if kind != StepKind::Whatsapp && template.is_some() {
        refuse("template", "not_allowed", "Só o WhatsApp leva modelo.", "Only WhatsApp takes a template.");
    }
    let values = template.iter().flat_map(|template| &template.parameters).map(|parameter| ("template", &parameter.value));
    let texts = subject.iter().map(|text| ("subject", text)).chain(body.iter().map(|text| ("body", text))).chain(values);
    for (field, name) in texts.flat_map(|(field, text)| unknown_variables(text).into_iter().map(move |name| (field, name))) {
        let portuguese = format!("{{{{{name}}}}} não existe aqui.");
        refuse(field, "unknown_variable", &portuguese, &format!("There is no {{{{{name}}}}} here."));
    }
    problems
}

fn unknown_variables(text: &str) -> Vec<&str> {
    between_braces(text).filter(|name| !VARIABLES.contains(name)).collect()
}

impl Words {
    /// With what the names in braces stand for.
    #[must_use]
    pub fn filled_in(&self, variables: &Variables) -> Self {
        let say = |text: &Option<String>| text.as_ref().map(|text| variables.render(text));
        let template = self.template.clone().map(|mut template| {
            for parameter in &mut template.parameters {
                parameter.value = variables.render(&parameter.value);
            }
            template
        });
        Self { subject: say(&self.subject), body: say(&self.body), template }
    }
}

/// The paragraphs of a text.
#[must_use]
pub fn paragraphs(text: &str) -> Vec<String> {
    let lines = text.replace("\r\n", "\n");
    lines.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(step: Value) -> Step {
        serde_json::from_value(step).unwrap()
    }

    fn codes(step_json: Value) -> Vec<(String, String)> {
        problems(&[step(step_json)]).into_iter().map(|problem| (problem.field, problem.code)).collect()
    }

    #[test]
    fn other_front_ends_words_are_kinds_too() {
        assert_eq!(step(json!({"kind": "ligacao"})).kind, StepKind::CallTask);
        assert_eq!(step(json!({"kind": "tarefa"})).kind, StepKind::Task);
        assert!(serde_json::from_value::<Step>(json!({"kind": "pombo"})).is_err());
    }

    #[test]
    fn each_kind_has_its_words() {
        let template = json!({"name": "boas_vindas", "parameters": [{"name": "1", "value": "{{client.name}}"}]});
        for fine in [
            json!({"kind": "email", "subject": "Oi", "body": "Oi, {{client.name}}"}),
            json!({"kind": "whatsapp", "body": "Oi"}),
            json!({"kind": "whatsapp", "template": template.clone()}),
            json!({"kind": "task"}),
        ] {
            assert_eq!(codes(fine), []);
        }
        let told = |field: &str, code: &str| (field.to_owned(), code.to_owned());
        assert_eq!(codes(json!({"kind": "email"})), [told("steps[0].subject", "required"), told("steps[0].body", "required")]);
        assert_eq!(codes(json!({"kind": "whatsapp"})), [told("steps[0].body", "required")]);
        assert_eq!(codes(json!({"kind": "task", "template": template})), [told("steps[0].template", "not_allowed")]);
        assert_eq!(
            codes(json!({"kind": "whatsapp", "body": "Oi {{nome}}", "variants": [{"body": "{{x}}"}]})),
            [told("steps[0].body", "unknown_variable"), told("steps[0].variants[0].body", "unknown_variable")]
        );
    }

    #[test]
    fn names_are_put_into_all_that_is_said() {
        let words: Words = serde_json::from_value(json!({
            "subject": "{{client.name}}", "body": "{{agent.name}} aqui",
            "template": {"name": "oi", "parameters": [{"name": "1", "value": "{{client.name}}"}]}
        }))
        .unwrap();
        let variables = Variables { client_name: Some("Ana".into()), agent_name: Some("Bia".into()), protocol: None };
        let said = words.filled_in(&variables);
        assert_eq!((said.subject.as_deref(), said.body.as_deref()), (Some("Ana"), Some("Bia aqui")));
        assert_eq!(said.template.unwrap().parameters[0].value, "Ana");
    }

    #[test]
    fn of_many_executions_each_variant_has_its_share() {
        let of_three = step(json!({"kind": "whatsapp", "body": "a", "variants": [{"body": "b"}, {"body": "c"}]}));
        let mut counts = [0; 3];
        for number in 0..3000_u128 {
            // As random ids are: all bits but those of their version.
            let id = Uuid::from_u128(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            let (place, words) = of_three.words(id, 0);
            assert_eq!(words.body.as_deref(), Some(["a", "b", "c"][place]));
            counts[place] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn paragraphs_are_parted_by_empty_lines() {
        assert_eq!(paragraphs(" Oi\r\n\r\nTudo\nbem?\n\n\n\nTchau "), ["Oi", "Tudo\nbem?", "Tchau"]);
    }

    proptest! {
        #[test]
        fn an_execution_keeps_its_words(id: u128, place in 0_usize..20, count in 1_usize..5) {
            let chosen = choose(Uuid::from_u128(id), place, count);
            prop_assert!(chosen < count);
            prop_assert_eq!(chosen, choose(Uuid::from_u128(id), place, count));
        }
    }
}
