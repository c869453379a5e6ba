//! Articles that come in as a file or a page: what it says, section by section, apart from what becomes of it.

pub mod document;
pub mod page;
pub mod run;
pub mod sheet;
pub mod undo;

use clients::import::RowError;
use shared::closed_set;

use crate::articles::{ANSWER, Content, QUESTION, QUESTIONS, ReadBy, TAG, TAGS, TITLE};

/// Bytes of a file, at most.
pub const LARGEST: u64 = 8 * 1024 * 1024;

/// Articles of a file, at most.
pub const MOST_ARTICLES: usize = 5_000;

/// Bytes of all that a file says; a small one may say very much.
pub const MOST_TEXT: usize = 16 * 1024 * 1024;

closed_set! {
    /// What is wrong with a section, or with a row or one of its cells.
    #[schemars(rename = "KnowledgeFault")]
    pub Fault {
        MissingTitle = "missing_title",
        MissingAnswer = "missing_answer",
        TooLong = "too_long",
        TooMany = "too_many",
        UnknownAudience = "unknown_audience",
        WrongColumns = "wrong_columns",
        Repeated = "repeated",
    }
}

impl Fault {
    /// What people read of it, in Portuguese and in English.
    #[must_use]
    pub fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::MissingTitle => ("Falta o título.", "The title is missing."),
            Self::MissingAnswer => ("Falta a resposta.", "The answer is missing."),
            Self::TooLong => ("O texto é longo demais.", "The text is too long."),
            Self::TooMany => ("São no máximo 50 perguntas e 20 etiquetas.", "There are 50 questions and 20 tags at most."),
            Self::UnknownAudience => ("Use bot, agents ou both.", "Use bot, agents or both."),
            Self::WrongColumns => {
                ("A linha não tem tantas colunas quanto o cabeçalho.", "The row has not as many columns as the header.")
            }
            Self::Repeated => ("Este título já veio antes no arquivo.", "This title has come before in the file."),
        }
    }

    fn at(self, row: i64, column: Option<&str>) -> RowError {
        let (portuguese, english) = self.texts();
        RowError {
            row,
            column: column.map(ToOwned::to_owned),
            code: self.as_str().to_owned(),
            message: portuguese.to_owned(),
            message_en: english.to_owned(),
        }
    }
}

closed_set! {
    /// Why nothing of a file or page can be read.
    #[schemars(rename = "KnowledgeFileFault")]
    pub FileFault {
        Gone = "file_gone",
        TooLarge = "too_large",
        Unreadable = "unreadable",
        Empty = "empty",
        TooManyArticles = "too_many_articles",
        NoColumns = "no_columns",
        NotPublic = "not_public",
        Unreachable = "unreachable",
        NotAPage = "not_a_page",
    }
}

impl FileFault {
    /// What people read of it, in Portuguese and in English.
    #[must_use]
    pub fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Gone => ("O arquivo não existe mais.", "The file is gone."),
            Self::TooLarge => ("O conteúdo é grande demais.", "There is too much in it."),
            Self::Unreadable => ("O arquivo não pode ser lido.", "The file cannot be read."),
            Self::Empty => ("Não há texto que se possa ler.", "There is no text to be read."),
            Self::TooManyArticles => ("São no máximo 5.000 artigos.", "There are 5,000 articles at most."),
            Self::NoColumns => {
                ("A tabela precisa das colunas título e resposta.", "The table needs the columns title and answer.")
            }
            Self::NotPublic => ("O endereço não é público.", "The address is not a public one."),
            Self::Unreachable => ("A página não respondeu.", "The page did not answer."),
            Self::NotAPage => ("O endereço não é de uma página de texto.", "The address is not that of a page of text."),
        }
    }
}

/// What may become an article.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The row as spreadsheets count, or the section's place.
    pub number: i64,
    pub title: String,
    pub answer: String,
    pub questions: Vec<String>,
    pub tags: Vec<String>,
    pub audience: Option<ReadBy>,
}

impl Section {
    /// A part of a text under its heading; one that asks is a question, too.
    #[must_use]
    pub fn new(number: usize, title: &str, answer: &str) -> Self {
        let title = shown(title);
        Self {
            number: i64::try_from(number).unwrap_or(i64::MAX),
            title,
            answer: answer.trim().to_owned(),
            questions: Vec::new(),
            tags: Vec::new(),
            audience: None,
        }
    }

    /// As an article, with what it had before where it was there.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn content(&self, before: Option<Content>, usual: &Content) -> Result<Content, Vec<RowError>> {
        let longer = |text: &str, most: usize| text.chars().count() > most;
        let faults = [
            (self.title.is_empty(), Fault::MissingTitle, "title"),
            (longer(&self.title, TITLE), Fault::TooLong, "title"),
            (self.answer.is_empty(), Fault::MissingAnswer, "answer"),
            (longer(&self.answer, ANSWER), Fault::TooLong, "answer"),
            (self.questions.len() > QUESTIONS, Fault::TooMany, "questions"),
            (self.questions.iter().any(|question| longer(question, QUESTION)), Fault::TooLong, "questions"),
            (self.tags.len() > TAGS, Fault::TooMany, "tags"),
            (self.tags.iter().any(|tag| longer(tag, TAG)), Fault::TooLong, "tags"),
        ];
        let faults: Vec<RowError> = faults
            .into_iter()
            .filter(|(is_wrong, ..)| *is_wrong)
            .map(|(_, fault, column)| fault.at(self.number, Some(column)))
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut content = before.unwrap_or_else(|| usual.clone());
        content.title.clone_from(&self.title);
        content.answer.clone_from(&self.answer);
        content.audience = self.audience.unwrap_or(content.audience);
        if !self.questions.is_empty() {
            content.questions.clone_from(&self.questions);
        }
        if !self.tags.is_empty() {
            content.tags.clone_from(&self.tags);
        }
        Ok(content)
    }
}

/// One line without what nobody sees.
#[must_use]
pub fn shown(text: &str) -> String {
    let seen = text.replace(char::is_control, " ");
    let seen: String = seen.chars().filter(|letter| !shared::text::is_hidden(*letter) && *letter != '\u{fffd}').collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines without what no text may have.
#[must_use]
pub fn kept(text: &str) -> String {
    let is_kept = |letter: &char| !letter.is_control() && *letter != '\u{fffd}' || *letter == '\n' || *letter == '\t';
    text.chars().filter(is_kept).collect::<String>().trim().to_owned()
}
