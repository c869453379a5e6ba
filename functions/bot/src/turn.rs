//! One turn of the bot: pure. What has happened, in; what the bot says, what it does and where the conversation goes, out.

use conversations::{LONGEST_CAPTION, LONGEST_QUESTION, LONGEST_TEXT, MessageKind, longest_title};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use shared::closed_set;
use uuid::Uuid;

use crate::{
    answers::{self, LONGEST_VALUE, cut},
    config::Config,
    flow::{
        Ai, Branch, Choice, Department, Flow, Handover, LONGEST_ORIGIN, MOST_OPTIONS, MOST_STEPS, Media, Node, Question, Webhook,
    },
    input::{Input, Said, bare, look},
    world::World,
};

/// Turns after which people take over: something is going round in circles.
pub const MOST_TURNS: i32 = 50;

/// What is asked where nothing is left of the words, all of which stood for something else.
const BLANK: &str = "Como podemos ajudar?";

/// Where a conversation's run of a flow stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The node that the conversation rests at; `None` before the first turn.
    pub node: Option<String>,
    pub fields: Map<String, Value>,
    pub turns: i32,
    /// Answers to this node that were none.
    pub misses: u32,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The client wrote.
    Said(Input),
    /// The time has come at which a waiting node goes on, or is over in which one that asks waits for its answer. Who has just written is not out
    /// of time.
    Time { has_written: bool },
    /// The call that the conversation rests at has come to this; to nothing, where no use can be made of it. What the client has written meanwhile
    /// is an answer to nothing, but for words that work anywhere.
    Called { answer: Option<Value>, meanwhile: Input },
}

/// Something the bot says.
#[derive(Clone, Debug, PartialEq)]
pub struct Saying {
    pub kind: MessageKind,
    pub text: String,
    pub payload: Value,
    pub file_id: Option<Uuid>,
}

/// Something the bot does besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Tag {
        add: Vec<String>,
        remove: Vec<String>,
    },
    Priority(String),
    /// Whom it is with becomes a lead.
    CreateLead {
        stage_id: Option<Uuid>,
        origin: Option<String>,
    },
    MoveLead {
        stage_id: Uuid,
    },
    /// What the conversation is about.
    Summary(String),
    /// What the client has said of themselves, and where it is kept with them.
    Save {
        save_as: String,
        value: String,
    },
}

/// Where the conversation goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing changes: what was said is no answer to the node that the conversation rests at.
    Stay,
    /// The bot waits for an answer, until then.
    Wait {
        until: Option<Timestamp>,
    },
    /// The bot goes on by itself then.
    Sleep {
        until: Timestamp,
    },
    /// The bot goes on with what somebody else answers: the node that it rests at says whom to ask.
    Call,
    /// People take over: this one while they are there, or else a department.
    Handover {
        department_id: Option<Uuid>,
        user_id: Option<Uuid>,
    },
    Close,
}

closed_set! {
    /// What came of a node in a turn.
    #[schemars(rename = "BotStepOutcome")]
    pub Outcome {
        Passed = "passed",
        /// It has asked, and waits.
        Asked = "asked",
        Answered = "answered",
        /// The answer was none.
        Missed = "missed",
        TimedOut = "timed_out",
        /// It goes on later.
        Slept = "slept",
        /// It has asked somebody else, who has answered or not.
        Called = "called",
        HandedOver = "handed_over",
        Closed = "closed",
    }
}

/// A node that a turn went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub node: String,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub says: Vec<Saying>,
    pub effects: Vec<Effect>,
    pub steps: Vec<Step>,
    pub run: Run,
    pub next: Next,
}

impl Turn {
    /// Whether something is kept with the client.
    #[must_use]
    pub fn changes_client(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Save { .. } | Effect::CreateLead { .. }))
    }
}

/// Plays one turn.
#[must_use]
pub fn play(flow: &Flow, config: &Config, run: &Run, event: &Event, world: &World) -> Turn {
    let turn = Turn { says: Vec::new(), effects: Vec::new(), steps: Vec::new(), run: run.clone(), next: Next::Stay };
    let mut player = Player { flow, config, world: world.clone(), turn };
    player.turn.run.turns += 1;
    let next = player.happens(event);
    if next == Next::Stay {
        player.turn.run = run.clone();
    }
    Turn { next, ..player.turn }
}

