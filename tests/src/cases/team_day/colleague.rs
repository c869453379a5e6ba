//! One of the twelve: what they do, and until it was answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Socket, Stack, company::Person, company::text};

use super::{ACTS, breathe, diary::Diary};

/// How long a connection counts after its last ping.
const LEASE: Duration = Duration::from_secs(90);

/// What was asked and not answered yet.
#[derive(Clone, Debug)]
enum Act {
    Say { room: usize, mentions: Vec<usize>, body: Value },
    Read { room: usize, body: Value },
}

pub struct Colleague {
    pub person: Person,
    pub number: usize,
    diary: Arc<Diary>,
    socket: Option<Socket>,
    acts: usize,
    dice: u64,
    unanswered: Option<Act>,
    pub came: Instant,
    /// When the present connection began; it is never pinged.
    connected: Instant,
    /// How long they are taken for there by the connection that the kill has cut: nobody says that it is over.
    lapses: Option<Instant>,
    pub left: Option<Instant>,
    /// How long breaks were, by whoever took them.
    pub breaks: Duration,
}

impl Colleague {
    pub async fn come(person: &Person, number: usize, diary: &Arc<Diary>) -> Self {
        let socket = person.socket().await;
        Self {
            person: person.clone(),
            number,
            diary: Arc::clone(diary),
            socket: Some(socket),
            acts: 0,
            dice: 0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1).wrapping_mul(0x2545_f491_4f6c_dd1d),
            unanswered: None,
            came: Instant::now(),
            connected: Instant::now(),
            lapses: None,
            left: None,
            breaks: Duration::ZERO,
        }
    }

    /// A number below a bound, the same in every run.
    fn throw(&mut self, bound: usize) -> usize {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        usize::try_from(self.dice % bound as u64).expect("it is small")
    }

    /// An hour; in the one of the kill, as far as it goes.
    pub async fn work(&mut self, hour: usize) {
        for turn in 0..ACTS {
            self.acts += 1;
            // Breaks and cuts are where their times are known: not in the hour of the kill.
            if hour != super::HOUR_OF_THE_KILL && turn == 4 + self.number % 3 {
                self.rest().await;
            } else if hour != super::HOUR_OF_THE_KILL && turn == 9 {
                self.reconnect().await;
            } else {
                let act = self.next_act();
                if !self.play(act).await {
                    return;
                }
            }
            breathe().await;
        }
    }

    fn next_act(&mut self) -> Act {
        let mine: Vec<usize> =
            (0..self.diary.rooms.len()).filter(|room| self.diary.rooms[*room].people.contains(&self.number)).collect();
        let room = mine[self.throw(mine.len())];
        let key = format!("{}.{}", self.number, self.acts);
        match self.throw(10) {
            0..=2 => {
                // To the end, or to somewhere before it.
                let body = if self.throw(2) == 0 { json!({}) } else { json!({"place": 1 + self.throw(12)}) };
                Act::Read { room, body }
            }
            3..=4 => {
                let roots: Vec<String> = self
                    .diary
                    .all()
                    .into_iter()
                    .filter(|said| said.room == room && said.root.is_none())
                    .map(|said| said.id)
                    .collect();
                if roots.is_empty() {
                    return Act::Say { room, mentions: Vec::new(), body: json!({"body": key, "client_message_id": key}) };
                }
                let root = &roots[self.throw(roots.len())];
                Act::Say { room, mentions: Vec::new(), body: json!({"body": key, "client_message_id": key, "root_id": root}) }
            }
            5..=6 => {
                let people = self.diary.rooms[room].people.clone();
                let named = people[self.throw(people.len())];
                let ids = [self.diary.people[named]];
                let mentions = if named == self.number { Vec::new() } else { vec![named] };
                Act::Say { room, mentions, body: json!({"body": key, "client_message_id": key, "mentions": {"user_ids": ids}}) }
            }
            // Only the admin and whoever leads sees every conversation, and may show its card.
            7 if self.number < 2 => {
                let cards = [json!({"kind": "conversation", "id": self.diary.conversation})];
                Act::Say { room, mentions: Vec::new(), body: json!({"body": key, "client_message_id": key, "cards": cards}) }
            }
            _ => Act::Say { room, mentions: Vec::new(), body: json!({"body": key, "client_message_id": key}) },
        }
    }

    /// Whether it was answered.
    async fn play(&mut self, act: Act) -> bool {
        let (room, what, body) = match &act {
            Act::Say { room, body, .. } => (*room, "messages", body.clone()),
            Act::Read { room, body } => (*room, "read", body.clone()),
        };
        let path = format!("/channels/{}/{what}", self.diary.rooms[room].id);
        let Ok(answer) = self.person.api.attempt(Method::POST, &path, body).await else {
            self.unanswered = Some(act);
            return false;
        };
        if answer.status >= 500 {
            self.unanswered = Some(act);
            return false;
        }
        assert!([200, 201].contains(&answer.status), "{act:?}: {}", answer.body);
        match act {
            Act::Say { room, mentions, .. } => self.diary.note_said(room, self.number, &mentions, &answer.body),
            Act::Read { room, .. } => {
                self.diary.note_read(room, self.number, answer.body["read_place"].as_i64().expect("a place"));
            }
        }
        true
    }

    async fn rest(&mut self) {
        let began = self.person.api.post("/productivity/breaks", json!({"reason": "rest"})).await;
        assert!(began.status < 300, "{}", began.body);
        let start = Instant::now();
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.person.api.post("/productivity/breaks/end", json!({})).await.expect(200);
        self.breaks += start.elapsed();
    }

    /// A page that is loaded anew.
    async fn reconnect(&mut self) {
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
        breathe().await;
        self.socket = Some(self.person.socket().await);
        self.connected = Instant::now();
    }

    /// After the kill, within the minute: what was not answered is done again.
    pub async fn come_back(&mut self, stack: &Stack, password: &str) {
        self.lapses = Some(self.connected + LEASE);
        self.person = Person::sign_in(stack, &self.person.email, password).await.expect("a login");
        self.socket = Some(self.person.socket().await);
        if let Some(act) = self.unanswered.take() {
            assert!(self.play(act).await, "it is answered now");
        }
    }

    pub async fn leave(&mut self) {
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
        self.left = Some(Instant::now());
    }

    /// How long they were there, from when they came.
    pub fn stay(&self) -> Duration {
        self.left.max(self.lapses).map(|until| until.duration_since(self.came)).unwrap_or_default()
    }

    pub fn name(&self) -> String {
        format!("{} ({})", self.number, text(&json!(self.person.email)))
    }
}
