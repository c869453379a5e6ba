//! What is wrong with a flow, all of it, in words for whoever drew it. Pure; what only the database knows is asked by `bot::references`.

use std::collections::{BTreeMap, BTreeSet};

use clients::import::mapping::Target;
use conversations::{
    LONGEST_BUTTON, LONGEST_CAPTION, LONGEST_DESCRIPTION, LONGEST_QUESTION, LONGEST_ROW, LONGEST_TEXT, Priority, between_braces,
    longest_title,
};
use integrations::ChannelKind;
use shared::{error::Language, outside, prelude::*};

use super::{
    Ai, Department, Flow, Handover, LONGEST_ORIGIN, MOST_OPTIONS, MOST_STEPS, Node, Question, Step, Test, Timeout, Trigger,
    Unread, Wanted, Webhook,
};
use crate::{input::look, saving};

pub const MOST_NODES: usize = 1_000;
/// Problems that are told: whoever has solved these sees the others.
const MOST_PROBLEMS: usize = 200;
/// Characters of a key or a name in what is told.
const SHOWN: usize = 80;
/// What names of fields are made of.
const FIELD_RULE: (&str, &str) =
    ("Use letras minúsculas, números e _, começando com letra.", "Use lower case letters, digits and _, a letter first.");
/// Thirty days.
const LONGEST_WAIT: u32 = 2_592_000;
const LONGEST_TIMEOUT: u32 = 43_200;
const MOST_WEIGHT: u32 = 1_000_000;

/// Names that texts may use in any flow.
pub const BUILT_IN: [&str; 5] = ["client_name", "first_name", "company_name", "client_phone", "client_email"];

/// Something that is wrong with a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The node's key; none of the flow as a whole.
    pub node: Option<String>,
    /// Within the node or the flow, such as `options[0].title`.
    pub field: String,
    pub code: &'static str,
    pub portuguese: String,
    pub english: String,
}

/// Something that is wrong with a flow, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BotFlowProblem {
    /// The node's key; null of the flow as a whole.
    pub node: Option<String>,
    /// Within the node or the flow, such as `options[0].title`; empty of all of it.
    pub field: String,
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

impl Problem {
    #[must_use]
    pub fn new(node: Option<&str>, field: impl Into<String>, code: &'static str, words: (&str, &str)) -> Self {
        let (portuguese, english) = (words.0.to_owned(), words.1.to_owned());
        Self { node: node.map(|key| key.chars().take(SHOWN).collect()), field: field.into(), code, portuguese, english }
    }

    #[must_use]
    pub fn told(self, language: Language) -> BotFlowProblem {
        let Self { node, field, code, portuguese, english } = self;
        let message = if language == Language::Portuguese { portuguese } else { english };
        BotFlowProblem { node, field, code: code.to_owned(), message }
    }
}

/// All that is wrong with a flow by itself, in the order of its nodes.
#[must_use]
pub fn of(definition: &Value) -> Vec<Problem> {
    match Flow::read(definition) {
        Ok(flow) => of_flow(&flow),
        Err(unread) => vec![of_unread(None, &unread)],
    }
}

fn of_flow(flow: &Flow) -> Vec<Problem> {
    let mut found = Found { flow, variables: variables(flow), problems: Vec::new() };
    found.of_frame();
    if flow.nodes.len() > MOST_NODES {
        let words = ("O fluxo tem passos demais: são no máximo 1000.", "The flow has too many nodes: 1000 at most.");
        found.add(None, "nodes", "too_many", words);
        return found.problems;
    }
    for (key, step) in &flow.nodes {
        found.of_step(key, step);
    }
    found.of_ways();
    found.problems.truncate(MOST_PROBLEMS);
    found.problems
}

struct Found<'a> {
    flow: &'a Flow,
    /// Names that texts may use.
    variables: BTreeSet<&'a str>,
    problems: Vec<Problem>,
}

