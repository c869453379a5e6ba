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

/// One message a line, without its statuses; nothing is written where nothing is kept.
pub(super) struct Journal(Option<Mutex<File>>);

impl Journal {
    /// What is in `directory` comes to `sent`, the newest that it keeps.
    pub(super) fn open(directory: Option<&Path>, sent: &Kept<Sent>) -> io::Result<Self> {
        let Some(directory) = directory else { return Ok(Self(None)) };
        let path = directory.join("whatsapp-accepted.jsonl");
        let known = if path.exists() { fs::read_to_string(&path)? } else { String::new() };
        // The last line of a killed cloud may be half a line: nobody was answered for it.
        known.lines().filter_map(|line| serde_json::from_str(line).ok()).for_each(|message| sent.push(message));
        let lines: String = sent.list(|_| true).iter().map(line).collect();
        fs::write(&path, lines)?;
        Ok(Self(Some(Mutex::new(OpenOptions::new().append(true).open(&path)?))))
    }

    pub(super) fn write(&self, message: &Sent) {
        if let Some(file) = &self.0 {
            lock(file).write_all(line(message).as_bytes()).expect("there is room");
        }
    }
}

fn line(message: &Sent) -> String {
    format!("{}\n", serde_json::to_string(message).expect("it is JSON"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::{Journal, Kept, Sent, fs, line};

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
        let journal = Journal::open(Some(&directory), &Kept::new(9)).expect("it opens");
        journal.write(&message("a"));
        journal.write(&message("b"));
        drop(journal);
        let path = directory.join("whatsapp-accepted.jsonl");
        let half = &line(&message("c"))[..20];
        fs::write(&path, fs::read_to_string(&path).expect("a file") + half).expect("it is written");
        let open = || {
            let sent = Kept::new(9);
            let journal = Journal::open(Some(&directory), &sent).expect("it opens again");
            (journal, sent.list(|_| true).into_iter().map(|sent: Sent| sent.id).collect::<Vec<_>>())
        };
        let (again, ids) = open();
        assert_eq!(ids, ["a", "b"]);
        again.write(&message("d"));
        assert_eq!(open().1, ["a", "b", "d"]);
        fs::remove_dir_all(&directory).expect("it goes");
    }
}
