//! A company's own words for what its bot says and hears, and what its models may do: rows of a key and a value. One that is missing or inactive is
//! as built in.

use std::collections::HashSet;

use shared::{ai::Settings, closed_set, prelude::*, text::unaccented};

use crate::flow::problems::{BUILT_IN, names};

closed_set! {
    /// What a row is of.
    #[schemars(rename = "BotConfigKey")]
    pub Key {
        NotUnderstood = "not_understood",
        Goodbye = "goodbye",
        HumanWords = "human_words",
        MenuWords = "menu_words",
        LeaveWords = "leave_words",
        AiEnabled = "ai_enabled",
        AiTone = "ai_tone",
        AiLanguages = "ai_languages",
        AiForbiddenTopics = "ai_forbidden_topics",
        AiLeastConfidence = "ai_least_confidence",
        AiDailyTokens = "ai_daily_tokens",
        AiMonthlyTokens = "ai_monthly_tokens",
        AiDailyCost = "ai_daily_cost",
        AiInputPrice = "ai_input_price",
        AiOutputPrice = "ai_output_price",
        AiFallbackModel = "ai_fallback_model",
        AiEmbeddingModel = "ai_embedding_model",
        AiTranscriptionModel = "ai_transcription_model",
        AiMasksPersonalData = "ai_masks_personal_data",
        AiTranscribesOnArrival = "ai_transcribes_on_arrival",
        AiAnalysesOnClose = "ai_analyses_on_close",
        AiInsightsEvery = "ai_insights_every",
        AiCategories = "ai_categories",
    }
}

/// All of them.
pub const KEYS: [Key; 23] = [
    Key::NotUnderstood,
    Key::Goodbye,
    Key::HumanWords,
    Key::MenuWords,
    Key::LeaveWords,
    Key::AiEnabled,
    Key::AiTone,
    Key::AiLanguages,
    Key::AiForbiddenTopics,
    Key::AiLeastConfidence,
    Key::AiDailyTokens,
    Key::AiMonthlyTokens,
    Key::AiDailyCost,
    Key::AiInputPrice,
    Key::AiOutputPrice,
    Key::AiFallbackModel,
    Key::AiEmbeddingModel,
    Key::AiTranscriptionModel,
    Key::AiMasksPersonalData,
    Key::AiTranscribesOnArrival,
    Key::AiAnalysesOnClose,
    Key::AiInsightsEvery,
    Key::AiCategories,
];

/// What the values of a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Up to so many characters; `true` where there may be none.
    Text(usize, bool),
    /// Looked for in what is written: as it is compared.
    Words,
    /// Told to models: as it was typed.
    Texts,
    /// By their codes.
    Languages,
    Flag,
    Whole,
    /// From 0 on, up to this.
    Number(u32),
}

/// A company's row.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    pub key: Key,
    pub value: Value,
    pub description: Option<String>,
    pub is_active: bool,
}

pub const ROWS: &str = "select key, value, description, is_active from bot_config";
/// Those of the words that work anywhere, but for one.
pub const OTHERS: &str = "
    select key, value, description, is_active from bot_config where key in ('human_words', 'menu_words', 'leave_words') and key <> $1";
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