impl Found<'_> {
    fn add(&mut self, node: Option<&str>, field: impl Into<String>, code: &'static str, words: (&str, &str)) {
        self.problems.push(Problem::new(node, field, code, words));
    }

    fn leads(&mut self, node: Option<&str>, field: &str, go_to: &str) {
        if !self.flow.nodes.contains_key(go_to) {
            let go_to: String = go_to.chars().take(SHOWN).collect();
            let portuguese = format!("Leva a um passo que não existe: {go_to}.");
            let english = format!("Leads to a node that is not there: {go_to}.");
            self.add(node, field, "unknown_node", (&portuguese, &english));
        }
    }

    fn of_frame(&mut self) {
        let flow = self.flow;
        if flow.nodes.is_empty() {
            self.add(None, "nodes", "required", ("O fluxo não tem nenhum passo.", "The flow has no node."));
        } else {
            self.leads(None, "start", &flow.start);
        }
        if let Some(timeout) = &flow.on_timeout {
            self.of_timeout(None, timeout);
        }
        for (field, text) in [("not_understood", &flow.not_understood), ("goodbye", &flow.goodbye)] {
            if let Some(text) = text {
                self.of_text(None, field, text, LONGEST_QUESTION, true);
            }
        }
        let words = &flow.words;
        for (field, words) in [("words.human", &words.human), ("words.menu", &words.menu), ("words.leave", &words.leave)] {
            if words.iter().flatten().any(|word| word.trim().is_empty() || word.chars().count() > 40) {
                self.add(None, field, "length", ("Use palavras de 1 a 40 letras.", "Use words of 1 to 40 letters."));
            }
        }
        for (place, trigger) in flow.triggers.iter().enumerate() {
            let is_word = |word: &String| (1..=80).contains(&word.trim().chars().count()) && word.contains(char::is_alphanumeric);
            if *trigger == Trigger::default() {
                let words = ("Diga quando o fluxo começa por este gatilho.", "Say when the flow begins by this trigger.");
                self.add(None, format!("triggers[{place}]"), "required", words);
            }
            if !trigger.keywords.iter().all(is_word) || trigger.keywords.len() > 50 {
                let words = ("Use até 50 palavras-chave de 1 a 80 letras.", "Use up to 50 keywords of 1 to 80 letters.");
                self.add(None, format!("triggers[{place}].keywords"), "length", words);
            }
        }
    }

    fn of_timeout(&mut self, node: Option<&str>, timeout: &Timeout) {
        self.leads(node, "on_timeout.go_to", &timeout.go_to);
        if !(1..=LONGEST_TIMEOUT).contains(&timeout.minutes) {
            let words =
                ("Espere de 1 minuto a 30 dias, em minutos inteiros.", "Wait from one minute to 30 days, in whole minutes.");
            self.add(node, "on_timeout.minutes", "range", words);
        }
    }

    fn of_text(&mut self, node: Option<&str>, field: &str, text: &str, most: usize, is_required: bool) {
        if is_required && text.trim().is_empty() {
            self.add(node, field, "required", ("Escreva o texto.", "Write the text."));
        }
        if text.chars().count() > most {
            let portuguese = format!("O texto tem no máximo {most} letras.");
            let english = format!("A text has at most {most} characters.");
            self.add(node, field, "too_long", (&portuguese, &english));
        }
    }

    fn of_step(&mut self, key: &str, step: &Step) {
        let node = Some(key);
        if key.is_empty() || key.chars().count() > 60 {
            self.add(node, "", "length", ("O nome de um passo tem de 1 a 60 letras.", "A node's key has 1 to 60 characters."));
        }
        if let Some(timeout) = &step.on_timeout {
            self.of_timeout(node, timeout);
        }
        let read = match &step.node {
            Ok(read) => read,
            Err(unread) => return self.problems.push(of_unread(node, unread)),
        };
        for (field, go_to) in read.ways() {
            self.leads(node, &field, go_to);
        }
        self.of_node(key, read);
        for (field, text) in texts(read) {
            let unknown: BTreeSet<&str> = names(text).filter(|name| !self.variables.contains(name)).collect();
            for name in unknown.into_iter().take(5) {
                let name: String = name.chars().take(SHOWN).collect();
                let portuguese = format!("Nada no fluxo preenche {{{{{name}}}}}.");
                let english = format!("Nothing in the flow fills in {{{{{name}}}}}.");
                self.add(node, field, "unknown_variable", (&portuguese, &english));
            }
        }
    }

    fn of_node(&mut self, key: &str, read: &Node) {
        let node = Some(key);
        match read {
            Node::Message { text, closed_text, media, .. } => {
                let most = if media.is_some() { LONGEST_CAPTION } else { LONGEST_TEXT };
                self.of_text(node, "text", text, most, media.is_none());
                self.of_closed(node, closed_text.as_ref(), most);
                if media.as_ref().is_some_and(|media| !["image", "video", "audio", "document"].contains(&media.kind.as_str())) {
                    self.add(
                        node,
                        "media.kind",
                        "unknown_value",
                        ("Use image, video, audio ou document.", "Use image, video, audio or document."),
                    );
                }
            }
            Node::Menu { text, closed_text, button, options } => {
                self.of_text(node, "text", text, LONGEST_QUESTION, true);
                self.of_closed(node, closed_text.as_ref(), LONGEST_QUESTION);
                self.of_text(node, "button", button.as_deref().unwrap_or_default(), LONGEST_BUTTON, false);
                let shown: Vec<(&str, &str, &str)> = options
                    .iter()
                    .map(|option| (option.id.as_str(), option.title.as_str(), option.description.as_str()))
                    .collect();
                self.of_options(key, &shown);
            }
            Node::Question(question) => self.of_question(key, question),
            Node::Department(Department { text, button, back, go_to, handover_text, closed_text }) => {
                self.of_text(node, "text", text, LONGEST_QUESTION, true);
                self.of_text(node, "button", button.as_deref().unwrap_or_default(), LONGEST_BUTTON, false);
                self.of_text(node, "back", back.as_deref().unwrap_or_default(), LONGEST_ROW, false);
                self.of_text(node, "handover_text", handover_text.as_deref().unwrap_or_default(), LONGEST_TEXT, false);
                self.of_closed(node, closed_text.as_ref(), LONGEST_TEXT);
                if back.is_some() != go_to.is_some() {
                    let words =
                        ("A opção de voltar precisa de texto e destino.", "The option to go back needs a title and a target.");
                    self.add(node, "back", "required", words);
                }
            }
            Node::Condition { cases, .. } => {
                if cases.is_empty() {
                    self.add(node, "cases", "required", ("Inclua pelo menos uma condição.", "Add at least one case."));
                }
                for (place, case) in cases.iter().enumerate() {
                    self.of_test(node, &format!("cases[{place}].when"), &case.when, 0);
                }
            }
            Node::SetField { field, value, .. } => {
                self.of_field(node, field);
                self.of_text(node, "value", value, LONGEST_QUESTION, false);
            }
            Node::Tag { add, remove, .. } => {
                let tags = add.iter().chain(remove);
                if add.len() + remove.len() == 0 || !tags.clone().all(|tag| (1..=40).contains(&tag.trim().chars().count())) {
                    self.add(node, "add", "length", ("Informe etiquetas de 1 a 40 letras.", "Give tags of 1 to 40 characters."));
                }
            }
            Node::CreateLead { origin, .. } => {
                if let Some(origin) = origin {
                    self.of_text(node, "origin", origin, LONGEST_ORIGIN, true);
                }
            }
            Node::Split { branches } => {
                if branches.is_empty() || branches.len() > 10 || branches.iter().all(|branch| branch.weight == 0) {
                    let words = ("Use de 1 a 10 caminhos, com algum peso.", "Use 1 to 10 branches with some weight.");
                    self.add(node, "branches", "range", words);
                }
                for (place, _) in branches.iter().enumerate().filter(|(_, branch)| branch.weight > MOST_WEIGHT) {
                    let words = (
                        "O peso de um caminho é um número inteiro de 0 a 1.000.000.",
                        "A branch's weight is a whole number from 0 to 1,000,000.",
                    );
                    self.add(node, format!("branches[{place}].weight"), "range", words);
                }
            }
            Node::Wait { seconds, until_open, .. } => {
                if seconds.is_none_or(|seconds| !(1..=LONGEST_WAIT).contains(&seconds)) && !(*until_open && seconds.is_none()) {
                    self.add(node, "seconds", "range", ("Espere de 1 segundo a 30 dias.", "Wait from one second to 30 days."));
                }
            }
            Node::Handover(Handover { text, closed_text, priority, summary, .. }) => {
                self.of_text(node, "text", text, LONGEST_TEXT, false);
                self.of_closed(node, closed_text.as_ref(), LONGEST_TEXT);
                self.of_text(node, "summary", summary.as_deref().unwrap_or_default(), 200, false);
                if priority.as_ref().is_some_and(|priority| priority.parse::<Priority>().is_err()) {
                    let words = ("Use low, normal, high ou urgent.", "Use low, normal, high or urgent.");
                    self.add(node, "priority", "unknown_value", words);
                }
            }
            Node::Webhook(webhook) => self.of_webhook(node, webhook),
            Node::Ai(Ai { text, .. }) => self.of_text(node, "text", text, LONGEST_TEXT, true),
            Node::End { text } => self.of_text(node, "text", text, LONGEST_TEXT, false),
            Node::Goto { .. } | Node::MoveLead { .. } => {}
        }
    }

    fn of_webhook(&mut self, node: Option<&str>, webhook: &Webhook) {
        let Webhook { url, headers, fields, save, .. } = webhook;
        if let Err(refusal) = outside::look_at_url(url) {
            self.add(node, "url", refusal.code(), refusal.texts());
        }
        if url.len() > 2_000 {
            self.add(
                node,
                "url",
                "too_long",
                ("O endereço tem no máximo 2000 letras.", "An address has at most 2000 characters."),
            );
        }
        if headers.len() > 20 || fields.len() > 50 || save.len() > 20 {
            let words = (
                "Use até 20 cabeçalhos, 50 campos enviados e 20 campos guardados.",
                "Use up to 20 headers, 50 fields that are sent and 20 that are kept.",
            );
            self.add(node, "", "too_many", words);
        }
        for (name, value) in headers {
            let at = format!("headers.{}", name.chars().take(SHOWN).collect::<String>());
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            let is_well_formed = (1..=60).contains(&name.len()) && name.bytes().all(is_name);
            let is_sane = value.len() <= 500 && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            if !is_well_formed || !is_sane {
                let words = (
                    "Use nomes de letras, números e hífens, e valores sem acentos de até 500 letras.",
                    "Use names of letters, digits and hyphens, and values without accents of up to 500 characters.",
                );
                self.add(node, at, "pattern", words);
            } else if is_ours(name) {
                let words = ("Este cabeçalho é preenchido pelo sistema.", "This header is filled in by the system.");
                self.add(node, at, "reserved", words);
            } else if is_secret(name) {
                let words = (
                    "Não guarde senhas nem chaves aqui: todos os supervisores leem o fluxo. Confira a assinatura X-Balcao-Signature.",
                    "Keep no passwords or keys here: all supervisors read the flow. Check X-Balcao-Signature instead.",
                );
                self.add(node, at, "secret", words);
            }
        }
        for (place, field) in fields.iter().enumerate() {
            if !self.variables.contains(field.as_str()) || BUILT_IN.contains(&field.as_str()) {
                let words = ("Nada no fluxo preenche este campo.", "Nothing in the flow fills in this field.");
                self.add(node, format!("fields[{place}]"), "unknown_variable", words);
            }
        }
        for (pointer, field) in save {
            let at = format!("save.{}", pointer.chars().take(SHOWN).collect::<String>());
            if !(pointer.is_empty() || pointer.starts_with('/')) || pointer.len() > 200 {
                let words = (
                    "Diga onde está na resposta, como /pedido/situacao.",
                    "Say where it stands in the answer, such as /order/status.",
                );
                self.add(node, at, "pattern", words);
            } else if !is_field(field) || BUILT_IN.contains(&field.as_str()) {
                self.add(node, at, "pattern", FIELD_RULE);
            }
        }
    }

    fn of_closed(&mut self, node: Option<&str>, text: Option<&String>, most: usize) {
        if let Some(text) = text {
            self.of_text(node, "closed_text", text, most, false);
        }
    }

    /// Ids, titles and descriptions of what may be chosen.
    fn of_options(&mut self, key: &str, options: &[(&str, &str, &str)]) {
        let node = Some(key);
        if options.is_empty() {
            self.add(node, "options", "required", ("O menu não tem nenhuma opção.", "The menu has no option."));
        }
        if options.len() > MOST_OPTIONS {
            let words = ("O WhatsApp mostra no máximo 10 opções.", "WhatsApp shows at most 10 options.");
            self.add(node, "options", "too_many", words);
        }
        let most = longest_title(options.len());
        let (mut ids, mut titles) = (BTreeSet::new(), BTreeSet::new());
        for (place, (id, title, description)) in options.iter().enumerate() {
            let at = |field: &str| format!("options[{place}].{field}");
            self.of_text(node, &at("title"), title, most, true);
            self.of_text(node, &at("description"), description, LONGEST_DESCRIPTION, false);
            if id.is_empty() || id.len() > 200 || !ids.insert(*id) {
                self.add(
                    node,
                    at("id"),
                    "repeated",
                    ("Cada opção precisa de um id só seu.", "Each option needs an id of its own."),
                );
            }
            if !titles.insert(look(title)) {
                self.add(node, at("title"), "repeated", ("Duas opções têm o mesmo texto.", "Two options have the same title."));
            }
        }
    }

    fn of_question(&mut self, key: &str, question: &Question) {
        let node = Some(key);
        self.of_text(node, "text", &question.text, LONGEST_TEXT, true);
        self.of_text(node, "error", question.error.as_deref().unwrap_or_default(), LONGEST_QUESTION, false);
        self.of_field(node, &question.field);
        if question.retries > 5 {
            self.add(node, "retries", "range", ("Pergunte de novo de 0 a 5 vezes.", "Ask again 0 to 5 times."));
        }
        let is_choice = question.answer == Wanted::Choice;
        if is_choice == question.choices.is_empty() || question.choices.len() > 30 {
            let words = (
                "Uma pergunta de escolha tem de 1 a 30 respostas; as outras não têm.",
                "A question of choice has 1 to 30 answers; others have none.",
            );
            self.add(node, "choices", "range", words);
        }
        if question.choices.iter().any(|choice| !(1..=80).contains(&choice.trim().chars().count())) {
            self.add(node, "choices", "length", ("Uma resposta tem de 1 a 80 letras.", "An answer has 1 to 80 characters."));
        }
        if let Some(save_as) = &question.save_as {
            self.of_save_as(node, save_as, question.answer);
        }
    }

    fn of_save_as(&mut self, node: Option<&str>, save_as: &str, answer: Wanted) {
        let fits = match saving::place(save_as) {
            None => {
                let words = (
                    "Use name, email, document ou custom_fields. e a chave de um campo seu.",
                    "Use name, email, document, or custom_fields. and the key of a field of yours.",
                );
                return self.add(node, "save_as", "unknown_value", words);
            }
            Some(Target::Email) => answer == Wanted::Email,
            Some(Target::Document) => matches!(answer, Wanted::Cpf | Wanted::Cnpj),
            Some(Target::Name) => answer == Wanted::Text,
            // What kind of field it is, only the company knows.
            Some(_) => true,
        };
        if !fits {
            let words = (
                "A resposta precisa ser do mesmo tipo: email para e-mail, cpf ou cnpj para documento, text para nome.",
                "The answer has to be of the same kind: email for an e-mail, cpf or cnpj for a document, text for a name.",
            );
            self.add(node, "save_as", "wrong_kind", words);
        }
    }

    fn of_field(&mut self, node: Option<&str>, name: &str) {
        if !is_field(name) || BUILT_IN.contains(&name) {
            self.add(node, "field", "pattern", FIELD_RULE);
        }
    }

    fn of_test(&mut self, node: Option<&str>, field: &str, test: &Test, depth: usize) {
        if depth > 4 {
            return self.add(node, field, "too_deep", ("A condição tem níveis demais.", "The condition is nested too deeply."));
        }
        match test {
            Test::All { of } | Test::Any { of } => {
                for (place, test) in of.iter().enumerate() {
                    self.of_test(node, &format!("{field}.of[{place}]"), test, depth + 1);
                }
            }
            Test::Not { of } => self.of_test(node, &format!("{field}.of"), of, depth + 1),
            Test::Channel { kind } if kind.parse::<ChannelKind>().is_err() => {
                self.add(node, field, "unknown_value", ("Este tipo de canal não existe.", "There is no such kind of channel."));
            }
            Test::Tag { name } | Test::Field { name, .. } if name.trim().is_empty() => {
                self.add(node, field, "required", ("Informe o nome.", "Give the name."));
            }
            _ => {}
        }
    }

    /// Nodes that nothing leads to, flows that end nowhere, and ways that go round without asking anything.
    fn of_ways(&mut self) {
        let reached = reached(self.flow);
        for key in self.flow.nodes.keys().filter(|key| !reached.contains(key.as_str())) {
            self.problems.push(Problem::new(
                Some(key),
                "",
                "unreachable",
                ("Nada leva a este passo.", "Nothing leads to this node."),
            ));
        }
        let ends = |key: &&str| {
            matches!(self.flow.node(key), Some(Node::Handover(_) | Node::End { .. } | Node::Department(_)))
                || self.flow.nodes.get(*key).is_some_and(|step| step.node.is_err())
        };
        if !self.flow.nodes.is_empty() && !reached.iter().any(ends) {
            let words = ("O fluxo nunca chega a uma pessoa nem ao fim.", "The flow never comes to a person or to an end.");
            self.add(None, "nodes", "no_way_out", words);
        }
        let Unasked { circles, too_long } = unasked(self.flow);
        for key in too_long {
            let portuguese = format!("Daqui o fluxo passa por mais de {MOST_STEPS} passos sem perguntar nada.");
            let english = format!("From here the flow passes more than {MOST_STEPS} nodes without asking anything.");
            self.problems.push(Problem::new(Some(&key), "", "too_long_way", (&portuguese, &english)));
        }
        for key in circles {
            let words = ("Daqui o fluxo dá voltas sem perguntar nada.", "From here the flow goes round without asking anything.");
            self.problems.push(Problem::new(Some(&key), "", "endless", words));
        }
    }
}

