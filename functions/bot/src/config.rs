//! A company's own words for what its bot says and hears: rows of a key and a value. One that is missing or inactive is as built in.

use shared::{closed_set, prelude::*, text::unaccented};

closed_set! {
    /// What a row is of.
    #[schemars(rename = "BotConfigKey")]
    pub Key {
        NotUnderstood = "not_understood",
        Goodbye = "goodbye",
        HumanWords = "human_words",
        MenuWords = "menu_words",
        LeaveWords = "leave_words",
    }
}

/// All of them.
pub const KEYS: [Key; 5] = [Key::NotUnderstood, Key::Goodbye, Key::HumanWords, Key::MenuWords, Key::LeaveWords];

/// A company's row.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    pub key: Key,
    pub value: Value,
    pub description: Option<String>,
    pub is_active: bool,
}

pub const ROWS: &str = "select key, value, description, is_active from bot_config";
pub const ROW: &str = "select key, value, description, is_active from bot_config where key = $1 for update";

/// What the bot says or hears in a place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BotConfig {
    pub key: Key,
    /// The company's own: a text, or a list of words. What is built in, without one.
    #[schemars(with = "Words")]
    pub value: Value,
    pub description: String,
    /// Whether the value counts; what is built in does otherwise.
    pub is_active: bool,
    /// What is built in.
    #[schemars(with = "Words")]
    pub built_in: Value,
}

/// A text, or a list of words.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it only describes")]
enum Words {
    Text(String),
    List(Vec<String>),
}

/// What the bot says or hears was changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BotConfigUpdated {
    pub key: Key,
}

event!(BotConfigUpdated = "bot_config.updated");

impl BotConfig {
    /// A key's value, of the company's row where it has one.
    #[must_use]
    pub fn told(key: Key, row: Option<&Row>) -> Self {
        Self {
            key,
            value: row.map_or_else(|| key.built_in(), |row| row.value.clone()),
            description: row.and_then(|row| row.description.clone()).unwrap_or_else(|| key.description().to_owned()),
            is_active: row.is_none_or(|row| row.is_active),
            built_in: key.built_in(),
        }
    }
}

/// What the bot goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Said when an answer is not understood the first time.
    pub not_understood: String,
    /// Said to whoever leaves.
    pub goodbye: String,
    pub human_words: Vec<String>,
    pub menu_words: Vec<String>,
    pub leave_words: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self::read(&Map::new())
    }
}

impl Key {
    /// What it is without a row.
    #[must_use]
    pub fn built_in(self) -> Value {
        match self {
            Self::NotUnderstood => json!("Não entendi. Escolha uma das opções, por favor."),
            Self::Goodbye => json!("Atendimento encerrado. Quando precisar, é só chamar!"),
            Self::HumanWords => json!(["atendente", "humano"]),
            Self::MenuWords => json!(["menu"]),
            Self::LeaveWords => json!(["sair"]),
        }
    }

    /// What it is for, for people.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::NotUnderstood => "O que o robô diz quando não entende a resposta pela primeira vez.",
            Self::Goodbye => "O que o robô diz a quem sai da conversa.",
            Self::HumanWords => "Palavras que chamam uma pessoa, em qualquer ponto da conversa.",
            Self::MenuWords => "Palavras que voltam ao começo, em qualquer ponto da conversa.",
            Self::LeaveWords => "Palavras que encerram a conversa.",
        }
    }

    /// What its values have to be, in Portuguese and English.
    #[must_use]
    pub const fn rule(self) -> (&'static str, &'static str) {
        match self {
            Self::NotUnderstood | Self::Goodbye => {
                ("Escreva um texto de até 1024 letras.", "Write a text of up to 1024 characters.")
            }
            _ => ("Informe até 20 palavras de 1 a 40 letras.", "Give up to 20 words of 1 to 40 letters."),
        }
    }

    /// The value as it is kept; `None` where it is none of this key.
    #[must_use]
    pub fn take(self, value: &Value) -> Option<Value> {
        match self {
            Self::NotUnderstood | Self::Goodbye => {
                let text = value.as_str()?.trim();
                (1..=1_024).contains(&text.chars().count()).then(|| json!(text))
            }
            Self::HumanWords | Self::MenuWords | Self::LeaveWords => {
                let given = value.as_array()?;
                let words: Option<Vec<String>> = given.iter().map(|word| Some(unaccented(word.as_str()?.trim()))).collect();
                let mut words = words
                    .filter(|words| words.len() <= 20 && words.iter().all(|word| (1..=40).contains(&word.chars().count())))?;
                words.sort_unstable();
                words.dedup();
                Some(json!(words))
            }
        }
    }
}

impl Config {
    /// Of a company's active rows, by their keys.
    #[must_use]
    pub fn read(rows: &Map<String, Value>) -> Self {
        let is_of = |key: Key, value: &Value| value.is_string() == key.built_in().is_string();
        let kept = |key: Key| rows.get(key.as_str()).filter(|value| is_of(key, value)).cloned();
        let value = |key: Key| kept(key).unwrap_or_else(|| key.built_in());
        let text = |key: Key| value(key).as_str().unwrap_or_default().to_owned();
        let words =
            |key: Key| value(key).as_array().into_iter().flatten().filter_map(|word| Some(word.as_str()?.to_owned())).collect();
        Self {
            not_understood: text(Key::NotUnderstood),
            goodbye: text(Key::Goodbye),
            human_words: words(Key::HumanWords),
            menu_words: words(Key::MenuWords),
            leave_words: words(Key::LeaveWords),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_value_is_one_of_its_key() {
        for key in KEYS {
            assert_eq!(key.take(&key.built_in()).as_ref(), Some(&key.built_in()), "{}", key.as_str());
        }
        let rows = KEYS.iter().map(|key| (key.as_str().to_owned(), key.built_in())).collect();
        assert_eq!(Config::read(&rows), Config::default());
        assert_eq!(Config::read(&Map::new()), Config::default());
    }

    #[test]
    fn values_of_another_kind_are_none() {
        for (key, value) in [
            (Key::Goodbye, json!("")),
            (Key::Goodbye, json!(["a"])),
            (Key::Goodbye, json!("a".repeat(1_025))),
            (Key::MenuWords, json!("menu")),
            (Key::MenuWords, json!([""])),
            (Key::MenuWords, json!([1])),
            (Key::MenuWords, json!(vec!["a"; 21])),
        ] {
            assert_eq!(key.take(&value), None, "{value}");
        }
        assert_eq!(Key::MenuWords.take(&json!([" Início "])), Some(json!(["inicio"])));
        assert_eq!(Key::MenuWords.take(&json!([])), Some(json!([])), "no word at all");
    }
}
