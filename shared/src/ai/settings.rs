//! What a company lets its language model do, and how: rows of a key and a value beside the bot's own. One that is missing or inactive is as built in.

use serde_json::{Map, Value};

/// A company's settings.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Settings {
    /// Whether anything is asked of a model at all.
    pub is_on: bool,
    /// How it writes.
    pub tone: String,
    pub languages: Vec<String>,
    /// People answer about these.
    pub forbidden_topics: Vec<String>,
    /// Below it, between 0 and 1, an answer counts as doubt.
    pub least_confidence: f64,
    /// Tokens of a day; 0 is none, null in the row no limit.
    pub daily_tokens: Option<i64>,
    pub monthly_tokens: Option<i64>,
    /// What a day may cost, in the currency of the prices.
    pub daily_cost: Option<f64>,
    /// For a million tokens.
    pub input_price: Option<f64>,
    pub output_price: Option<f64>,
    /// Asked where the company's own model does not answer.
    pub fallback_model: Option<String>,
    pub embedding_model: Option<String>,
    pub transcription_model: Option<String>,
    /// Whether personal data have names in what a model reads.
    pub masks: bool,
    /// Whether voice notes are transcribed when they come.
    pub transcribes_on_arrival: bool,
    /// Whether conversations are summed up and categorised when they are closed.
    pub analyses_on_close: bool,
    /// What conversations are about.
    pub categories: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            is_on: true,
            tone: "Cordial, claro e direto, como uma boa secretária escolar.".into(),
            languages: texts(&["pt-BR"]),
            forbidden_topics: Vec::new(),
            least_confidence: 0.6,
            daily_tokens: Some(500_000),
            monthly_tokens: Some(10_000_000),
            daily_cost: None,
            input_price: None,
            output_price: None,
            fallback_model: None,
            embedding_model: None,
            transcription_model: None,
            masks: true,
            transcribes_on_arrival: false,
            analyses_on_close: false,
            categories: texts(&["Matrícula", "Financeiro", "Pedagógico", "Suporte", "Outro"]),
        }
    }
}

impl Settings {
    /// Of a company's active rows, by their keys. A value of another kind is as built in.
    #[must_use]
    pub fn read(rows: &Map<String, Value>) -> Self {
        let built_in = Self::default();
        let flag = |key: &str, built_in: bool| rows.get(key).and_then(Value::as_bool).unwrap_or(built_in);
        let text = |key: &str| rows.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let words = |key: &str, built_in: Vec<String>| {
            let given = rows.get(key).and_then(Value::as_array);
            given.map_or(built_in, |given| given.iter().filter_map(|word| Some(word.as_str()?.to_owned())).collect())
        };
        let number = |key: &str, built_in: Option<f64>| match rows.get(key) {
            Some(Value::Null) => None,
            other => other.and_then(Value::as_f64).or(built_in),
        };
        let tokens = |key: &str, built_in: Option<i64>| match rows.get(key) {
            Some(Value::Null) => None,
            other => other.and_then(Value::as_i64).or(built_in),
        };
        Self {
            is_on: flag("ai_enabled", built_in.is_on),
            tone: text("ai_tone").unwrap_or(built_in.tone),
            languages: words("ai_languages", built_in.languages),
            forbidden_topics: words("ai_forbidden_topics", built_in.forbidden_topics),
            least_confidence: number("ai_least_confidence", Some(built_in.least_confidence)).unwrap_or(built_in.least_confidence),
            daily_tokens: tokens("ai_daily_tokens", built_in.daily_tokens),
            monthly_tokens: tokens("ai_monthly_tokens", built_in.monthly_tokens),
            daily_cost: number("ai_daily_cost", None),
            input_price: number("ai_input_price", None),
            output_price: number("ai_output_price", None),
            fallback_model: text("ai_fallback_model"),
            embedding_model: text("ai_embedding_model"),
            transcription_model: text("ai_transcription_model"),
            masks: flag("ai_masks_personal_data", built_in.masks),
            transcribes_on_arrival: flag("ai_transcribes_on_arrival", built_in.transcribes_on_arrival),
            analyses_on_close: flag("ai_analyses_on_close", built_in.analyses_on_close),
            categories: words("ai_categories", built_in.categories),
        }
    }

    /// What tokens cost, in millionths of the prices' currency; `None` where the company has given no price.
    #[must_use]
    pub fn cost(&self, input_tokens: i64, output_tokens: i64) -> Option<i64> {
        if self.input_price.is_none() && self.output_price.is_none() {
            return None;
        }
        let of = |tokens: i64, price: Option<f64>| f64::from(i32::try_from(tokens).unwrap_or(i32::MAX)) * price.unwrap_or(0.0);
        let cost = of(input_tokens, self.input_price) + of(output_tokens, self.output_price);
        #[expect(clippy::cast_possible_truncation, reason = "saturates, far above any cost")]
        Some(cost.ceil() as i64)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_go_before_what_is_built_in() {
        assert_eq!(Settings::read(&Map::new()), Settings::default());
        let Value::Object(rows) = json!({"ai_enabled": false, "ai_daily_tokens": null, "ai_tone": 7, "ai_input_price": 0.15})
        else {
            unreachable!("it is an object")
        };
        let settings = Settings::read(&rows);
        assert!(!settings.is_on);
        assert_eq!((settings.daily_tokens, settings.tone), (None, Settings::default().tone));
        assert_eq!(settings.input_price, Some(0.15));
    }

    #[test]
    fn tokens_cost_what_a_million_of_them_does() {
        let priced = Settings { input_price: Some(0.15), output_price: Some(0.75), ..Settings::default() };
        assert_eq!(priced.cost(1_000_000, 1_000_000), Some(900_000));
        assert_eq!(priced.cost(1, 0), Some(1), "never nothing");
        assert_eq!(Settings::default().cost(1_000, 1_000), None);
    }
}