/// Serde's words, as people are told.
fn of_unread(node: Option<&str>, Unread { field, why }: &Unread) -> Problem {
    let quoted = why.split('`').nth(1).unwrap_or_default();
    if why.starts_with("unknown variant") && node.is_some() {
        let portuguese = format!("Este passo usa um valor que não existe: {quoted}.");
        let english = format!("This node uses a value that there is not: {quoted}.");
        return Problem::new(node, field, "unknown_value", (&portuguese, &english));
    }
    // Of a node, the field that was found is the one where it ends; of what names its place, the field lies in it.
    let within = field.strip_suffix(quoted).unwrap_or(field).trim_end_matches('.');
    let within = if node.is_some() && !within.starts_with("on_timeout") { "" } else { within };
    let path = if within.is_empty() { quoted.to_owned() } else { format!("{within}.{quoted}") };
    let at = |code, words: (&str, &str)| Problem::new(node, path, code, words);
    if why.starts_with("missing field") {
        at("required", ("Falta preencher este campo.", "This field is missing."))
    } else if why.starts_with("unknown field") {
        at("unknown_field", ("Este campo não existe aqui.", "There is no such field here."))
    } else if field.is_empty() {
        let words = ("Não foi possível ler: um valor é de outro tipo.", "It cannot be read: a value is of another type.");
        Problem::new(node, "", "unreadable", words)
    } else {
        let words = (
            "O valor deste campo é de outro tipo, como um texto no lugar de um número.",
            "This field's value is of another type, such as a text in place of a number.",
        );
        Problem::new(node, field.as_str(), "unreadable", words)
    }
}

