//! What WhatsApp has accepted. It is written down before it is answered: a killed cloud must find again what its clients have.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::Mutex,
};

use super::{
    super::kept::{Kept, lock},
    Sent,
};

const MOST: usize = 5000;

pub(super) struct Accepted {
    sent: Kept<Sent>,
    /// One message a line, without its statuses.
    written: Option<Mutex<File>>,
}

impl Accepted {
    /// What is in `directory`, the newest; nothing without one.
    pub(super) fn open(directory: Option<&Path>) -> io::Result<Self> {
        let sent = Kept::new(MOST);
        let Some(directory) = directory else { return Ok(Self { sent, written: None }) };
        let path = directory.join("whatsapp-accepted.jsonl");
        let known = if path.exists() { fs::read_to_string(&path)? } else { String::new() };
        // The last line of a killed cloud may be half a line: nobody was answered for it.
        known.lines().filter_map(|line| serde_json::from_str(line).ok()).for_each(|message| sent.push(message));
        let lines: String = sent.list(|_| true).iter().map(line).collect();
        fs::write(&path, lines)?;
        Ok(Self { sent, written: Some(Mutex::new(OpenOptions::new().append(true).open(&path)?)) })
    }

    pub(super) fn push(&self, message: Sent) {
        if let Some(file) = &self.written {
            lock(file).write_all(line(&message).as_bytes()).expect("there is room");
        }
        self.sent.push(message);
    }

    /// Oldest first.
    pub(super) fn list(&self, wanted: impl Fn(&Sent) -> bool) -> Vec<Sent> {
        self.sent.list(wanted)
    }

    pub(super) fn find(&self, wanted: impl Fn(&Sent) -> bool) -> Option<Sent> {
        self.sent.find(wanted)
    }

    pub(super) fn change(&self, wanted: impl Fn(&Sent) -> bool, change: impl FnOnce(&mut Sent)) {
        self.sent.change(wanted, change);
    }

    /// For as long as this cloud runs.
    pub(super) fn remove(&self, unwanted: impl Fn(&Sent) -> bool) {
        self.sent.remove(unwanted);
    }
}

fn line(message: &Sent) -> String {
    format!("{}\n", serde_json::to_string(message).expect("it is JSON"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::{Accepted, Sent, fs, line};

    #[test]
    fn what_was_accepted_is_there_after_a_start_and_half_a_line_is_not() {
        let directory = std::env::temp_dir().join(format!("accepted-{}", uuid::Uuid::now_v7()));
        fs::create_dir_all(&directory).expect("a folder");
        let message = |id: &str| Sent {
            id: id.into(),
            at: Timestamp::UNIX_EPOCH,
            phone_number_id: "1".into(),
            to: "5511".into(),
            body: json!({"text": {"body": "Oi\nde novo"}}),
            statuses: Vec::new(),
        };
        let accepted = Accepted::open(Some(&directory)).expect("it opens");
        accepted.push(message("a"));
        accepted.push(message("b"));
        drop(accepted);
        let path = directory.join("whatsapp-accepted.jsonl");
        let half = &line(&message("c"))[..20];
        fs::write(&path, fs::read_to_string(&path).expect("a file") + half).expect("it is written");
        let again = Accepted::open(Some(&directory)).expect("it opens again");
        let ids = || again.list(|_| true).into_iter().map(|sent| sent.id).collect::<Vec<_>>();
        assert_eq!(ids(), ["a", "b"]);
        again.push(message("d"));
        assert_eq!(ids(), ["a", "b", "d"]);
        fs::remove_dir_all(&directory).expect("it goes");
    }
}