struct Player<'a> {
    flow: &'a Flow,
    config: &'a Config,
    /// With what the turn itself has changed.
    world: World,
    turn: Turn,
}

/// A word that works anywhere.
enum Word {
    Human,
    Menu,
    Leave,
}

impl Player<'_> {
    fn happens(&mut self, event: &Event) -> Next {
        let flow = self.flow;
        let rests_at = self.turn.run.node.clone().and_then(|key| flow.node(&key).map(|node| (key, node)));
        let Some((key, node)) = rests_at else {
            return match event {
                Event::Said(input) => self.begin(input),
                Event::Time { .. } | Event::Called { .. } => Next::Stay,
            };
        };
        match event {
            Event::Said(input) => self.hears(&key, node, input),
            Event::Time { .. } | Event::Called { .. } if self.turn.run.turns > MOST_TURNS => self.hand_over(),
            Event::Time { has_written } => match (node, flow.timeout_of(&key)) {
                (Node::Wait { go_to, .. }, _) => self.go(go_to),
                (node, Some(timeout)) if node.asks() && !has_written => {
                    self.step(&key, Outcome::TimedOut);
                    self.go(&timeout.go_to)
                }
                _ => Next::Stay,
            },
            Event::Called { answer, meanwhile } => match node {
                Node::Webhook(webhook) => {
                    self.step(&key, Outcome::Called);
                    match self.word(meanwhile) {
                        Some(word) => self.obey(&word),
                        None => self.called(webhook, answer.as_ref()),
                    }
                }
                Node::Ai(ai) => {
                    self.step(&key, Outcome::Called);
                    match self.word(meanwhile) {
                        Some(word) => self.obey(&word),
                        // They have said more: the answer is to all of it.
                        None if !meanwhile.is_nothing() => Next::Call,
                        None => self.replied(&key, ai, answer.as_ref()),
                    }
                }
                _ => Next::Stay,
            },
        }
    }

    /// Keeps what was asked for, and goes on.
    fn called(&mut self, webhook: &Webhook, answer: Option<&Value>) -> Next {
        let Some(answer) = answer else { return self.go(&webhook.on_failure) };
        for (pointer, field) in &webhook.save {
            // What is not there now must not be taken for what was there before.
            match answer.pointer(pointer).and_then(written) {
                Some(value) => self.turn.run.fields.insert(field.clone(), json!(cut(&value, LONGEST_VALUE))),
                None => self.turn.run.fields.remove(field),
            };
        }
        self.go(&webhook.go_to)
    }

    /// Says the answer and waits for the next question; in doubt goes on, with what people should know.
    fn replied(&mut self, key: &str, ai: &Ai, answer: Option<&Value>) -> Next {
        let part = |name: &str| answer.and_then(|answer| answer[name].as_str()).filter(|part| !part.is_empty());
        if let Some(text) = part("text") {
            // What was looked at is what leaves: names in braces stand for nothing.
            self.tell(cut(text, LONGEST_TEXT));
            self.turn.run.misses = 1;
            return self.listen(key);
        }
        // A greeting is no question.
        if self.turn.run.misses == 0 && part("doubt") == Some("nothing_found") {
            self.say(&ai.text);
            self.turn.run.misses = 1;
            return self.listen(key);
        }
        if let Some(summary) = part("summary") {
            self.turn.effects.push(Effect::Summary(summary.to_owned()));
        }
        match &ai.on_doubt {
            Some(on_doubt) => self.go(on_doubt),
            None => self.hand_over(),
        }
    }

    /// Waits where it is, without asking.
    fn listen(&mut self, key: &str) -> Next {
        self.turn.run.node = Some(key.to_owned());
        Next::Wait { until: self.out_of_time(key) }
    }

    /// The first turn, or one whose node is not there.
    fn begin(&mut self, input: &Input) -> Next {
        match self.word(input) {
            Some(word) => self.obey(&word),
            None => self.go(&self.flow.start),
        }
    }

    fn obey(&mut self, word: &Word) -> Next {
        match word {
            Word::Human => self.hand_over(),
            Word::Leave => self.leave(),
            Word::Menu => self.go(&self.flow.start),
        }
    }

    fn hears(&mut self, key: &str, node: &Node, input: &Input) -> Next {
        if input.is_nothing() {
            return Next::Stay;
        }
        match self.word(input) {
            _ if self.turn.run.turns > MOST_TURNS => return self.hand_over(),
            Some(word) => return self.obey(&word),
            None => {}
        }
        match node {
            Node::Menu { options, .. } => match choose(options, input) {
                Some(choice) => self.answered(key, &choice.go_to),
                None => self.miss(key, 1, None, None),
            },
            Node::Department(department) => match choose(&self.departments(department), input) {
                Some(choice) if choice.id == BACK => self.answered(key, department.go_to.as_deref().unwrap_or_default()),
                Some(choice) => {
                    self.step(key, Outcome::Answered);
                    let chosen = choice.id.strip_prefix(DEPARTMENT).and_then(|id| id.parse().ok());
                    self.hand_over_to(key, department, chosen)
                }
                None => self.miss(key, 1, None, None),
            },
            Node::Question(question) => self.answer(key, question, input),
            Node::Ai(_) => {
                self.turn.run.misses = 1;
                Next::Call
            }
            // What comes after the wait, or the call, answers what is said meanwhile.
            Node::Wait { .. } | Node::Webhook(_) => Next::Stay,
            _ => self.go(key),
        }
    }

    fn answer(&mut self, key: &str, question: &Question, input: &Input) -> Next {
        let words = input.words().unwrap_or_default();
        if question.skip.as_ref().is_some_and(|skip| !look(skip).is_empty() && look(skip) == look(&words)) {
            self.turn.run.fields.remove(&question.field);
            return self.answered(key, &question.go_to);
        }
        // An answer may be the last of several messages, or all of them.
        let single =
            || input.from_last().filter_map(Said::words).find_map(|words| answers::read(question, words, self.world.today));
        let Some(answer) = answers::read(question, &words, self.world.today).or_else(single) else {
            return self.miss(key, question.retries, question.error.as_deref(), question.on_failure.as_deref());
        };
        if let Some(save_as) = &question.save_as {
            self.turn.effects.push(Effect::Save { save_as: save_as.clone(), value: answer.clone() });
        }
        self.turn.run.fields.insert(question.field.clone(), json!(answer));
        self.answered(key, &question.go_to)
    }

    fn answered(&mut self, key: &str, go_to: &str) -> Next {
        self.step(key, Outcome::Answered);
        self.go(go_to)
    }

    /// An answer that is none: asked again, then given up.
    fn miss(&mut self, key: &str, retries: u32, error: Option<&str>, on_failure: Option<&str>) -> Next {
        self.step(key, Outcome::Missed);
        self.turn.run.misses += 1;
        let misses = self.turn.run.misses;
        if misses > retries {
            return match on_failure {
                Some(on_failure) => self.go(on_failure),
                None => self.hand_over(),
            };
        }
        let text = error.or(self.flow.not_understood.as_deref()).unwrap_or(&self.config.not_understood);
        self.say(text);
        let next = self.go(key);
        self.turn.run.misses = misses;
        next
    }

    /// Walks the flow until it rests or ends.
    fn go(&mut self, start: &str) -> Next {
        self.turn.run.misses = 0;
        let mut key = start.to_owned();
        for _ in 0..MOST_STEPS {
            let Some(node) = self.flow.node(&key) else { return self.hand_over() };
            let go_to = match node {
                Node::Message { text, closed_text, media, go_to } => {
                    let text = self.fitting(text, closed_text.as_ref());
                    match media {
                        Some(media) => self.show(&text, media),
                        None => self.say(&text),
                    }
                    go_to
                }
                Node::Condition { cases, else_go_to } => {
                    let fields = &self.turn.run.fields;
                    let case = cases.iter().find(|case| self.world.passes(&case.when, fields));
                    case.map_or(else_go_to, |case| &case.go_to)
                }
                Node::SetField { field, value, go_to } => {
                    let value = self.world.fill_in(value, &self.turn.run.fields);
                    self.turn.run.fields.insert(field.clone(), json!(cut(&value, LONGEST_VALUE)));
                    go_to
                }
                Node::Tag { add, remove, go_to } => {
                    self.world.tags.retain(|tag| !remove.iter().any(|removed| look(removed) == look(tag)));
                    self.world.tags.extend(add.iter().cloned());
                    self.turn.effects.push(Effect::Tag { add: add.clone(), remove: remove.clone() });
                    go_to
                }
                Node::CreateLead { stage_id, origin, go_to } => {
                    let origin = origin.as_ref().map(|origin| self.world.fill_in(origin, &self.turn.run.fields));
                    let origin = origin.map(|origin| cut(origin.trim(), LONGEST_ORIGIN)).filter(|origin| !origin.is_empty());
                    self.turn.effects.push(Effect::CreateLead { stage_id: *stage_id, origin });
                    go_to
                }
                Node::MoveLead { stage_id, go_to } => {
                    self.turn.effects.push(Effect::MoveLead { stage_id: *stage_id });
                    go_to
                }
                Node::Split { branches } => match self.branch(&key, branches) {
                    Some(branch) => &branch.go_to,
                    None => return self.hand_over(),
                },
                Node::Goto { go_to } => go_to,
                Node::Wait { seconds, until_open, go_to } => match self.wakes_at(*seconds, *until_open) {
                    Some(until) => return self.rest(&key, Outcome::Slept, Next::Sleep { until }),
                    None => go_to,
                },
                resting => return self.rest_or_end(&key, resting),
            };
            self.step(&key, Outcome::Passed);
            key.clone_from(go_to);
        }
        self.hand_over()
    }

    fn rest_or_end(&mut self, key: &str, node: &Node) -> Next {
        match node {
            Node::Menu { text, closed_text, button, options } => {
                let text = self.fitting(text, closed_text.as_ref().filter(|text| !text.trim().is_empty()));
                self.offer(&text, button.as_ref(), options);
                self.wait(key)
            }
            Node::Question(question) => {
                self.ask(&question.text);
                if !question.choices.is_empty() {
                    self.number(&question.choices);
                }
                self.wait(key)
            }
            Node::Department(department) => {
                if self.world.departments.len() < 2 {
                    let only = self.world.departments.first().map(|(id, _)| *id);
                    return self.hand_over_to(key, department, only);
                }
                self.offer(&department.text, department.button.as_ref(), &self.departments(department));
                self.wait(key)
            }
            Node::Webhook(_) => {
                self.turn.run.node = Some(key.to_owned());
                Next::Call
            }
            Node::Ai(ai) if ai.at_once => {
                self.turn.run.node = Some(key.to_owned());
                Next::Call
            }
            Node::Ai(ai) => {
                self.say(&ai.text);
                self.turn.run.misses = 1;
                self.wait(key)
            }
            Node::Handover(handover) => self.hand_over_at(key, handover, None),
            Node::End { text } => {
                self.say(text);
                self.step(key, Outcome::Closed);
                self.turn.run.node = None;
                Next::Close
            }
            _ => self.hand_over(),
        }
    }

    fn wait(&mut self, key: &str) -> Next {
        let until = self.out_of_time(key);
        self.rest(key, Outcome::Asked, Next::Wait { until })
    }

    /// When whoever says nothing at a node is out of time.
    fn out_of_time(&self, key: &str) -> Option<Timestamp> {
        let minutes = self.flow.timeout_of(key).map(|timeout| i64::from(timeout.minutes))?;
        self.world.now.checked_add(SignedDuration::from_mins(minutes)).ok()
    }

    fn rest(&mut self, key: &str, outcome: Outcome, next: Next) -> Next {
        self.step(key, outcome);
        self.turn.run.node = Some(key.to_owned());
        next
    }

    /// When a waiting node goes on; `None` when it does so at once.
    fn wakes_at(&self, seconds: Option<u32>, until_open: bool) -> Option<Timestamp> {
        let opens = if until_open && !self.world.is_open { self.world.opens_at } else { None };
        let later = seconds.filter(|seconds| *seconds > 0);
        let later = later.and_then(|seconds| self.world.now.checked_add(SignedDuration::from_secs(seconds.into())).ok());
        opens.max(later)
    }

    /// A conversation always goes the same way, and all of them as the branches weigh.
    fn branch<'a>(&self, key: &str, branches: &'a [Branch]) -> Option<&'a Branch> {
        let total: u64 = branches.iter().map(|branch| u64::from(branch.weight)).sum();
        let place = dice(self.world.conversation_id, key).checked_rem(total)?;
        let mut passed = 0;
        branches.iter().find(|branch| {
            passed += u64::from(branch.weight);
            place < passed
        })
    }

    /// To people, with the words of the flow's own handover when it has one.
    fn hand_over(&mut self) -> Next {
        if let Some((key, handover)) = self.flow.handover() {
            return self.hand_over_at(key, handover, None);
        }
        let key = self.leaves_from();
        self.handed_over(&key, None, None)
    }

    /// To the department that was chosen, or else that of the handover.
    fn hand_over_at(&mut self, key: &str, handover: &Handover, chosen: Option<Uuid>) -> Next {
        let text = self.fitting(&handover.text, handover.closed_text.as_ref());
        self.say(&text);
        self.turn.effects.extend(handover.priority.clone().map(Effect::Priority));
        if let Some(summary) = &handover.summary {
            let summary = self.world.fill_in(summary, &self.turn.run.fields);
            self.turn.effects.push(Effect::Summary(summary));
        }
        // Whoever has chosen a department is given to nobody of another one.
        let user_id = handover.user_id.filter(|_| chosen.is_none());
        self.handed_over(key, chosen.or(handover.department_id), user_id)
    }

    fn hand_over_to(&mut self, key: &str, department: &Department, chosen: Option<Uuid>) -> Next {
        match (&department.handover_text, self.flow.handover()) {
            (Some(text), _) => {
                let text = self.fitting(text, department.closed_text.as_ref());
                self.say(&text);
                self.handed_over(key, chosen, None)
            }
            (None, Some((key, handover))) => self.hand_over_at(key, handover, chosen),
            (None, None) => self.handed_over(key, chosen, None),
        }
    }

    fn handed_over(&mut self, key: &str, department_id: Option<Uuid>, user_id: Option<Uuid>) -> Next {
        self.step(key, Outcome::HandedOver);
        self.turn.run.node = None;
        Next::Handover { department_id, user_id }
    }

    fn leave(&mut self) -> Next {
        let text = self.flow.goodbye.as_deref().unwrap_or(&self.config.goodbye);
        self.say(text);
        let key = self.leaves_from();
        self.step(&key, Outcome::Closed);
        self.turn.run.node = None;
        Next::Close
    }

    /// The node that the conversation rests at; of who leaves with their first words the start, so that they are counted.
    fn leaves_from(&self) -> String {
        self.turn.run.node.clone().unwrap_or_else(|| self.flow.start.clone())
    }

    /// Of what was said, a word that works anywhere.
    fn word(&self, input: &Input) -> Option<Word> {
        let Config { human_words, menu_words, leave_words, .. } = self.config;
        let words = &self.flow.words;
        let human = words.human.as_ref().unwrap_or(human_words);
        let menu = words.menu.as_ref().unwrap_or(menu_words);
        let leave = words.leave.as_ref().unwrap_or(leave_words);
        input.from_last().find_map(|said| {
            let Said::Words(said) = said else { return None };
            let (said, bare) = (look(said), bare(said));
            let is_among = |words: &[String]| words.iter().map(|word| look(word)).any(|word| word == said || word == bare);
            match () {
                () if is_among(human) => Some(Word::Human),
                () if is_among(leave) => Some(Word::Leave),
                () if is_among(menu) => Some(Word::Menu),
                () => None,
            }
        })
    }

    /// The options of a node that offers departments.
    fn departments(&self, department: &Department) -> Vec<Choice> {
        let Department { back, go_to, .. } = department;
        let option =
            |id: String, title: &str| Choice { id, title: title.to_owned(), description: String::new(), go_to: String::new() };
        let departments = self.world.departments.iter().map(|(id, name)| option(format!("{DEPARTMENT}{id}"), name));
        let back = back.iter().filter(|_| go_to.is_some()).map(|title| option(BACK.to_owned(), title));
        departments.chain(back).collect()
    }

    /// With buttons or a list where what is offered fits them, and otherwise as numbered lines.
    fn offer(&mut self, text: &str, button: Option<&String>, options: &[Choice]) {
        let most = longest_title(options.len());
        let fits = |option: &Choice| option.title.chars().count() <= most;
        if options.len() > MOST_OPTIONS || !options.iter().all(fits) {
            self.ask(text);
            return self.number(&options.iter().map(|option| option.title.clone()).collect::<Vec<_>>());
        }
        let text = self.filled(text, LONGEST_QUESTION);
        let text = if text.trim().is_empty() { BLANK.to_owned() } else { text };
        let shown =
            options.iter().map(|option| json!({"id": option.id, "title": option.title, "description": option.description}));
        let payload = json!({"button": button, "options": shown.collect::<Vec<_>>()});
        self.turn.says.push(Saying { kind: MessageKind::Interactive, text, payload, file_id: None });
    }

    /// Puts what may be chosen below what was said last, each with its number; what has no room there is said next.
    fn number(&mut self, titles: &[String]) {
        let mut separator = "\n\n";
        for (index, title) in titles.iter().enumerate() {
            let line = format!("{}. {title}", index + 1);
            let Some(saying) = self.turn.says.last_mut() else { return };
            if saying.text.chars().count() + line.chars().count() + 2 <= LONGEST_TEXT {
                saying.text = format!("{}{separator}{line}", saying.text);
            } else {
                self.turn.says.push(Saying { kind: MessageKind::Text, text: line, payload: json!({}), file_id: None });
            }
            separator = "\n";
        }
    }

    /// Says what has to be answered, and so something in any case.
    fn ask(&mut self, text: &str) {
        let said = self.turn.says.len();
        self.say(text);
        if self.turn.says.len() == said {
            self.say(BLANK);
        }
    }

    fn filled(&self, text: &str, most: usize) -> String {
        cut(&self.world.fill_in(text, &self.turn.run.fields), most)
    }

    fn show(&mut self, text: &str, media: &Media) {
        let kind = kind_of(media);
        // Voices have no words of their own.
        if kind == MessageKind::Audio {
            self.say(text);
        }
        let text = if kind == MessageKind::Audio { String::new() } else { self.filled(text, LONGEST_CAPTION) };
        self.turn.says.push(Saying { kind, text, payload: json!({}), file_id: Some(media.file_id) });
    }

    fn say(&mut self, text: &str) {
        self.tell(self.filled(text, LONGEST_TEXT));
    }

    /// Says what is whole as it is.
    fn tell(&mut self, text: String) {
        if !text.trim().is_empty() {
            self.turn.says.push(Saying { kind: MessageKind::Text, text, payload: json!({}), file_id: None });
        }
    }

    fn step(&mut self, key: &str, outcome: Outcome) {
        self.turn.steps.push(Step { node: key.to_owned(), outcome });
    }

    fn fitting(&self, text: &str, closed_text: Option<&String>) -> String {
        if self.world.is_open { text } else { closed_text.map_or(text, String::as_str) }.to_owned()
    }
}

/// As what kind of message a file is sent.
#[must_use]
pub fn kind_of(media: &Media) -> MessageKind {
    match media.kind.as_str() {
        "image" => MessageKind::Image,
        "video" => MessageKind::Video,
        "audio" => MessageKind::Audio,
        _ => MessageKind::Document,
    }
}

/// What is found in an answer, as a field has it: texts, figures and yes or no as they are, what has parts as JSON.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Before a department's id in the id of its option.
const DEPARTMENT: &str = "department:";

/// The option that leads back.
const BACK: &str = "back";

/// The option that was tapped, or typed as its title or its number: the last one of several.
fn choose<'a>(options: &'a [Choice], input: &Input) -> Option<&'a Choice> {
    input.from_last().find_map(|said| {
        let words = said.words()?;
        let is_tapped = |option: &&Choice| matches!(said, Said::Tapped { option_id, .. } if *option_id == option.id);
        options.iter().find(is_tapped).or_else(|| answers::pick(options, |option| &option.title, words))
    })
}

/// The same figure for the same conversation and node, whatever runs it: FNV-1a.
fn dice(conversation: Uuid, key: &str) -> u64 {
    let bytes = conversation.as_bytes().iter().chain(key.as_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
