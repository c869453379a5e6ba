//! One turn of the bot: pure. What the client said, in; what the bot says and where the conversation goes, out.

use conversations::MessageKind;
use serde_json::{Map, Value, json};
use shared::text::unaccented;
use uuid::Uuid;

use crate::{
    flow::{Choice, Flow, Node},
    input::Input,
};

/// Turns after which people take over: something is going round in circles.
const MOST_TURNS: i32 = 50;

/// Nodes one turn may pass through.
const MOST_STEPS: usize = 20;

/// WhatsApp shows at most this many options of one list.
const MOST_OPTIONS: usize = 10;

/// Where a conversation's run of a flow stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The node that waits for an answer; `None` before the first turn.
    pub node: Option<String>,
    pub fields: Map<String, Value>,
    pub turns: i32,
}

/// Something the bot says.
#[derive(Clone, Debug, PartialEq)]
pub struct Saying {
    /// `text` or `interactive`.
    pub kind: MessageKind,
    pub text: String,
    pub payload: Value,
}

/// Where the conversation goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The bot waits for an answer.
    Wait,
    /// People take over.
    Handover {
        department_id: Option<Uuid>,
    },
    Close,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub says: Vec<Saying>,
    pub run: Run,
    pub next: Next,
}

/// Plays one turn.
pub fn play(flow: &Flow, run: &Run, input: &Input, client_name: &str, is_open: bool) -> Turn {
    let mut player = Player { flow, client_name, is_open, says: Vec::new(), run: run.clone() };
    player.run.turns += 1;
    let next = player.turn(input);
    Turn { says: player.says, run: player.run, next }
}

struct Player<'a> {
    flow: &'a Flow,
    client_name: &'a str,
    is_open: bool,
    says: Vec<Saying>,
    run: Run,
}

impl Player<'_> {
    fn turn(&mut self, input: &Input) -> Next {
        let said = input.words().map(fold);
        let is_among = |words: &[String]| said.as_ref().is_some_and(|said| words.iter().any(|word| fold(word) == *said));
        if self.run.turns > MOST_TURNS || is_among(&self.flow.words.human) {
            return self.hand_over();
        }
        if is_among(&self.flow.words.menu) {
            return self.go(&self.flow.start.clone());
        }
        let waiting = self.run.node.clone();
        let Some((name, node)) = waiting.and_then(|name| Some((name.clone(), self.flow.nodes.get(&name)?.clone()))) else {
            return self.go(&self.flow.start.clone());
        };
        match (node, input.words()) {
            (Node::Menu { .. } | Node::Question { .. }, None) if *input == Input::Nothing => Next::Wait,
            (Node::Menu { ref options, .. }, _) => match choose(options, input) {
                Some(choice) => {
                    self.run.fields.remove("missed");
                    self.go(&choice.go_to.clone())
                }
                None => self.miss(&name),
            },
            (Node::Question { field, go_to, .. }, Some(words)) => {
                self.run.fields.remove("missed");
                self.run.fields.insert(field, json!(words));
                self.go(&go_to)
            }
            (Node::Question { .. }, None) => self.miss(&name),
            _ => self.go(&name),
        }
    }

    /// An answer that is not understood: asked again once, then handed over.
    fn miss(&mut self, node: &str) -> Next {
        if self.run.fields.insert("missed".into(), json!(true)).is_some() {
            return self.hand_over();
        }
        let text = self.flow.not_understood.clone();
        self.say(MessageKind::Text, &text, json!({}));
        self.go(node)
    }

    /// Walks the flow until something waits or ends.
    fn go(&mut self, start: &str) -> Next {
        let mut name = start.to_owned();
        for _ in 0..MOST_STEPS {
            let Some(node) = self.flow.nodes.get(&name).cloned() else { return self.hand_over() };
            match node {
                Node::Message { text, closed_text, go_to } => {
                    let text = self.fitting(text, closed_text);
                    self.say(MessageKind::Text, &text, json!({}));
                    name = go_to;
                }
                Node::Menu { text, closed_text, button, options } => {
                    let text = self.fitting(text, closed_text);
                    self.offer(&text, button, &options);
                    self.run.node = Some(name);
                    return Next::Wait;
                }
                Node::Question { text, .. } => {
                    self.say(MessageKind::Text, &text, json!({}));
                    self.run.node = Some(name);
                    return Next::Wait;
                }
                Node::Handover { text, closed_text, department_id } => {
                    let text = self.fitting(text, closed_text);
                    self.say(MessageKind::Text, &text, json!({}));
                    self.run.node = None;
                    return Next::Handover { department_id };
                }
                Node::End { text } => {
                    self.say(MessageKind::Text, &text, json!({}));
                    self.run.node = None;
                    return Next::Close;
                }
            }
        }
        self.hand_over()
    }

    /// To people, with the words of the flow's own handover when it has one.
    fn hand_over(&mut self) -> Next {
        let handover = self.flow.nodes.values().find_map(|node| match node {
            Node::Handover { text, closed_text, department_id } => Some((text.clone(), closed_text.clone(), *department_id)),
            _ => None,
        });
        self.run.node = None;
        let Some((text, closed_text, department_id)) = handover else { return Next::Handover { department_id: None } };
        let text = self.fitting(text, closed_text);
        self.say(MessageKind::Text, &text, json!({}));
        Next::Handover { department_id }
    }

    fn offer(&mut self, text: &str, button: Option<String>, options: &[Choice]) {
        let payload = json!({
            "button": button,
            "options": options.iter().map(|option| json!({
                "id": option.id, "title": option.title, "description": option.description,
            })).collect::<Vec<_>>(),
        });
        if options.len() <= MOST_OPTIONS {
            return self.say(MessageKind::Interactive, text, payload);
        }
        let lines: Vec<String> =
            options.iter().enumerate().map(|(index, option)| format!("{}. {}", index + 1, option.title)).collect();
        self.say(MessageKind::Text, &format!("{text}\n\n{}", lines.join("\n")), json!({}));
    }

    fn say(&mut self, kind: MessageKind, text: &str, payload: Value) {
        let text = text.replace("{{client_name}}", self.client_name);
        if !text.is_empty() {
            self.says.push(Saying { kind, text, payload });
        }
    }

    fn fitting(&self, text: String, closed_text: Option<String>) -> String {
        if self.is_open { text } else { closed_text.unwrap_or(text) }
    }
}