/// The rule of names under which values are kept.
#[must_use]
pub fn is_field(name: &str) -> bool {
    let bytes = name.as_bytes();
    (1..=40).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// Headers that say what a call is, or how it travels.
fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ours = [
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "user-agent",
    ];
    ours.contains(&name.as_str()) || name.starts_with("x-balcao-") || name.starts_with("proxy-")
}

/// Headers that bring what proves somebody, by their names.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    ["authorization", "cookie", "token", "secret", "senha", "password", "api-key", "apikey", "-auth", "auth-", "credential"]
        .iter()
        .any(|part| name.contains(part))
}

/// The texts of a node, by their fields.
fn texts(node: &Node) -> Vec<(&'static str, &str)> {
    let mut texts: Vec<(&'static str, Option<&String>)> = Vec::new();
    match node {
        Node::Message { text, closed_text, .. } | Node::Menu { text, closed_text, .. } => {
            texts.extend([("text", Some(text)), ("closed_text", closed_text.as_ref())]);
        }
        Node::Question(question) => texts.extend([("text", Some(&question.text)), ("error", question.error.as_ref())]),
        Node::Department(Department { text, handover_text, closed_text, .. }) => {
            texts.extend([
                ("text", Some(text)),
                ("handover_text", handover_text.as_ref()),
                ("closed_text", closed_text.as_ref()),
            ]);
        }
        Node::SetField { value, .. } => texts.push(("value", Some(value))),
        Node::CreateLead { origin, .. } => texts.push(("origin", origin.as_ref())),
        Node::Handover(Handover { text, closed_text, summary, .. }) => {
            texts.extend([("text", Some(text)), ("closed_text", closed_text.as_ref()), ("summary", summary.as_ref())]);
        }
        Node::End { text } | Node::Ai(Ai { text, .. }) => texts.push(("text", Some(text))),
        _ => {}
    }
    texts.into_iter().filter_map(|(field, text)| Some((field, text?.as_str()))).collect()
}

/// What stands between braces in a text.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    between_braces(text).filter(|name| !name.is_empty())
}

