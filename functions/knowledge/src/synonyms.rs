//! Words that mean the same in a company, besides those that do everywhere.

use shared::{VISIBLE, prelude::*, rule, visible};

use crate::words::terms;

/// Words of which one is as good as another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[garde(transparent)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Group(
    #[garde(custom(of_words), inner(length(chars, min = 1, max = 60), custom(visible)))]
    #[schemars(length(min = 2, max = 20), inner(length(min = 1, max = 60), regex(pattern = VISIBLE)))]
    pub Vec<String>,
);

/// Two different words or more that something can be found by.
fn of_words(group: &impl AsRef<[String]>, (): &()) -> garde::Result {
    let group = group.as_ref();
    if group.len() > 20 {
        return Err(rule("too_long", "Use no máximo 20 palavras.", "Use at most 20 words."));
    }
    let mut known: Vec<Vec<String>> = group.iter().map(|word| terms(word)).collect();
    known.sort_unstable();
    known.dedup();
    if known.len() < 2 || known.iter().any(Vec::is_empty) {
        return Err(rule("too_few_words", "Informe pelo menos duas palavras diferentes.", "Give two different words or more."));
    }
    Ok(())
}

/// The company's groups of words.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct KnowledgeSynonyms {
    pub groups: Vec<Group>,
    pub version: i32,
}

impl Versioned for KnowledgeSynonyms {
    fn version(&self) -> i32 {
        self.version
    }
}

#[derive(FromRow)]
pub struct Row {
    groups: Value,
    version: i32,
}

impl From<Option<Row>> for KnowledgeSynonyms {
    fn from(row: Option<Row>) -> Self {
        row.map_or(Self { groups: Vec::new(), version: 0 }, |row| Self {
            groups: serde_json::from_value(row.groups).unwrap_or_default(),
            version: row.version,
        })
    }
}

pub const SYNONYMS: &str = "select groups, version from knowledge_synonyms";

/// The company's words for what people look for are others.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KnowledgeSynonymsUpdated {
    pub version: i32,
}

event!(KnowledgeSynonymsUpdated = "knowledge_synonyms.updated");

/// What is looked for besides when one of a group is said: of its terms, those of the others.
#[must_use]
pub fn phrases(groups: &[Group]) -> Map<String, Value> {
    let mut phrases: Map<String, Value> = Map::new();
    for Group(group) in groups {
        let stems: Vec<Vec<String>> = group.iter().map(|word| terms(word)).filter(|stems| !stems.is_empty()).collect();
        for own in &stems {
            let others = stems.iter().filter(|other| *other != own).flatten();
            let entry = phrases.entry(own.join(" ")).or_insert_with(|| json!([]));
            let known = entry.as_array_mut().expect("it is a list");
            for other in others {
                if !own.contains(other) && !known.iter().any(|known| known == other) {
                    known.push(json!(other));
                }
            }
        }
    }
    phrases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_leads_to_the_others_of_its_group() {
        let groups = [Group(vec!["passaporte".into(), "plano anual".into()])];
        let phrases = phrases(&groups);
        let [one, other] = [terms("passaporte"), terms("plano anual")];
        assert_eq!(phrases[&one.join(" ")], json!(other));
        assert_eq!(phrases[&other.join(" ")], json!(one));
    }

    #[test]
    fn what_says_nothing_leads_nowhere() {
        assert!(phrases(&[Group(vec!["de".into(), "para".into()])]).is_empty());
    }
}