/// The option that was tapped, or typed as its number or its title.
fn choose<'a>(options: &'a [Choice], input: &Input) -> Option<&'a Choice> {
    let said = fold(input.words()?);
    let is_tapped = |option: &&Choice| matches!(input, Input::Tapped { option_id, .. } if *option_id == option.id);
    let by_id = options.iter().find(is_tapped);
    let by_number = || said.parse::<usize>().ok().and_then(|number| options.get(number.checked_sub(1)?));
    let by_title = || options.iter().find(|option| fold(&option.title) == said);
    by_id.or_else(by_number).or_else(by_title)
}

/// As it is compared with other words.
fn fold(text: &str) -> String {
    unaccented(text.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flow() -> Flow {
        serde_json::from_value(json!({
            "start": "welcome",
            "nodes": {
                "welcome": {"type": "menu", "text": "Olá, {{client_name}}!", "options": [
                    {"id": "courses", "title": "Cursos", "go_to": "courses"},
                    {"id": "human", "title": "Falar com atendente", "go_to": "human"},
                ]},
                "courses": {"type": "message", "text": "Temos inglês.", "go_to": "name"},
                "name": {"type": "question", "text": "Seu nome?", "field": "name", "go_to": "bye"},
                "bye": {"type": "end", "text": "Até logo!"},
                "human": {"type": "handover", "text": "Um momento.", "closed_text": "Voltamos amanhã."},
            },
        }))
        .unwrap()
    }

    fn at(node: &str) -> Run {
        Run { node: Some(node.into()), ..Run::default() }
    }

    fn say(text: &str) -> Input {
        Input::Said(text.into())
    }

    fn turn(run: &Run, input: &Input) -> Turn {
        play(&flow(), run, input, "Maria", true)
    }

    #[test]
    fn the_first_turn_greets_with_the_menu() {
        let turn = turn(&Run::default(), &say("oi"));
        assert_eq!((turn.says[0].kind, turn.says[0].text.as_str()), (MessageKind::Interactive, "Olá, Maria!"));
        assert_eq!(turn.next, Next::Wait);
        assert_eq!(turn.run.node.as_deref(), Some("welcome"));
    }

    #[test]
    fn an_option_is_chosen_by_tap_number_or_title() {
        let tap = Input::Tapped { option_id: "human".into(), title: String::new() };
        for input in [tap, say("2"), say("FALAR COM ATENDENTE")] {
            assert_eq!(turn(&at("welcome"), &input).next, Next::Handover { department_id: None });
        }
    }

    #[test]
    fn what_is_not_understood_is_asked_again_once_and_then_handed_over() {
        let first = turn(&at("welcome"), &say("xyz"));
        assert_eq!((first.says.len(), &first.next), (2, &Next::Wait));
        let second = turn(&first.run, &say("xyz"));
        assert!(matches!(second.next, Next::Handover { .. }));
    }

    #[test]
    fn what_is_no_answer_leaves_the_bot_waiting_silently() {
        let missed = turn(&at("welcome"), &say("xyz")).run;
        for run in [at("welcome"), at("name"), missed] {
            let silent = turn(&run, &Input::Nothing);
            assert_eq!(
                (silent.says, silent.next, silent.run.node, silent.run.fields),
                (vec![], Next::Wait, run.node, run.fields)
            );
        }
        assert_eq!(turn(&Run::default(), &Input::Nothing).says[0].text, "Olá, Maria!");
    }

    #[test]
    fn a_file_is_an_answer_the_bot_does_not_understand() {
        for (node, asked) in [("welcome", "Olá, Maria!"), ("name", "Seu nome?")] {
            let first = turn(&at(node), &Input::Unreadable);
            assert_eq!((first.says.last().unwrap().text.as_str(), &first.next), (asked, &Next::Wait));
            assert!(first.run.fields.get("name").is_none());
            assert!(matches!(turn(&first.run, &Input::Unreadable).next, Next::Handover { .. }));
        }
    }

    #[test]
    fn a_question_keeps_its_answer_and_goes_on() {
        let asked = turn(&at("welcome"), &say("cursos"));
        assert_eq!(asked.says.iter().map(|saying| saying.text.as_str()).collect::<Vec<_>>(), ["Temos inglês.", "Seu nome?"]);
        let answered = turn(&asked.run, &say("Ana"));
        assert_eq!(answered.run.fields["name"], "Ana");
        assert_eq!(answered.next, Next::Close);
    }

    #[test]
    fn global_words_work_anywhere() {
        assert!(matches!(turn(&at("name"), &say("Atendente")).next, Next::Handover { .. }));
        assert_eq!(turn(&at("name"), &say("menu")).run.node.as_deref(), Some("welcome"));
    }

    #[test]
    fn outside_the_hours_the_closed_text_is_said() {
        let turn = play(&flow(), &at("welcome"), &say("2"), "Maria", false);
        assert_eq!(turn.says[0].text, "Voltamos amanhã.");
    }

    #[test]
    fn a_flow_that_goes_in_circles_ends_with_people() {
        let mut circle = flow();
        circle.nodes.insert(
            "welcome".into(),
            serde_json::from_value(json!({"type": "message", "text": "a", "go_to": "welcome"})).unwrap(),
        );
        assert!(matches!(play(&circle, &Run::default(), &say("oi"), "", true).next, Next::Handover { .. }));
        let tired = Run { turns: MOST_TURNS, ..at("welcome") };
        assert!(matches!(turn(&tired, &say("1")).next, Next::Handover { .. }));
    }

    proptest! {
        #[test]
        fn every_turn_ends_and_never_waits_nowhere(texts in proptest::collection::vec(".{0,20}|1|2|menu", 0..60)) {
            let mut run = Run::default();
            for text in texts {
                let turn = turn(&run, &say(&text));
                prop_assert!(turn.says.len() <= MOST_STEPS + 1);
                prop_assert!(turn.next != Next::Wait || turn.run.node.is_some());
                run = turn.run;
            }
        }
    }
}