/// Names that something in the flow fills in.
fn variables(flow: &Flow) -> BTreeSet<&str> {
    let mut known: BTreeSet<&str> = BUILT_IN.into_iter().collect();
    for node in flow.nodes.values().filter_map(|step| step.node.as_ref().ok()) {
        match node {
            Node::Question(Question { field, .. }) | Node::SetField { field, .. } => {
                known.insert(field);
            }
            Node::Webhook(Webhook { save, .. }) => known.extend(save.values().map(String::as_str)),
            _ => {}
        }
    }
    known
}

/// Nodes that a conversation may come to.
fn reached(flow: &Flow) -> BTreeSet<&str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![flow.start.as_str()];
    open.extend(flow.on_timeout.as_ref().map(|timeout| timeout.go_to.as_str()));
    // Whoever asks for a person comes there from anywhere.
    open.extend(flow.handover().map(|(key, _)| key));
    while let Some(key) = open.pop() {
        let Some((key, step)) = flow.nodes.get_key_value(key) else { continue };
        if !reached.insert(key.as_str()) {
            continue;
        }
        open.extend(step.on_timeout.as_ref().map(|timeout| timeout.go_to.as_str()));
        open.extend(step.node.iter().flat_map(Node::ways).map(|(_, go_to)| go_to));
    }
    reached
}

/// Ways through nodes which neither ask nor wait.
#[derive(Default)]
struct Unasked {
    /// The first node of each that comes back to itself.
    circles: Vec<String>,
    /// Those from which one leads further than a turn goes.
    too_long: Vec<String>,
}