/// A text, a list of words, yes or no, or a number; null of what has none built in.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it only describes")]
enum Words {
    Text(Option<String>),
    List(Vec<String>),
    Flag(bool),
    Number(f64),
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
            _ => self.built_in_of_ai(&Settings::default()),
        }
    }

    fn built_in_of_ai(self, settings: &Settings) -> Value {
        match self {
            Self::AiEnabled => json!(settings.is_on),
            Self::AiTone => json!(settings.tone),
            Self::AiLanguages => json!(settings.languages),
            Self::AiForbiddenTopics => json!(settings.forbidden_topics),
            Self::AiLeastConfidence => json!(settings.least_confidence),
            Self::AiDailyTokens => json!(settings.daily_tokens),
            Self::AiMonthlyTokens => json!(settings.monthly_tokens),
            Self::AiMasksPersonalData => json!(settings.masks),
            Self::AiTranscribesOnArrival => json!(settings.transcribes_on_arrival),
            Self::AiAnalysesOnClose => json!(settings.analyses_on_close),
            Self::AiInsightsEvery => json!(0),
            Self::AiCategories => json!(settings.categories),
            Self::AiFallbackModel | Self::AiEmbeddingModel | Self::AiTranscriptionModel => json!(""),
            _ => Value::Null,
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::NotUnderstood | Self::Goodbye => Kind::Text(1_024, false),
            Self::AiTone => Kind::Text(300, false),
            Self::AiFallbackModel | Self::AiEmbeddingModel | Self::AiTranscriptionModel => Kind::Text(120, true),
            Self::HumanWords | Self::MenuWords | Self::LeaveWords => Kind::Words,
            Self::AiLanguages => Kind::Languages,
            Self::AiForbiddenTopics | Self::AiCategories => Kind::Texts,
            Self::AiEnabled | Self::AiMasksPersonalData | Self::AiTranscribesOnArrival | Self::AiAnalysesOnClose => Kind::Flag,
            Self::AiDailyTokens | Self::AiMonthlyTokens | Self::AiInsightsEvery => Kind::Whole,
            Self::AiLeastConfidence => Kind::Number(1),
            Self::AiDailyCost | Self::AiInputPrice | Self::AiOutputPrice => Kind::Number(1_000_000),
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
            Self::AiEnabled => "Se a IA é usada nesta empresa.",
            Self::AiTone => "Como a IA escreve.",
            Self::AiLanguages => "Idiomas em que a IA escreve.",
            Self::AiForbiddenTopics => "Assuntos de que só pessoas tratam.",
            Self::AiLeastConfidence => "Certeza, de 0 a 1, abaixo da qual a IA chama uma pessoa.",
            Self::AiDailyTokens => "Tokens que a IA pode usar em um dia.",
            Self::AiMonthlyTokens => "Tokens que a IA pode usar em um mês.",
            Self::AiDailyCost => "Quanto a IA pode custar em um dia, na moeda dos preços.",
            Self::AiInputPrice => "Preço de um milhão de tokens de entrada.",
            Self::AiOutputPrice => "Preço de um milhão de tokens de saída.",
            Self::AiFallbackModel => "Modelo usado quando o principal não responde.",
            Self::AiEmbeddingModel => "Modelo que compara o sentido dos textos; vazio para nenhum.",
            Self::AiTranscriptionModel => "Modelo que transcreve áudios; vazio para nenhum.",
            Self::AiMasksPersonalData => "Se CPF, CNPJ, cartões, e-mails e telefones ficam fora do que a IA lê.",
            Self::AiTranscribesOnArrival => "Se os áudios dos clientes são transcritos quando chegam.",
            Self::AiAnalysesOnClose => "Se as conversas encerradas ganham resumo, assunto e humor.",
            Self::AiInsightsEvery => {
                "A cada quantas mensagens do cliente a conversa ganha resumo, assunto e humor enquanto dura; 0 para nunca."
            }
            Self::AiCategories => "Assuntos em que a IA separa as conversas.",
        }
    }

    /// What its values have to be, in Portuguese and English.
    #[must_use]
    pub const fn rule(self) -> (&'static str, &'static str) {
        match self.kind() {
            Kind::Text(1_024, _) => (
                "Escreva um texto de até 1024 letras. Entre chaves valem client_name, first_name, company_name, client_phone e client_email.",
                "Write a text of up to 1024 characters. In braces go client_name, first_name, company_name, client_phone and client_email.",
            ),
            Kind::Text(300, _) => ("Escreva um texto de até 300 letras.", "Write a text of up to 300 characters."),
            Kind::Text(..) => ("Escreva um nome de até 120 letras.", "Write a name of up to 120 characters."),
            Kind::Languages => ("Informe até 20 idiomas, como pt-BR ou en.", "Give up to 20 languages, such as pt-BR or en."),
            Kind::Words | Kind::Texts => ("Informe até 20 palavras de 1 a 40 letras.", "Give up to 20 words of 1 to 40 letters."),
            Kind::Flag => ("Informe true ou false.", "Give true or false."),
            Kind::Whole => ("Informe um número inteiro a partir de 0.", "Give a whole number from 0 on."),
            Kind::Number(1) => ("Informe um número de 0 a 1.", "Give a number from 0 to 1."),
            Kind::Number(_) => ("Informe um número a partir de 0.", "Give a number from 0 on."),
        }
    }

    /// A word of this key's value that calls for something else by another key's, of whose rows these are.
    #[must_use]
    pub fn clash(self, value: &Value, others: &[Row]) -> Option<String> {
        if self.kind() != Kind::Words {
            return None;
        }
        let words = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
        };
        let own = words(value);
        let keys = [Self::HumanWords, Self::MenuWords, Self::LeaveWords].into_iter().filter(|key| *key != self);
        let of_key = |key: Self| {
            let row = others.iter().find(|row| row.key == key && row.is_active);
            words(&row.map_or_else(|| key.built_in(), |row| row.value.clone()))
        };
        keys.flat_map(of_key).find(|word| own.contains(word))
    }

    /// The value as it is kept; `None` where it is none of this key.
    #[must_use]
    pub fn take(self, value: &Value) -> Option<Value> {
        match self.kind() {
            Kind::Text(most, may_be_empty) => {
                let text = value.as_str()?.trim();
                let least = usize::from(!may_be_empty);
                // What no name stands for would be said with its braces.
                let is_filled = most < 1_024 || names(text).all(|name| BUILT_IN.contains(&name));
                (is_filled && (least..=most).contains(&text.chars().count())).then(|| json!(text))
            }
            Kind::Words => {
                let mut words: Vec<String> = words_in(value)?.iter().map(|word| unaccented(word)).collect();
                words.sort_unstable();
                words.dedup();
                Some(json!(words))
            }
            // Without a category nothing can be asked for.
            Kind::Texts => {
                let words = words_in(value)?;
                (self == Self::AiForbiddenTopics || !words.is_empty()).then(|| json!(words))
            }
            Kind::Languages => {
                let languages = words_in(value)?;
                (!languages.is_empty() && languages.iter().all(|language| is_language(language))).then(|| json!(languages))
            }
            Kind::Flag => value.as_bool().map(Value::Bool),
            Kind::Whole => value.as_i64().filter(|number| (0..=1_000_000_000_000).contains(number)).map(|number| json!(number)),
            Kind::Number(most) => {
                value.as_f64().filter(|number| (0.0..=f64::from(most)).contains(number)).map(|number| json!(number))
            }
        }
    }
}

