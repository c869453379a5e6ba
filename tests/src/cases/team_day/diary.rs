//! The account kept apart: what was answered with success, and nothing that the database says.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use serde_json::Value;
use tests::company::text;
use uuid::Uuid;

/// A channel, with the numbers of its people.
#[derive(Clone)]
pub struct Room {
    pub id: String,
    pub is_direct: bool,
    pub people: Vec<usize>,
}

impl Room {
    pub fn new(id: &str, is_direct: bool, people: Vec<usize>) -> Self {
        Self { id: id.to_owned(), is_direct, people }
    }
}

/// A message as it was answered.
#[derive(Clone, Debug)]
pub struct Said {
    pub id: String,
    pub room: usize,
    pub author: usize,
    pub place: Option<i64>,
    pub thread_place: Option<i64>,
    pub root: Option<String>,
    pub mentions: Vec<usize>,
}

/// What has happened, by whoever did it.
pub struct Diary {
    pub rooms: Vec<Room>,
    pub people: Vec<Uuid>,
    pub conversation: String,
    said: Mutex<BTreeMap<String, Said>>,
    /// How far somebody has read a room.
    read: Mutex<BTreeMap<(usize, usize), i64>>,
}

impl Diary {
    pub fn new(rooms: Vec<Room>, people: Vec<Uuid>, conversation: String) -> Self {
        Self { rooms, people, conversation, said: Mutex::default(), read: Mutex::default() }
    }

    fn read_marks(&self) -> MutexGuard<'_, BTreeMap<(usize, usize), i64>> {
        self.read.lock().expect("the diary")
    }

    pub fn said(&self) -> usize {
        self.said.lock().expect("the diary").len()
    }

    /// All that was said.
    pub fn all(&self) -> Vec<Said> {
        self.said.lock().expect("the diary").values().cloned().collect()
    }

    pub fn note_said(&self, room: usize, author: usize, mentions: &[usize], message: &Value) {
        let said = Said {
            id: text(&message["id"]).to_owned(),
            room,
            author,
            place: message["place"].as_i64(),
            thread_place: message["thread_place"].as_i64(),
            root: message["root_id"].as_str().map(str::to_owned),
            mentions: mentions.to_vec(),
        };
        // Whoever writes in a room has read it so far.
        if let Some(place) = said.place {
            self.note_read(room, author, place);
        }
        let before = self.said.lock().expect("the diary").insert(said.id.clone(), said.clone());
        assert!(before.is_none_or(|before| before.place == said.place), "said again, it is the same");
    }

    pub fn note_read(&self, room: usize, person: usize, place: i64) {
        let mut marks = self.read_marks();
        let mark = marks.entry((room, person)).or_default();
        *mark = place.max(*mark);
    }

    pub fn read_place(&self, room: usize, person: usize) -> i64 {
        self.read_marks().get(&(room, person)).copied().unwrap_or_default()
    }

    /// What was said in a room by others than this person, in its order.
    pub fn by_others(&self, room: usize, person: usize) -> Vec<Said> {
        let mut said = self.all();
        said.retain(|message| message.room == room && message.place.is_some() && message.author != person);
        said.sort_by_key(|message| message.place);
        said
    }

    /// How often somebody is told of answers in threads that they follow: who began one, and who has answered before.
    pub fn answers_for(&self, person: usize) -> usize {
        let all = self.all();
        let mut answers = 0;
        let is_in = |message: &&Said| self.rooms[message.room].people.contains(&person);
        for root in all.iter().filter(|message| message.root.is_none()).filter(is_in) {
            let mut thread: Vec<_> = all.iter().filter(|message| message.root.as_ref() == Some(&root.id)).collect();
            thread.sort_by_key(|message| message.thread_place);
            let mut follows = root.author == person;
            for answer in thread {
                if answer.author == person {
                    follows = true;
                } else if follows {
                    answers += 1;
                }
            }
        }
        answers
    }
}
