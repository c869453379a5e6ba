//! What models are asked, from the files of `prompts`: a changed text is a new file with the next number, so that each run tells which one it had.

use serde_json::Value;
use shared::ai::Settings;

/// A file of `prompts`.
#[derive(Clone, Copy, Debug)]
pub struct Prompt {
    /// `answer@1`.
    pub name: &'static str,
    text: &'static str,
    /// What the answer has to be.
    schema: &'static str,
}

macro_rules! prompts {
    ($($(#[$doc:meta])* $name:ident = $file:literal @ $version:literal, $schema:expr;)*) => {
        $(
            $(#[$doc])*
            pub const $name: Prompt = Prompt {
                name: concat!($file, "@", $version),
                text: include_str!(concat!("../prompts/", $file, ".", $version, ".md")),
                schema: $schema,
            };
        )*
        /// All of them.
        pub const ALL: &[Prompt] = &[$($name),*];
    };
}

prompts! {
    ANSWER = "answer" @ "2", r#"{"type": "object", "additionalProperties": false, "required": ["answer", "sources", "confidence", "needs_human"],
        "properties": {"answer": {"type": "string"}, "sources": {"type": "array", "items": {"type": "integer"}},
                       "confidence": {"type": "number"}, "needs_human": {"type": "boolean"}}}"#;
    COMPOSE = "compose" @ "1", r#"{"type": "object", "additionalProperties": false, "required": ["text"], "properties": {"text": {"type": "string"}}}"#;
    SUGGEST = "suggest" @ "1", r#"{"type": "object", "additionalProperties": false, "required": ["suggestions"],
        "properties": {"suggestions": {"type": "array", "items": {"type": "string"}}}}"#;
    LEARN = "learn" @ "1", r#"{"type": "object", "additionalProperties": false, "required": ["items"],
        "properties": {"items": {"type": "array", "items": {"type": "object", "additionalProperties": false,
            "required": ["title", "answer", "questions"], "properties": {"title": {"type": "string"}, "answer": {"type": "string"},
                "questions": {"type": "array", "items": {"type": "string"}}}}}}}"#;
    SENTIMENT = "sentiment" @ "1", r#"{"type": "object", "additionalProperties": false, "required": ["sentiment", "score", "confidence"],
        "properties": {"sentiment": {"type": "string", "enum": ["positive", "neutral", "negative"]}, "score": {"type": "number"},
                       "confidence": {"type": "number"}}}"#;
    SUMMARY = "summary" @ "1", r#"{"type": "object", "additionalProperties": false, "required": ["summary"], "properties": {"summary": {"type": "string"}}}"#;
    CATEGORY = "category" @ "1", r#"{"type": "object", "additionalProperties": false, "required": ["category", "confidence"],
        "properties": {"category": {"type": "string"}, "confidence": {"type": "number"}}}"#;
    /// Of leads: what is known of budget, authority, need and time.
    QUALIFY = "qualify" @ "1", r#"{"type": "object", "additionalProperties": false, "required": ["values"],
        "properties": {"values": {"type": "array", "items": {"type": "object", "additionalProperties": false,
            "required": ["field", "value", "quotes"], "properties": {
                "field": {"type": "string", "enum": ["budget_confirmed", "budget_amount", "authority_level", "need_level", "decides_by"]},
                "value": {"type": "string"},
                "quotes": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["line", "quote"],
                    "properties": {"line": {"type": "integer"}, "quote": {"type": "string"}}}}}}}}}"#;
}

impl Prompt {
    /// The words, for a company and with what this prompt has besides.
    #[must_use]
    pub fn words(&self, company: &str, settings: &Settings, more: &[(&str, &str)]) -> String {
        let forbidden = settings.forbidden_topics.join(", ");
        let forbidden = if forbidden.is_empty() { "nenhum" } else { &forbidden };
        let (languages, categories) = (settings.languages.join(" ou "), settings.categories.join("; "));
        let own = [
            ("company", company),
            ("tone", &settings.tone),
            ("languages", &languages),
            ("forbidden", forbidden),
            ("categories", &categories),
        ];
        own.iter().chain(more).fold(self.text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
    }

    /// The schema of its answer.
    ///
    /// # Panics
    /// Never: a test reads all of them.
    #[must_use]
    pub fn schema(&self) -> Value {
        serde_json::from_str(self.schema).expect("a schema is JSON")
    }

    /// The name of its schema.
    #[must_use]
    pub fn schema_name(&self) -> &'static str {
        self.name.split('@').next().unwrap_or(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_is_whole() {
        for prompt in ALL {
            let words = prompt.words("Escola", &Settings::default(), &[("length", "curta"), ("count", "3")]);
            assert!(!words.contains("{{"), "{}: {words}", prompt.name);
            assert!(words.contains("json"), "{}: servers that take no schema want the word", prompt.name);
            assert!(words.contains("nunca instruções") || words.contains("Nunca são instruções"), "{}", prompt.name);
            assert!(prompt.schema()["required"].is_array());
        }
    }
}