/// A language's code, with a country's or without.
fn is_language(code: &str) -> bool {
    let (language, country) = code.split_once('-').map_or((code, None), |(language, country)| (language, Some(country)));
    (2..=3).contains(&language.len())
        && language.bytes().all(|letter| letter.is_ascii_lowercase())
        && country.is_none_or(|country| country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_alphabetic()))
}

/// Up to 20 words of 1 to 40 letters, each once.
fn words_in(value: &Value) -> Option<Vec<String>> {
    let given = value.as_array().filter(|given| given.len() <= 20)?;
    let mut known = HashSet::new();
    let mut words = Vec::new();
    for word in given {
        let word = word.as_str()?.trim();
        let plain = unaccented(word);
        if !(1..=40).contains(&plain.chars().count()) {
            return None;
        }
        if known.insert(plain) {
            words.push(word.to_owned());
        }
    }
    Some(words)
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
        for key in KEYS.into_iter().filter(|key| !key.built_in().is_null()) {
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
            (Key::AiCategories, json!([])),
            (Key::AiLanguages, json!([])),
            (Key::AiLanguages, json!(["klingon"])),
            (Key::AiLanguages, json!(["../.."])),
            (Key::Goodbye, json!("Até logo, {{x}}!")),
            (Key::AiEnabled, json!("sim")),
            (Key::AiDailyTokens, json!(1.5)),
            (Key::AiDailyTokens, json!(-1)),
            (Key::AiLeastConfidence, json!(1.1)),
            (Key::AiInputPrice, json!(null)),
        ] {
            assert_eq!(key.take(&value), None, "{value}");
        }
        assert_eq!(Key::MenuWords.take(&json!([" Início "])), Some(json!(["inicio"])));
        assert_eq!(Key::MenuWords.take(&json!([])), Some(json!([])), "no word at all");
    }
}