fn unasked(flow: &Flow) -> Unasked {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Open,
        /// So many nodes a turn goes through from here, with the one at which it rests.
        Done(usize),
    }
    // Whoever waits until it is open does not wait while it is.
    let asks = |node: &Node| node.asks() && !matches!(node, Node::Ai(Ai { at_once: true, .. }));
    let passes = |node: &Node| !asks(node) && !matches!(node, Node::Wait { seconds: Some(1..), .. });
    let mut marks: BTreeMap<&str, Mark> = BTreeMap::new();
    let mut unasked = Unasked::default();
    for start in flow.nodes.keys() {
        // A node is entered, and left behind all that it leads to: no recursion, whatever the length of the way.
        let mut stack = vec![(start.as_str(), false)];
        while let Some((key, is_left)) = stack.pop() {
            if is_left {
                let ways = flow.node(key).map(Node::ways).unwrap_or_default();
                let length = |(_, go_to): &(_, &str)| match marks.get(go_to) {
                    Some(Mark::Done(length)) => *length,
                    // It rests there.
                    _ => 1,
                };
                let length = 1 + ways.iter().map(length).max().unwrap_or_default();
                if length == MOST_STEPS + 1 {
                    unasked.too_long.push(key.to_owned());
                }
                marks.insert(key, Mark::Done(length));
                continue;
            }
            match marks.get(key) {
                Some(Mark::Done(_)) => continue,
                Some(Mark::Open) => {
                    if !unasked.circles.iter().any(|known| known == key) {
                        unasked.circles.push(key.to_owned());
                    }
                    continue;
                }
                None => {}
            }
            let Some((key, step)) = flow.nodes.get_key_value(key) else { continue };
            let Some(node) = step.node.as_ref().ok().filter(|node| passes(node)) else { continue };
            marks.insert(key, Mark::Open);
            stack.push((key, true));
            stack.extend(node.ways().into_iter().map(|(_, go_to)| (go_to, false)));
        }
    }
    unasked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(definition: Value) -> Vec<(String, String, &'static str)> {
        of(&definition).into_iter().map(|problem| (problem.node.unwrap_or_default(), problem.field, problem.code)).collect()
    }

    fn with(nodes: Value) -> Value {
        json!({"start": "main", "nodes": nodes})
    }

    /// A flow whose only node that may be wrong is this one.
    fn node(node: Value) -> Vec<(String, &'static str)> {
        let flow = with(json!({"main": node, "end": {"type": "end", "text": "Tchau"}}));
        let of_node = found(flow).into_iter().filter(|(key, _, code)| key == "main" || *code != "unreachable");
        of_node.filter(|(key, ..)| key != "end").map(|(_, field, code)| (field, code)).collect()
    }

    #[test]
    fn a_flow_that_is_right_has_no_problem() {
        let flow = with(json!({
            "main": {"type": "menu", "text": "Olá, {{client_name}}!", "on_timeout": {"minutes": 30, "go_to": "bye"}, "options": [
                {"id": "a", "title": "Nome", "go_to": "name"}, {"id": "b", "title": "Pessoa", "go_to": "human"}]},
            "name": {"type": "question", "text": "Seu nome?", "field": "nome", "go_to": "thanks"},
            "thanks": {"type": "message", "text": "Obrigado, {{nome}}.", "go_to": "main"},
            "bye": {"type": "end", "text": "Até logo!"},
            "human": {"type": "handover", "text": "Um momento."},
        }));
        assert_eq!(found(flow), []);
    }

    #[test]
    fn every_problem_is_named_with_its_node_and_field() {
        let flow = json!({"start": "nada", "on_timeout": {"minutes": 0, "go_to": "x"}, "nodes": {
            "a": {"type": "message", "text": "{{idade}}", "go_to": "b"},
            "b": {"type": "hologram", "text": "x"},
            "c": {"type": "message", "go_to": 7},
            "d": {"type": "end", "text": "x", "colour": "red"},
        }});
        let problems = found(flow);
        let has = |node: &str, field: &str, code: &str| {
            problems.iter().any(|(a, b, c)| (a.as_str(), b.as_str(), *c) == (node, field, code))
        };
        for (node, field, code) in [
            ("", "start", "unknown_node"),
            ("", "on_timeout.go_to", "unknown_node"),
            ("", "on_timeout.minutes", "range"),
            ("a", "text", "unknown_variable"),
            ("a", "", "unreachable"),
            ("b", "type", "unknown_value"),
            ("c", "go_to", "unreadable"),
            ("d", "colour", "unknown_field"),
        ] {
            assert!(has(node, field, code), "{node} {field} {code}: {problems:?}");
        }
        assert_eq!(found(json!({"nodes": {}})), [(String::new(), "start".to_owned(), "required")]);
        assert_eq!(found(json!([])).len(), 1);
        let of_frame = |frame: Value| {
            let mut flow = json!({"start": "a", "nodes": {"a": {"type": "end", "text": "Tchau"}}});
            flow.as_object_mut().unwrap().extend(frame.as_object().unwrap().clone());
            found(flow)
        };
        for (wrong, field, code) in [
            (json!({"on_timeout": {"minutes": -1, "go_to": "a"}}), "on_timeout.minutes", "range"),
            (json!({"on_timeout": {"minutes": "1", "go_to": "a"}}), "on_timeout.minutes", "unreadable"),
            (json!({"on_timeout": {"go_to": "a"}}), "on_timeout.minutes", "required"),
            (json!({"triggers": [{"keywords": [7]}]}), "triggers[0].keywords[0]", "unreadable"),
            (json!({"words": {"help": []}}), "words.help", "unknown_field"),
        ] {
            assert_eq!(of_frame(wrong.clone()), [(String::new(), field.to_owned(), code)], "{wrong}");
        }
    }

    #[test]
    fn menus_fit_what_whatsapp_shows() {
        let option = |id: &str, title: &str| json!({"id": id, "title": title, "go_to": "end"});
        let menu = |options: Vec<Value>| node(json!({"type": "menu", "text": "?", "options": options}));
        assert_eq!(menu(vec![option("a", "Um título de vinte e um")]), [("options[0].title".to_owned(), "too_long")]);
        let many = (0..11).map(|number| option(&number.to_string(), &format!("Opção {number}"))).collect();
        assert_eq!(menu(many), [("options".to_owned(), "too_many")]);
        assert_eq!(
            menu(vec![option("a", "Sim"), option("a", "SIM ")]),
            [("options[1].id".to_owned(), "repeated"), ("options[1].title".to_owned(), "repeated")]
        );
        assert!(menu(vec![]).contains(&("options".to_owned(), "required")));
    }

    #[test]
    fn each_kind_has_its_rules() {
        for (wrong, field, code) in [
            (json!({"type": "message", "text": " ", "go_to": "end"}), "text", "required"),
            (json!({"type": "message", "text": "a".repeat(4_097), "go_to": "end"}), "text", "too_long"),
            (json!({"type": "question", "text": "?", "field": "Nome", "go_to": "end"}), "field", "pattern"),
            (json!({"type": "question", "text": "?", "field": "client_name", "go_to": "end"}), "field", "pattern"),
            (json!({"type": "question", "text": "?", "field": "a", "answer": "choice", "go_to": "end"}), "choices", "range"),
            (json!({"type": "question", "text": "?", "field": "a", "retries": 6, "go_to": "end"}), "retries", "range"),
            (json!({"type": "department", "text": "?", "back": "Voltar"}), "back", "required"),
            (json!({"type": "condition", "cases": [], "else_go_to": "end"}), "cases", "required"),
            (json!({"type": "split", "branches": [{"weight": 0, "go_to": "end"}]}), "branches", "range"),
            (json!({"type": "question", "text": "?", "field": "a", "retries": -1, "go_to": "end"}), "retries", "range"),
            (
                json!({"type": "split", "branches": [{"weight": 1, "go_to": "end"}, {"weight": -1, "go_to": "end"}]}),
                "branches[1].weight",
                "range",
            ),
            (json!({"type": "split", "branches": [{"weight": 1.5, "go_to": "end"}]}), "branches[0].weight", "range"),
            (json!({"type": "split", "branches": [{"weight": "1", "go_to": "end"}]}), "branches", "unreadable"),
            (
                json!({"type": "question", "text": "?", "field": "a", "go_to": "end", "on_timeout": {"minutes": -1, "go_to": "end"}}),
                "on_timeout.minutes",
                "range",
            ),
            (
                json!({"type": "question", "text": "?", "field": "a", "go_to": "end", "on_timeout": {"minutes": "5", "go_to": "end"}}),
                "on_timeout.minutes",
                "unreadable",
            ),
            (
                json!({"type": "question", "text": "?", "field": "a", "go_to": "end", "on_timeout": {"minutes": 5}}),
                "on_timeout.go_to",
                "required",
            ),
            (
                json!({"type": "question", "text": "?", "field": "a", "go_to": "end", "on_timeout": {"minutes": 5, "go_to": "end", "x": 1}}),
                "on_timeout.x",
                "unknown_field",
            ),
            (json!({"type": "wait", "seconds": -1, "go_to": "end"}), "seconds", "range"),
            (json!({"type": "wait", "seconds": 1e18, "go_to": "end"}), "seconds", "range"),
            (json!({"type": "wait", "seconds": 1.5, "go_to": "end"}), "seconds", "range"),
            (json!({"type": "wait", "go_to": "end"}), "seconds", "range"),
            (json!({"type": "wait", "seconds": 3_000_000, "go_to": "end"}), "seconds", "range"),
            (json!({"type": "handover", "priority": "now"}), "priority", "unknown_value"),
            (json!({"type": "tag", "go_to": "end"}), "add", "length"),
            (json!({"type": "goto", "go_to": "nada"}), "go_to", "unknown_node"),
            (
                json!({"type": "question", "text": "?", "field": "a", "save_as": "phone", "go_to": "end"}),
                "save_as",
                "unknown_value",
            ),
            (
                json!({"type": "question", "text": "?", "field": "a", "save_as": "custom_fields.X", "go_to": "end"}),
                "save_as",
                "unknown_value",
            ),
            (json!({"type": "question", "text": "?", "field": "a", "save_as": "email", "go_to": "end"}), "save_as", "wrong_kind"),
        ] {
            let problems = node(wrong.clone());
            assert!(problems.contains(&(field.to_owned(), code)), "{wrong}: {problems:?}");
        }
    }

    #[test]
    fn a_call_goes_to_the_internet_and_carries_no_secret() {
        let call = |more: Value| {
            let mut webhook =
                json!({"type": "webhook", "url": "https://loja.exemplo.com.br/x", "go_to": "end", "on_failure": "end"});
            webhook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            node(webhook)
        };
        assert_eq!(call(json!({"method": "GET", "headers": {"X-Loja": "1"}, "save": {"/a/0": "nome", "": "tudo"}})), []);
        for (wrong, field, code) in [
            (json!({"url": "http://loja.exemplo.com.br"}), "url", "not_encrypted"),
            (json!({"url": "https://169.254.169.254/latest"}), "url", "not_public"),
            (json!({"url": "https://postgres.internal/"}), "url", "not_public"),
            (json!({"url": "loja"}), "url", "invalid_address"),
            (json!({"method": "DELETE"}), "method", "unknown_value"),
            (json!({"go_to": "nada"}), "go_to", "unknown_node"),
            (json!({"on_failure": "nada"}), "on_failure", "unknown_node"),
            (json!({"on_failure": null}), "on_failure", "unreadable"),
            (json!({"headers": {"X Loja": "1"}}), "headers.X Loja", "pattern"),
            (json!({"headers": {"X-Loja": "a\r\nHost: b"}}), "headers.X-Loja", "pattern"),
            (json!({"headers": {"Host": "b"}}), "headers.Host", "reserved"),
            (json!({"headers": {"X-Balcao-Signature": "b"}}), "headers.X-Balcao-Signature", "reserved"),
            (json!({"headers": {"Authorization": "Bearer b"}}), "headers.Authorization", "secret"),
            (json!({"headers": {"X_API_Key": "b"}}), "headers.X_API_Key", "secret"),
            (json!({"fields": ["curso"]}), "fields[0]", "unknown_variable"),
            (json!({"save": {"a": "nome"}}), "save.a", "pattern"),
            (json!({"save": {"/a": "client_name"}}), "save./a", "pattern"),
        ] {
            let problems = call(wrong.clone());
            assert!(problems.contains(&(field.to_owned(), code)), "{wrong}: {problems:?}");
        }
        let round = with(json!({
            "main": {"type": "webhook", "url": "https://loja.exemplo.com.br/", "go_to": "main", "on_failure": "human"},
            "human": {"type": "handover"},
        }));
        assert_eq!(found(round).iter().filter(|(.., code)| *code == "endless").count(), 1);
    }

    #[test]
    fn ways_that_ask_nothing_may_not_go_round() {
        let round = with(json!({
            "main": {"type": "message", "text": "a", "go_to": "b"},
            "b": {"type": "goto", "go_to": "main"},
            "human": {"type": "handover"},
        }));
        assert_eq!(found(round).iter().filter(|(.., code)| *code == "endless").count(), 1);
        let waits = with(json!({
            "main": {"type": "message", "text": "a", "go_to": "b"},
            "b": {"type": "wait", "seconds": 60, "go_to": "main"},
            "human": {"type": "handover"},
        }));
        assert_eq!(found(waits), []);
        let open = with(json!({
            "main": {"type": "message", "text": "a", "go_to": "b"},
            "b": {"type": "wait", "until_open": true, "go_to": "main"},
            "human": {"type": "handover"},
        }));
        let chain = |length: usize| {
            let passing = (0..length).map(|place| {
                let go_to = if place + 1 == length { "human".to_owned() } else { format!("n{}", place + 1) };
                (format!("n{place}"), json!({"type": "goto", "go_to": go_to}))
            });
            let mut nodes: Map<String, Value> = passing.collect();
            nodes.insert("human".into(), json!({"type": "handover", "text": "Um momento."}));
            json!({"start": "n0", "nodes": nodes})
        };
        assert_eq!(found(chain(49)), []);
        assert_eq!(found(chain(60)), [("n10".into(), String::new(), "too_long_way")]);
        assert_eq!(found(open).iter().filter(|(.., code)| *code == "endless").count(), 1, "it is open now");
        let nowhere =
            with(json!({"main": {"type": "menu", "text": "?", "options": [{"id": "a", "title": "A", "go_to": "main"}]}}));
        assert_eq!(found(nowhere), [(String::new(), "nodes".to_owned(), "no_way_out")]);
    }

    /// Each example is a node, or a whole flow, that can be published.
    #[test]
    fn what_the_guide_shows_is_right() {
        let guide = include_str!("../../../../docs/bot.md");
        let examples: Vec<&str> =
            guide.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
        let mut kinds = BTreeSet::new();
        for example in examples {
            let shown: Value = serde_json::from_str(example).unwrap();
            let flow = if shown["nodes"].is_object() {
                shown
            } else {
                kinds.insert(shown["type"].as_str().unwrap().to_owned());
                json!({"start": "shown", "nodes": {
                    "shown": shown,
                    "main": {"type": "question", "text": "?", "field": "curso", "go_to": "human"},
                    "human": {"type": "handover", "text": "Um momento."},
                }})
            };
            let wrong: Vec<_> = of(&flow).into_iter().filter(|problem| problem.code != "unreachable").collect();
            assert_eq!(wrong, [], "{example}");
        }
        assert_eq!(kinds.len(), 16, "every kind is shown: {kinds:?}");
    }

    #[test]
    fn thousands_of_nodes_are_looked_through_at_once() {
        let chain = |length: usize| {
            let nodes: Map<String, Value> = (0..length)
                .map(|number| {
                    let next = if number + 1 == length {
                        json!({"type": "handover"})
                    } else {
                        json!({"type": "message", "text": "a", "go_to": format!("n{}", number + 1)})
                    };
                    (format!("n{number}"), next)
                })
                .collect();
            json!({"start": "n0", "nodes": nodes})
        };
        assert_eq!(found(chain(MOST_NODES)), [("n949".to_owned(), String::new(), "too_long_way")]);
        assert_eq!(found(chain(5_000)), [(String::new(), "nodes".to_owned(), "too_many")]);
        let node = |number: usize| (format!("n{number}{}", "x".repeat(200)), json!({"type": "end", "text": "{{x}}".repeat(500)}));
        let unknown: Map<String, Value> = (0..900).map(node).collect();
        let told = of(&json!({"start": "n0", "nodes": unknown}));
        assert!(
            told.len() <= MOST_PROBLEMS && told.iter().all(|problem| problem.node.as_ref().is_none_or(|key| key.len() <= SHOWN))
        );
    }
}
